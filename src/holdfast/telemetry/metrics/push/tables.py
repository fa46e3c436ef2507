"""The table of pushed groups: the last successful push of each, until it is deleted."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, LargeBinary, MetaData, Table, Text

from holdfast.kernel.sql import Json, UtcDateTime

METADATA: Final = MetaData()

GROUPS: Final = Table(
    "push_groups",
    METADATA,
    Column("tenant", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("labels", Json, nullable=False),
    Column("families", LargeBinary, nullable=False),
    Column("pushed_at", UtcDateTime, nullable=True),
    Column("failed_at", UtcDateTime, nullable=True),
    Column("changed_at", UtcDateTime, nullable=False),
)
