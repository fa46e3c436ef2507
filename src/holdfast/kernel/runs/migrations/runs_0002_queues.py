"""What limited queues and schedules ask of a run: its rank, whether it holds a place, who may stand beside it."""

import sqlalchemy as sa
from alembic import op

from holdfast.kernel.sql import UtcDateTime

revision = "runs_0002"
down_revision = "runs_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, then the indexes; a run that waits already goes before those that come."""
    op.add_column("runs", sa.Column("rank", sa.BigInteger, nullable=False, server_default=sa.text("0")))
    op.add_column("runs", sa.Column("holds_place", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("runs", sa.Column("schedule", sa.Text))
    op.add_column("runs", sa.Column("singleton_key", sa.Text))
    op.add_column("runs", sa.Column("debounce_key", sa.Text))
    op.add_column("runs", sa.Column("debounced_by", sa.Text))
    op.drop_index("runs_queued", "runs")
    _index("runs_queued", ["queue", "rank", "id", "wake_at"], "state = 'queued'")
    _index(
        "runs_queued_by_key", ["queue", "concurrency_key", "rank"], "state = 'queued' AND concurrency_key IS NOT NULL"
    )
    _index("runs_delayed", ["wake_at", "queue"], "state = 'queued' AND wake_at IS NOT NULL")
    _index(
        "runs_holding",
        ["queue", "concurrency_key", "state"],
        "holds_place AND state IN ('queued', 'running', 'waiting', 'cancelling')",
    )
    _index(
        "runs_by_schedule",
        ["schedule", "id"],
        "schedule IS NOT NULL AND state NOT IN ('succeeded', 'failed', 'cancelled')",
    )
    op.add_column("run_schedules", sa.Column("next_due", UtcDateTime))
    op.add_column("run_schedules", sa.Column("is_held", sa.Boolean, nullable=False, server_default=sa.false()))
    _index(
        "runs_singleton",
        ["tenant", "workflow", "singleton_key"],
        "singleton_key IS NOT NULL AND state NOT IN ('succeeded', 'failed', 'cancelled')",
        is_unique=True,
    )
    _index(
        "runs_debounced",
        ["tenant", "workflow", "debounce_key"],
        "debounce_key IS NOT NULL AND state = 'queued' AND started_at IS NULL",
        is_unique=True,
    )


def _index(name: str, columns: list[str], where: str, *, is_unique: bool = False) -> None:
    op.create_index(
        name, "runs", columns, unique=is_unique, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
    )
