"""Pushed groups."""

import sqlalchemy as sa
from alembic import op

from holdfast.kernel.sql import Json, UtcDateTime

revision = "push_0001"
down_revision = None
branch_labels = ("push",)
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "push_groups",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("labels", Json, nullable=False),
        sa.Column("families", sa.LargeBinary, nullable=False),
        sa.Column("pushed_at", UtcDateTime, nullable=True),
        sa.Column("failed_at", UtcDateTime, nullable=True),
        sa.Column("changed_at", UtcDateTime, nullable=False),
    )
