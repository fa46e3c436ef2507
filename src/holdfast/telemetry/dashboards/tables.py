"""The tables of dashboards that people made in the console: the one in force, and every version that was."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, Integer, MetaData, Table, Text

from holdfast.kernel.sql import Json, UtcDateTime

METADATA: Final = MetaData()

DASHBOARDS: Final = Table(
    "dashboards",
    METADATA,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("folder", Text, nullable=False),
    Column("tags", Json, nullable=False),
    Column("version", Integer, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("updated_by", Text, nullable=False),
    Column("is_deleted", Boolean, nullable=False),
)

VERSIONS: Final = Table(
    "dashboard_versions",
    METADATA,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("document", Json, nullable=False),
    Column("message", Text, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("made_by", Text, nullable=False),
)
