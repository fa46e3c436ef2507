"""The tables of the event log; see `migrations` for how they come to be."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

from holdfast.kernel.sql import Json, UtcDateTime

METADATA: Final = MetaData()

EVENT_LOG: Final = Table(
    "event_log",
    METADATA,
    Column("tenant", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("service", Text),
    Column("actor", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("correlation_id", Text),
    Column("data", Json, nullable=False),
    Index("event_log_by_subject", "tenant", "subject", "seq"),
    Index("event_log_by_service", "tenant", "service", "seq"),
    Index("event_log_by_kind", "tenant", "kind", "seq"),
    Index("event_log_by_time", "tenant", "at"),
)

# The last sequence number of each tenant. Its row is locked until commit, which makes the order that of commits.
EVENT_HEADS: Final = Table(
    "event_heads",
    METADATA,
    Column("tenant", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
)

EVENT_CURSORS: Final = Table(
    "event_cursors",
    METADATA,
    Column("consumer", Text, primary_key=True),
    Column("tenant", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
)

# Events that a consumer could not handle after all its attempts, kept for people to look at and to replay.
EVENT_PARKED: Final = Table(
    "event_parked",
    METADATA,
    Column("consumer", Text, primary_key=True),
    Column("tenant", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("attempts", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
