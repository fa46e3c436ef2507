"""The journal's statements in the dialect of each database, many rows in one execution.

One execution matters on SQLite: its driver gives the interpreter away and takes it back once per row otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

Rows = Sequence[Sequence[Any]]

_CHUNKS: Final = (64, 16, 4, 1)
FINAL_STATES: Final = "('succeeded', 'failed', 'cancelled')"


@dataclass(frozen=True, slots=True)
class Statement:
    """`before`, then rows of these columns, then `after`; a column is its name and its PostgreSQL type."""

    before: str
    columns: tuple[tuple[str, str], ...]
    after: str
    is_insert: bool

    @property
    def gives_rows(self) -> bool:
        """Whether rows come back. PostgreSQL's driver would have to wait for the server to tell."""
        return self.before.startswith("SELECT") or "RETURNING" in self.after

    def run(self, raw: Any, rows: Rows, *, is_sqlite: bool) -> list[Any]:
        """Execute over a driver's connection; give the rows that come back."""
        if not rows:
            return []
        if not is_sqlite:
            cursor = raw.execute(self.postgres(), [list(column) for column in zip(*rows, strict=True)])
            return list(cursor.fetchall()) if self.gives_rows else []
        answer: list[Any] = []
        done = 0
        for size in _CHUNKS:
            while len(rows) - done >= size:
                values = [value for row in rows[done : done + size] for value in row]
                answer += raw.execute(self.sqlite(size), values).fetchall()
                done += size
        return answer

    def sqlite(self, size: int) -> str:
        """Give the text for `size` rows."""
        text = _SQLITE.get((self, size))
        if text is None:
            row = f"({', '.join('?' * len(self.columns))})"
            values = f"VALUES {', '.join([row] * size)}"
            if not self.is_insert:
                names = ", ".join(f"column{number} AS {name}" for number, (name, _) in enumerate(self.columns, start=1))
                values = f"(SELECT {names} FROM ({values})) AS v"
            text = _SQLITE[self, size] = f"{self.before} {values} {self.after}"
        return text

    def postgres(self) -> str:
        """Give the text for any number of rows, which come as one array per column."""
        names = ", ".join(name for name, _ in self.columns)
        arrays = f"unnest({', '.join(f'%s::{kind}[]' for _, kind in self.columns)}) AS v({names})"
        return f"{self.before} {f'SELECT * FROM {arrays}' if self.is_insert else arrays} {self.after}"


_SQLITE: Final[dict[tuple[Statement, int], str]] = {}


def _insert(table: str, columns: str, conflict: str) -> Statement:
    pairs = tuple((name, kind) for name, kind in (column.split(":") for column in columns.split()))
    return Statement(f"INSERT INTO {table} ({', '.join(name for name, _ in pairs)})", pairs, conflict, is_insert=True)


INSERT_RUNS: Final = _insert(
    "runs",
    "id:text tenant:text workflow:text version:int fingerprint:text state:text queue:text priority:int "
    "concurrency_key:text dedupe_key:text input:text attempt_group:int is_dry_run:bool actor:text service:text "
    "parent_id:text parent_key:text on_cancel:text owner:text epoch:int recoveries:int recovered_steps:int "
    "created_at:timestamptz started_at:timestamptz wake_at:timestamptz deadline:timestamptz is_watched:bool",
    "ON CONFLICT DO NOTHING",
)
# Only what waits in a queue, where its place in line and its keys matter.
INSERT_QUEUED_RUNS: Final = Statement(
    INSERT_RUNS.before.removesuffix(")") + ", rank, schedule, singleton_key, debounce_key, debounced_by)",
    (
        *INSERT_RUNS.columns,
        ("rank", "bigint"),
        ("schedule", "text"),
        ("singleton_key", "text"),
        ("debounce_key", "text"),
        ("debounced_by", "text"),
    ),
    INSERT_RUNS.after,
    is_insert=True,
)
UPSERT_STEPS: Final = _insert(
    "run_steps",
    "run_id:text key:text name:text parent:text kind:text state:text position:int attempts:int attempt_group:int "
    "started_at:timestamptz finished_at:timestamptz wake_at:timestamptz result:text error:text child_id:text "
    "actor:text",
    "ON CONFLICT (run_id, key) DO UPDATE SET kind = excluded.kind, state = excluded.state, "
    "position = excluded.position, attempts = excluded.attempts, attempt_group = excluded.attempt_group, "
    "started_at = excluded.started_at, finished_at = excluded.finished_at, wake_at = excluded.wake_at, "
    "result = excluded.result, error = excluded.error, child_id = excluded.child_id, actor = excluded.actor",
)
INSERT_ATTEMPTS: Final = _insert(
    "run_attempts",
    "run_id:text key:text attempt_group:int attempt:int state:text started_at:timestamptz finished_at:timestamptz "
    "error:text",
    "ON CONFLICT DO NOTHING",
)
INSERT_LINES: Final = _insert(
    "run_log",
    "run_id:text seq:bigint at:timestamptz step:text stream:text text:text fields:text",
    "ON CONFLICT DO NOTHING",
)
# A request to cancel may have come while the owner decided that the run goes on: it must not be overwritten.
MARK_RUNS: Final = Statement(
    "UPDATE runs SET state = CASE WHEN runs.cancel_at IS NOT NULL AND v.state = 'waiting' AND v.owner IS NULL "
    "THEN 'queued' WHEN runs.cancel_at IS NOT NULL AND v.state IN ('running', 'waiting') "
    "THEN 'cancelling' ELSE v.state END, owner = v.owner, started_at = coalesce(runs.started_at, v.started_at), "
    "finished_at = v.finished_at, wake_at = v.wake_at, waits = v.waits, result = v.result, error = v.error, "
    "published = coalesce(v.published, runs.published) FROM",
    (
        ("id", "text"),
        ("state", "text"),
        ("owner", "text"),
        ("started_at", "timestamptz"),
        ("finished_at", "timestamptz"),
        ("wake_at", "timestamptz"),
        ("waits", "text"),
        ("result", "text"),
        ("error", "text"),
        ("published", "text"),
    ),
    "WHERE runs.id = v.id",
    is_insert=False,
)
TAKE_SIGNALS: Final = Statement(
    "UPDATE run_signals SET taken_by = v.step, refused = v.refused FROM",
    (("run_id", "text"), ("id", "text"), ("step", "text"), ("refused", "text")),
    "WHERE run_signals.run_id = v.run_id AND run_signals.id = v.id",
    is_insert=False,
)
# The fence of SQLite: which of these runs are no longer this process's at this epoch, or have ended.
FIND_REFUSED: Final = Statement(
    "SELECT v.id, v.epoch, runs.epoch, runs.state FROM",
    (("id", "text"), ("epoch", "int")),
    f"LEFT JOIN runs ON runs.id = v.id WHERE runs.id IS NULL OR runs.epoch <> v.epoch OR runs.state IN {FINAL_STATES}",
    is_insert=False,
)
# The fence of PostgreSQL locks what it finds, so that no other process takes a run before the commit.
LOCK_RUNS: Final = (
    "SELECT id, epoch, state, is_watched, holds_place FROM runs WHERE id = ANY(%s) ORDER BY id FOR UPDATE"
)
FIND_BY_KEY: Final = Statement(
    "SELECT v.id, runs.id FROM",
    (("id", "text"), ("tenant", "text"), ("workflow", "text"), ("dedupe_key", "text")),
    "JOIN runs ON runs.tenant = v.tenant AND runs.workflow = v.workflow AND runs.dedupe_key = v.dedupe_key",
    is_insert=False,
)
FIND_SINGLETON: Final = Statement(
    "SELECT v.id, runs.id FROM",
    (("id", "text"), ("tenant", "text"), ("workflow", "text"), ("singleton_key", "text")),
    "JOIN runs ON runs.tenant = v.tenant AND runs.workflow = v.workflow AND runs.singleton_key = v.singleton_key "
    f"AND runs.singleton_key IS NOT NULL AND runs.state NOT IN {FINAL_STATES}",
    is_insert=False,
)
FIND_DEBOUNCED: Final = Statement(
    "SELECT v.id, runs.id, runs.created_at FROM",
    (("id", "text"), ("tenant", "text"), ("workflow", "text"), ("debounce_key", "text")),
    "JOIN runs ON runs.tenant = v.tenant AND runs.workflow = v.workflow AND runs.debounce_key = v.debounce_key "
    "AND runs.debounce_key IS NOT NULL AND runs.state = 'queued' AND runs.started_at IS NULL",
    is_insert=False,
)
# Batches of two processes may come out of order: the id of the start tells which input is the newer one.
DEBOUNCE_RUNS: Final = Statement(
    "UPDATE runs SET input = CASE WHEN v.debounced_by > runs.debounced_by THEN v.input ELSE runs.input END, "
    "wake_at = CASE WHEN v.debounced_by > runs.debounced_by THEN v.wake_at ELSE runs.wake_at END, "
    "rank = CASE WHEN v.debounced_by > runs.debounced_by THEN v.rank ELSE runs.rank END, "
    "debounced_by = CASE WHEN v.debounced_by > runs.debounced_by THEN v.debounced_by ELSE runs.debounced_by END FROM",
    (("id", "text"), ("input", "text"), ("wake_at", "timestamptz"), ("rank", "bigint"), ("debounced_by", "text")),
    "WHERE runs.id = v.id AND runs.state = 'queued' AND runs.started_at IS NULL RETURNING runs.id",
    is_insert=False,
)
FIND_SIGNALLED: Final = Statement(
    "SELECT v.id, run_signals.name FROM",
    (("id", "text"),),
    "JOIN run_signals ON run_signals.run_id = v.id AND run_signals.taken_by IS NULL AND run_signals.refused IS NULL",
    is_insert=False,
)
FIND_ENDED_CHILDREN: Final = Statement(
    "SELECT v.id FROM",
    (("id", "text"),),
    f"JOIN runs ON runs.parent_id = v.id AND runs.state IN {FINAL_STATES} "
    "JOIN run_steps ON run_steps.run_id = v.id AND run_steps.key = runs.parent_key AND run_steps.state = 'waiting'",
    is_insert=False,
)
FIND_QUEUED: Final = Statement(
    "SELECT v.id FROM", (("id", "text"),), "JOIN runs ON runs.id = v.id AND runs.state = 'queued'", is_insert=False
)
QUEUE_WAITING: Final = Statement(
    "UPDATE runs SET state = 'queued', wake_at = NULL FROM",
    (("id", "text"),),
    "WHERE runs.id = v.id AND runs.state = 'waiting' AND runs.owner IS NULL",
    is_insert=False,
)
