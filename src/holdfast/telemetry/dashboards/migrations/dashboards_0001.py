"""Dashboards and their versions."""

import sqlalchemy as sa
from alembic import op

from holdfast.kernel.sql import Json, UtcDateTime

revision = "dashboards_0001"
down_revision = None
branch_labels = ("dashboards",)
depends_on = None


def upgrade() -> None:
    """Create the two tables."""
    op.create_table(
        "dashboards",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("folder", sa.Text, nullable=False),
        sa.Column("tags", Json, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.Column("updated_by", sa.Text, nullable=False),
        sa.Column("is_deleted", sa.Boolean, nullable=False),
    )
    op.create_table(
        "dashboard_versions",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("document", Json, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
    )
