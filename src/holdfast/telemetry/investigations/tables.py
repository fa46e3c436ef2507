"""The tables of investigations and of their cells; a cell holds what was asked and what was seen then."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text

from holdfast.kernel.sql import Json, UtcDateTime

METADATA: Final = MetaData()

INVESTIGATIONS: Final = Table(
    "investigations",
    METADATA,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("updated_by", Text, nullable=False),
)

CELLS: Final = Table(
    "investigation_cells",
    METADATA,
    Column("tenant", Text, primary_key=True),
    Column("investigation", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("place", BigInteger, nullable=False),  # ascending, with gaps, so that a move touches one row
    Column("kind", Text, nullable=False),
    Column("content", Json, nullable=False),
    Column("evidence", Json, nullable=False),
    Column("version", Integer, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("updated_by", Text, nullable=False),
)
