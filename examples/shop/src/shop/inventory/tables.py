"""The inventory's tables, as its migrations made them."""

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text

metadata = MetaData()
stock = Table(
    "stock",
    metadata,
    Column("sku", Text, primary_key=True),
    Column("quantity", Integer, nullable=False),
)
reservations = Table(
    "reservations",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("sku", Text, primary_key=True),
    Column("quantity", Integer, nullable=False),
    Column("reserved_ms", BigInteger, nullable=False),
)
