"""The catalog's tables, as its migrations made them."""

from sqlalchemy import BigInteger, Column, MetaData, Table, Text

metadata = MetaData()
products = Table(
    "products",
    metadata,
    Column("sku", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("price_cents", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
)
