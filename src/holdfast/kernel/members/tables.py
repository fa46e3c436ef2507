"""The table of members: one row for each process of a kind, with the time of its last beat by the database's clock."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Float, MetaData, Table, Text

METADATA: Final = MetaData()

MEMBERS: Final = Table(
    "members",
    METADATA,
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("beat_s", Float, nullable=False),
)
