"""Saved searches."""

import sqlalchemy as sa
from alembic import op

from holdfast.kernel.sql import Json, UtcDateTime

revision = "searches_0001"
down_revision = None
branch_labels = ("searches",)
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "saved_searches",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("folder", sa.Text, nullable=False),
        sa.Column("tags", Json, nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("view", sa.Text, nullable=False),
        sa.Column("is_shared", sa.Boolean, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.Column("updated_by", sa.Text, nullable=False),
    )
    op.create_index("saved_searches_by_owner", "saved_searches", ["tenant", "owner"])
