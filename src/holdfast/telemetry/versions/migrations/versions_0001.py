"""Versions of services."""

import sqlalchemy as sa
from alembic import op

from holdfast.kernel.sql import UtcDateTime

revision = "versions_0001"
down_revision = None
branch_labels = ("versions",)
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "service_versions",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("environment", sa.Text, primary_key=True),
        sa.Column("version", sa.Text, primary_key=True),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("from_version", sa.Text),
        sa.Column("is_baseline", sa.Boolean, nullable=False),
        sa.Column("is_heard", sa.Boolean, nullable=False),
        sa.Column("began_at", UtcDateTime, nullable=False),
        sa.Column("first_seen", UtcDateTime),
        sa.Column("last_seen", UtcDateTime),
        sa.Column("settled_at", UtcDateTime),
        sa.Column("ended_at", UtcDateTime),
        sa.Column("told_at", UtcDateTime),
        sa.Column("back_told_at", UtcDateTime),
        sa.Column("trace_id", sa.Text, nullable=False),
        sa.Column("instance", sa.Text, nullable=False),
        sa.Column("commit", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
    )
    op.create_index("service_versions_by_time", "service_versions", ["tenant", "began_at"])
    op.create_index("service_versions_by_end", "service_versions", ["ended_at"])
