"""The tables of runs; see `migrations` for how they come to be.

Payloads are JSON kept as text: PostgreSQL's jsonb refuses NUL characters and would reorder what people wrote.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, MetaData, Table, Text, false, text

from holdfast.kernel.sql import Json, UtcDateTime

METADATA: Final = MetaData()


def _index(name: str, *columns: str, where: str, is_unique: bool = False) -> Index:
    return Index(name, *columns, unique=is_unique, sqlite_where=text(where), postgresql_where=text(where))


# `owner` is the worker that has the run in memory; nobody's run is parked or queued. `epoch` grows with every claim.
RUNS: Final = Table(
    "runs",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("workflow", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("concurrency_key", Text),
    Column("dedupe_key", Text),
    Column("input", Text),
    Column("result", Text),
    Column("error", Text),
    Column("attempt_group", Integer, nullable=False),
    Column("is_dry_run", Boolean, nullable=False),
    Column("actor", Text, nullable=False),
    Column("service", Text),
    Column("parent_id", Text),
    Column("parent_key", Text),
    Column("on_cancel", Text),
    Column("owner", Text),
    Column("epoch", Integer, nullable=False),
    Column("recoveries", Integer, nullable=False),
    Column("recovered_steps", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("wake_at", UtcDateTime),
    Column("deadline", UtcDateTime),
    Column("waits", Text),
    Column("published", Text),
    Column("cancel_at", UtcDateTime),
    Column("cancel_actor", Text),
    Column("cancel_reason", Text),
    Column("is_watched", Boolean, nullable=False),
    Column("rank", BigInteger, nullable=False, server_default=text("0")),
    Column("holds_place", Boolean, nullable=False, server_default=false()),
    Column("schedule", Text),
    Column("singleton_key", Text),
    Column("debounce_key", Text),
    Column("debounced_by", Text),
    Index(
        "runs_by_state",
        "tenant",
        "state",
        "id",
        sqlite_where=text("state <> 'succeeded'"),
        postgresql_where=text("state <> 'succeeded'"),
    ),
    Index("runs_by_workflow", "tenant", "workflow", "id"),
    Index(
        "runs_by_service",
        "tenant",
        "service",
        "id",
        sqlite_where=text("service IS NOT NULL"),
        postgresql_where=text("service IS NOT NULL"),
    ),
    Index(
        "runs_by_key",
        "tenant",
        "workflow",
        "dedupe_key",
        unique=True,
        sqlite_where=text("dedupe_key IS NOT NULL"),
        postgresql_where=text("dedupe_key IS NOT NULL"),
    ),
    Index(
        "runs_by_parent",
        "parent_id",
        sqlite_where=text("parent_id IS NOT NULL"),
        postgresql_where=text("parent_id IS NOT NULL"),
    ),
    _index("runs_queued", "queue", "rank", "id", "wake_at", where="state = 'queued'"),
    _index(
        "runs_queued_by_key",
        "queue",
        "concurrency_key",
        "rank",
        where="state = 'queued' AND concurrency_key IS NOT NULL",
    ),
    _index("runs_delayed", "wake_at", "queue", where="state = 'queued' AND wake_at IS NOT NULL"),
    _index(
        "runs_holding",
        "queue",
        "concurrency_key",
        "state",
        where="holds_place AND state IN ('queued', 'running', 'waiting', 'cancelling')",
    ),
    _index(
        "runs_by_schedule",
        "schedule",
        "id",
        where="schedule IS NOT NULL AND state NOT IN ('succeeded', 'failed', 'cancelled')",
    ),
    _index(
        "runs_singleton",
        "tenant",
        "workflow",
        "singleton_key",
        where="singleton_key IS NOT NULL AND state NOT IN ('succeeded', 'failed', 'cancelled')",
        is_unique=True,
    ),
    _index(
        "runs_debounced",
        "tenant",
        "workflow",
        "debounce_key",
        where="debounce_key IS NOT NULL AND state = 'queued' AND started_at IS NULL",
        is_unique=True,
    ),
    Index("runs_owned", "owner", sqlite_where=text("owner IS NOT NULL"), postgresql_where=text("owner IS NOT NULL")),
    Index(
        "runs_due",
        "wake_at",
        sqlite_where=text("state = 'waiting' AND owner IS NULL"),
        postgresql_where=text("state = 'waiting' AND owner IS NULL"),
    ),
)

RUN_STEPS: Final = Table(
    "run_steps",
    METADATA,
    Column("run_id", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("parent", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("attempt_group", Integer, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("wake_at", UtcDateTime),
    Column("result", Text),
    Column("error", Text),
    Column("child_id", Text),
    Column("actor", Text),
    Index(
        "run_steps_by_parent",
        "run_id",
        "parent",
        "position",
        sqlite_where=text("parent <> ''"),
        postgresql_where=text("parent <> ''"),
    ),
    sqlite_with_rowid=False,
)

# Attempts that failed and were tried again, and steps that a retry or a replay of the run has superseded.
RUN_ATTEMPTS: Final = Table(
    "run_attempts",
    METADATA,
    Column("run_id", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("attempt_group", Integer, primary_key=True, autoincrement=False),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime, nullable=False),
    Column("result", Text),
    Column("error", Text),
    sqlite_with_rowid=False,
)

RUN_SIGNALS: Final = Table(
    "run_signals",
    METADATA,
    Column("run_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("dedupe_key", Text),
    Column("payload", Text),
    Column("actor", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("taken_by", Text),
    Column("refused", Text),
    Index(
        "run_signals_by_key",
        "run_id",
        "name",
        "dedupe_key",
        unique=True,
        sqlite_where=text("dedupe_key IS NOT NULL"),
        postgresql_where=text("dedupe_key IS NOT NULL"),
    ),
    sqlite_with_rowid=False,
)

RUN_LOG: Final = Table(
    "run_log",
    METADATA,
    Column("run_id", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("step", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("fields", Text),
    sqlite_with_rowid=False,
)

# One row per live process: others take its runs when `beat` has stood still for a lease.
RUN_WORKERS: Final = Table(
    "run_workers",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("beat", BigInteger, nullable=False),
    Column("beat_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("workflows", Json, nullable=False),
)

# What people have said about a queue, and what its limits must remember.
RUN_QUEUES: Final = Table(
    "run_queues",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("is_paused", Boolean, nullable=False),
    Column("is_draining", Boolean, nullable=False),
    Column("rate_at", UtcDateTime),
    Column("rate_level", Float),
    Column("changed_at", UtcDateTime),
    Column("changed_by", Text),
    Column("state", Json),
)

RUN_SCHEDULES: Final = Table(
    "run_schedules",
    METADATA,
    Column("tenant", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("workflow", Text, nullable=False),
    Column("is_paused", Boolean, nullable=False),
    Column("last_due_at", UtcDateTime),
    Column("next_at", UtcDateTime),
    Column("last_run_id", Text),
    Column("changed_at", UtcDateTime),
    Column("changed_by", Text),
    Column("state", Json),
    Column("next_due", UtcDateTime),
    Column("is_held", Boolean, nullable=False, server_default=false()),
)
