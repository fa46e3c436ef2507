"""Deploys that are past, how each ended, and how often a version is heard."""

import sqlalchemy as sa
from alembic import op

from holdfast.kernel.sql import UtcDateTime

revision = "versions_0002"
down_revision = "versions_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the table of the past; what is known stays, how it ended is not known of old rows."""
    op.add_column("service_versions", sa.Column("known_since", UtcDateTime))
    op.add_column("service_versions", sa.Column("heard_since", UtcDateTime))
    op.add_column("service_versions", sa.Column("longest_gap_s", sa.Float))
    op.add_column("service_versions", sa.Column("usual_gap_s", sa.Float))
    op.add_column("service_versions", sa.Column("is_rollback", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("service_versions", sa.Column("ending", sa.Text))
    op.add_column("service_versions", sa.Column("to_version", sa.Text))
    op.execute("UPDATE service_versions SET known_since = COALESCE(first_seen, began_at), heard_since = last_seen")
    op.drop_column("service_versions", "back_told_at")
    op.create_table(
        "service_deploys_past",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("environment", sa.Text, primary_key=True),
        sa.Column("version", sa.Text, primary_key=True),
        sa.Column("began_at", UtcDateTime, primary_key=True),
        sa.Column("from_version", sa.Text),
        sa.Column("to_version", sa.Text),
        sa.Column("ending", sa.Text),
        sa.Column("is_baseline", sa.Boolean, nullable=False),
        sa.Column("is_rollback", sa.Boolean, nullable=False),
        sa.Column("first_seen", UtcDateTime),
        sa.Column("last_seen", UtcDateTime),
        sa.Column("settled_at", UtcDateTime),
        sa.Column("ended_at", UtcDateTime, nullable=False),
        sa.Column("trace_id", sa.Text, nullable=False),
        sa.Column("instance", sa.Text, nullable=False),
        sa.Column("commit", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
    )
    op.create_index("service_deploys_past_by_time", "service_deploys_past", ["tenant", "began_at"])
    op.create_index("service_deploys_past_by_end", "service_deploys_past", ["ended_at"])
