"""The tables of this package, for `create_tables()` or for the user's own migrations.

`token` and `place` only ever grow: SQLite's AUTOINCREMENT and PostgreSQL's identity never give a number twice.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Double, Identity, Index, Integer, MetaData, String, Table, Text

metadata: Final = MetaData()

_GROWING: Final = BigInteger().with_variant(Integer, "sqlite")

leases: Final = Table(
    "resilience_leases",
    metadata,
    Column("token", _GROWING, Identity(always=True), primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("owner", String(400), nullable=False),
    Column("until_s", Double, nullable=False),
    Column("ttl_s", Double, nullable=False),
    sqlite_autoincrement=True,
)

waiters: Final = Table(
    "resilience_waiters",
    metadata,
    Column("place", _GROWING, Identity(always=True), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("waiter", String(64), nullable=False, unique=True),
    Column("owner", String(400), nullable=False),
    Column("until_s", Double, nullable=False),
    Index("resilience_waiters_by_name", "name", "place"),
    Index("resilience_waiters_by_owner", "owner"),
    sqlite_autoincrement=True,
)

fences: Final = Table(
    "resilience_fences",
    metadata,
    Column("resource", String(200), primary_key=True),
    Column("token", BigInteger, nullable=False),
)

rates: Final = Table(
    "resilience_rates",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("state", Text, nullable=False),
    Column("idle_from_s", Double, nullable=False, index=True),
)

breakers: Final = Table(
    "resilience_breakers",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("state", String(20), nullable=False),
    Column("since_s", Double, nullable=False),
    Column("wait_s", Double, nullable=False),
    Column("failed_probes", Integer, nullable=False),
    Column("until_s", Double, nullable=False),
)
