"""Runs, their steps, attempts, signals and log lines; workers, queues and schedules."""

import sqlalchemy as sa
from alembic import op

from holdfast.kernel.sql import Json, UtcDateTime

revision = "runs_0001"
down_revision = None
branch_labels = ("runs",)
depends_on = None


def upgrade() -> None:
    """Create the tables, then the indexes."""
    _create_runs()
    _create_journal()
    _create_ground()


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("workflow", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("concurrency_key", sa.Text),
        sa.Column("dedupe_key", sa.Text),
        sa.Column("input", sa.Text),
        sa.Column("result", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("attempt_group", sa.Integer, nullable=False),
        sa.Column("is_dry_run", sa.Boolean, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("service", sa.Text),
        sa.Column("parent_id", sa.Text),
        sa.Column("parent_key", sa.Text),
        sa.Column("on_cancel", sa.Text),
        sa.Column("owner", sa.Text),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("recoveries", sa.Integer, nullable=False),
        sa.Column("recovered_steps", sa.Integer, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("started_at", UtcDateTime),
        sa.Column("finished_at", UtcDateTime),
        sa.Column("wake_at", UtcDateTime),
        sa.Column("deadline", UtcDateTime),
        sa.Column("waits", sa.Text),
        sa.Column("published", sa.Text),
        sa.Column("cancel_at", UtcDateTime),
        sa.Column("cancel_actor", sa.Text),
        sa.Column("cancel_reason", sa.Text),
        sa.Column("is_watched", sa.Boolean, nullable=False),
    )
    _index("runs_by_key", "runs", ["tenant", "workflow", "dedupe_key"], "dedupe_key IS NOT NULL", is_unique=True)
    _index("runs_by_parent", "runs", ["parent_id"], "parent_id IS NOT NULL")
    _index("runs_by_service", "runs", ["tenant", "service", "id"], "service IS NOT NULL")
    _index("runs_by_state", "runs", ["tenant", "state", "id"], "state <> 'succeeded'")
    op.create_index("runs_by_workflow", "runs", ["tenant", "workflow", "id"])
    _index("runs_due", "runs", ["wake_at"], "state = 'waiting' AND owner IS NULL")
    _index("runs_owned", "runs", ["owner"], "owner IS NOT NULL")
    _index("runs_queued", "runs", ["queue", "priority", "id"], "state = 'queued'")


def _create_journal() -> None:
    op.create_table(
        "run_steps",
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("parent", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("attempt_group", sa.Integer, nullable=False),
        sa.Column("started_at", UtcDateTime, nullable=False),
        sa.Column("finished_at", UtcDateTime),
        sa.Column("wake_at", UtcDateTime),
        sa.Column("result", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("child_id", sa.Text),
        sa.Column("actor", sa.Text),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "run_attempts",
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("attempt_group", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("attempt", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("started_at", UtcDateTime, nullable=False),
        sa.Column("finished_at", UtcDateTime, nullable=False),
        sa.Column("result", sa.Text),
        sa.Column("error", sa.Text),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "run_signals",
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("dedupe_key", sa.Text),
        sa.Column("payload", sa.Text),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("taken_by", sa.Text),
        sa.Column("refused", sa.Text),
        sqlite_with_rowid=False,
    )
    _index("run_steps_by_parent", "run_steps", ["run_id", "parent", "position"], "parent <> ''")
    _index(
        "run_signals_by_key", "run_signals", ["run_id", "name", "dedupe_key"], "dedupe_key IS NOT NULL", is_unique=True
    )


def _create_ground() -> None:
    op.create_table(
        "run_log",
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("fields", sa.Text),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "run_workers",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("beat", sa.BigInteger, nullable=False),
        sa.Column("beat_at", UtcDateTime, nullable=False),
        sa.Column("started_at", UtcDateTime, nullable=False),
        sa.Column("workflows", Json, nullable=False),
    )
    op.create_table(
        "run_queues",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("is_paused", sa.Boolean, nullable=False),
        sa.Column("is_draining", sa.Boolean, nullable=False),
        sa.Column("rate_at", UtcDateTime),
        sa.Column("rate_level", sa.Float),
        sa.Column("changed_at", UtcDateTime),
        sa.Column("changed_by", sa.Text),
        sa.Column("state", Json),
    )
    op.create_table(
        "run_schedules",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("workflow", sa.Text, nullable=False),
        sa.Column("is_paused", sa.Boolean, nullable=False),
        sa.Column("last_due_at", UtcDateTime),
        sa.Column("next_at", UtcDateTime),
        sa.Column("last_run_id", sa.Text),
        sa.Column("changed_at", UtcDateTime),
        sa.Column("changed_by", sa.Text),
        sa.Column("state", Json),
    )


def _index(name: str, table: str, columns: list[str], where: str, *, is_unique: bool = False) -> None:
    op.create_index(
        name, table, columns, unique=is_unique, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
    )
