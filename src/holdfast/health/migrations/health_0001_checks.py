"""The state of checks, maintenance windows, heartbeats."""

import sqlalchemy as sa
from alembic import op

from holdfast.kernel.sql import Json, UtcDateTime

revision = "health_0001"
down_revision = None
branch_labels = ("health",)
depends_on = None


def upgrade() -> None:
    """Create the four tables."""
    op.create_table(
        "check_states",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("since", UtcDateTime, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("is_flapping", sa.Boolean, nullable=False),
        sa.Column("blocked_by", sa.Text),
        sa.Column("paused_by", sa.Text),
        sa.Column("paused_at", UtcDateTime),
    )
    op.create_table(
        "maintenance_windows",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("selector", Json, nullable=False),
        sa.Column("starts_at", UtcDateTime, nullable=False),
        sa.Column("ends_at", UtcDateTime, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "maintenance_open",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("opened_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "heartbeats",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("last_signal", sa.Text),
        sa.Column("last_at", UtcDateTime),
        sa.Column("last_success_at", UtcDateTime),
        sa.Column("started_at", UtcDateTime),
        sa.Column("message", sa.Text, nullable=False),
    )
