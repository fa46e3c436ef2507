"""The payments' tables, as its migrations made them."""

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text

metadata = MetaData()
charges = Table(
    "charges",
    metadata,
    Column("id", Text, primary_key=True),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("order_id", Text, nullable=False),
    Column("amount_cents", BigInteger, nullable=False),
    Column("card_token", Text, nullable=False),
    Column("status", Text, nullable=False),
    # 1 from the moment the provider is asked until it has given a final answer, crash or no crash.
    Column("in_doubt", Integer, nullable=False),
    Column("provider_reference", Text),
    Column("created_ms", BigInteger, nullable=False),
)
