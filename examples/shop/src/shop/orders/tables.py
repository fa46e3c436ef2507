"""The orders' tables, as their migrations made them."""

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text

metadata = MetaData()
cart_lines = Table(
    "cart_lines",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("sku", Text, primary_key=True),
    Column("quantity", Integer, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
)
orders = Table(
    "orders",
    metadata,
    Column("id", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False),
    Column("card_token", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("failure", Text),
    Column("total_cents", BigInteger, nullable=False),
    Column("correlation_id", Text, nullable=False),
    Column("leased_until_ms", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)
order_lines = Table(
    "order_lines",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("sku", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("unit_cents", BigInteger, nullable=False),
)
outbox = Table(
    "outbox",
    metadata,
    Column("id", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("published_ms", BigInteger),
)
