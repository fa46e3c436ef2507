"""The table of saved searches."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, Index, MetaData, Table, Text

from holdfast.kernel.sql import Json, UtcDateTime

METADATA: Final = MetaData()

SEARCHES: Final = Table(
    "saved_searches",
    METADATA,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("folder", Text, nullable=False),
    Column("tags", Json, nullable=False),
    Column("query", Text, nullable=False),
    Column("view", Text, nullable=False),
    Column("is_shared", Boolean, nullable=False),
    Column("owner", Text, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("updated_by", Text, nullable=False),
    Index("saved_searches_by_owner", "tenant", "owner"),
)
