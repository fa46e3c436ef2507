"""The catalog's table: what was in force last, so that a change is told once, however many processes load it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, MetaData, Table, Text

METADATA: Final = MetaData()

CATALOG_ENTITIES: Final = Table(
    "catalog_entities",
    METADATA,
    Column("tenant", Text, primary_key=True),
    Column("ref", Text, primary_key=True),
    Column("digest", Text, nullable=False),
)
