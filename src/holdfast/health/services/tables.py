"""The tables of service health: where each service stands, its turns, and the times at which somebody watched."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, MetaData, Table, Text

from holdfast.kernel.sql import UtcDateTime

METADATA: Final = MetaData()

SERVICE_STANDINGS: Final = Table(
    "service_standings",
    METADATA,
    Column("tenant", Text, primary_key=True),
    Column("service", Text, primary_key=True),
    Column("verdict", Text, nullable=False),
    Column("is_spared", Boolean, nullable=False),
)

SERVICE_TURNS: Final = Table(
    "service_turns",
    METADATA,
    Column("tenant", Text, primary_key=True),
    Column("service", Text, primary_key=True),
    Column("at", UtcDateTime, primary_key=True),
    Column("verdict", Text, nullable=False),
    Column("is_spared", Boolean, nullable=False),
)

# One row per run of a process: what lies outside all rows was watched by nobody.
SERVICE_WATCHES: Final = Table(
    "service_watches",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)
