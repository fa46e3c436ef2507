"""Health's rows: the state of checks, maintenance that people planned, heartbeats. Results are columns, not rows."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, MetaData, Table, Text

from holdfast.kernel.sql import Json, UtcDateTime

METADATA: Final = MetaData()

CHECK_STATES: Final = Table(
    "check_states",
    METADATA,
    Column("tenant", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("verdict", Text, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("message", Text, nullable=False),
    Column("is_flapping", Boolean, nullable=False),
    Column("blocked_by", Text),
    Column("paused_by", Text),
    Column("paused_at", UtcDateTime),
)

MAINTENANCE_WINDOWS: Final = Table(
    "maintenance_windows",
    METADATA,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("selector", Json, nullable=False),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("reason", Text, nullable=False),
)

# The windows that are open now, so that a restart does not tell their opening twice.
MAINTENANCE_OPEN: Final = Table(
    "maintenance_open",
    METADATA,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("opened_at", UtcDateTime, nullable=False),
)

HEARTBEATS: Final = Table(
    "heartbeats",
    METADATA,
    Column("tenant", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_signal", Text),
    Column("last_at", UtcDateTime),
    Column("last_success_at", UtcDateTime),
    Column("started_at", UtcDateTime),
    Column("message", Text, nullable=False),
)
