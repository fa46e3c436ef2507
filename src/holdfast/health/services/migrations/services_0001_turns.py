"""Where services stand, their turns, and the times at which somebody watched."""

import sqlalchemy as sa
from alembic import op

from holdfast.kernel.sql import UtcDateTime

revision = "services_0001"
down_revision = None
branch_labels = ("services",)
depends_on = None


def upgrade() -> None:
    """Create the three tables."""
    op.create_table(
        "service_standings",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("is_spared", sa.Boolean, nullable=False),
    )
    op.create_table(
        "service_turns",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("at", UtcDateTime, primary_key=True),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("is_spared", sa.Boolean, nullable=False),
    )
    op.create_table(
        "service_watches",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("started_at", UtcDateTime, nullable=False),
        sa.Column("seen_at", UtcDateTime, nullable=False),
    )
