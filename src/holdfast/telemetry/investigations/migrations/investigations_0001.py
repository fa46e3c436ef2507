"""Investigations and their cells."""

import sqlalchemy as sa
from alembic import op

from holdfast.kernel.sql import Json, UtcDateTime

revision = "investigations_0001"
down_revision = None
branch_labels = ("investigations",)
depends_on = None


def upgrade() -> None:
    """Create the two tables."""
    op.create_table(
        "investigations",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.Column("updated_by", sa.Text, nullable=False),
    )
    op.create_table(
        "investigation_cells",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("investigation", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("place", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("content", Json, nullable=False),
        sa.Column("evidence", Json, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.Column("updated_by", sa.Text, nullable=False),
    )
