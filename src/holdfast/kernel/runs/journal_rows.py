"""Applies a batch of entries to the database in one transaction: the fence first, then one statement per table.

Returns nothing to its callers but what it notes on the entries; waking whoever should know is the caller's matter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import Connection

from holdfast.kernel.events import EventLog
from holdfast.kernel.runs import statements
from holdfast.kernel.runs.keyed_starts import KeyedStarts
from holdfast.kernel.runs.model import RunId, RunState
from holdfast.kernel.runs.records import Entry, NewRun, Step

CHANNEL: Final = "holdfast_runs"
Refusal = tuple[int, int | None, str | None]  # the epoch asked for; that of the run and its state, None: no such run
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_NOTIFY: Final = "SELECT pg_notify(%s, v) FROM unnest(%s::text[]) AS v"


@dataclass(slots=True)
class Applied:
    """What a batch has caused beyond its entries.

    Attributes:
        woken: parents whose child has ended, wherever they are.
        queued: whether runs were put into a queue that somebody has to look at.
    """

    woken: set[RunId] = field(default_factory=set)
    queued: bool = False


def stamp_sqlite(moment: datetime | None) -> Any:
    """Give microseconds since 1970, as `UtcDateTime` keeps them on SQLite."""
    return None if moment is None else (moment - _EPOCH) // _MICROSECOND


def stamp_postgres(moment: datetime | None) -> Any:
    """Give the moment itself."""
    return moment


class Rows:
    """The journal's view of one database."""

    def __init__(self, dialect: str, events: EventLog) -> None:
        self._is_sqlite = dialect == "sqlite"
        self._stamp: Callable[[datetime | None], Any] = stamp_sqlite if self._is_sqlite else stamp_postgres
        self._events = events

    def apply(self, tx: Connection, entries: Sequence[Entry]) -> Applied:
        """Write what the fence lets through; the others are marked as refused."""
        raw: Any = tx.connection.dbapi_connection
        applied = Applied()
        # What gives nothing back travels together: on PostgreSQL the fence and the writes wait for the server twice.
        with nullcontext() if self._is_sqlite else raw.pipeline():
            watched, holding = self._fence(raw, entries)
            live = [entry for entry in entries if not entry.is_refused]
            self._insert_runs(raw, live)
            live = [entry for entry in live if entry.existing is None]
            self._write(raw, live)
            self._wake(raw, live, watched, applied, holding)
        events = [event for entry in live if entry.start is not None for event in entry.start.events]
        events += [event for entry in live for event in entry.events]
        if events:
            self._events.append(tx, *events)
        return applied

    def _run(self, statement: statements.Statement, raw: Any, rows: statements.Rows) -> list[Any]:
        return statement.run(raw, rows, is_sqlite=self._is_sqlite)

    def _fence(self, raw: Any, entries: Sequence[Entry]) -> tuple[set[str], set[str]]:
        """Mark the entries of runs that are not ours; on PostgreSQL lock all runs until the commit.

        Gives, of the latter, those whose end somebody awaits, and those that hold a place in a limited queue.
        """
        claims = {entry.run_id: entry.epoch for entry in entries if entry.epoch and entry.start is None}
        for entry in entries:
            if entry.start is not None and entry.start.parent_id is not None:
                claims[entry.start.parent_id] = entry.epoch
        watched: set[str] = set()
        holding: set[str] = set()
        for entry in entries:
            entry.is_refused, entry.existing = False, None
        if not claims:
            return watched, holding
        if self._is_sqlite:
            refused = {row[0]: row[1:] for row in self._run(statements.FIND_REFUSED, raw, list(claims.items()))}
        else:
            ids = list(claims.keys() | {entry.parent_id for entry in entries if entry.parent_id})
            locked = {row[0]: row for row in raw.execute(statements.LOCK_RUNS, [ids]).fetchall()}
            watched, holding = (
                {run for run, row in locked.items() if row[3]},
                {r for r, row in locked.items() if row[4]},
            )
            refused = _find_refused(claims, locked)
        if refused:
            _refuse(entries, refused)
        return watched, holding

    def _insert_runs(self, raw: Any, entries: Sequence[Entry]) -> None:
        starts = [entry.start for entry in entries if entry.start is not None]
        if not starts:
            return
        starts.sort(key=lambda start: (start.dedupe_key or "", start.id))  # one order for all processes: no deadlocks
        self._run(statements.INSERT_RUNS, raw, [self._run_row(start) for start in starts if start.owner])
        queued = [start for start in starts if not start.owner]
        self._run(statements.INSERT_QUEUED_RUNS, raw, [self._queued_row(start) for start in queued])
        keyed = [
            (start.id, start.tenant, start.workflow, start.dedupe_key)
            for start in starts
            if start.dedupe_key is not None
        ]
        there = dict(self._run(statements.FIND_BY_KEY, raw, keyed))
        if any(start.singleton_key or start.debounce_key for start in queued):
            there |= KeyedStarts(raw, self._run, self._queued_row, self._stamp).settle(queued)
        for entry in entries:
            if entry.start is not None and there.get(entry.start.id, entry.start.id) != entry.start.id:
                entry.existing = RunId(there[entry.start.id])

    def _write(self, raw: Any, entries: Sequence[Entry]) -> None:
        steps, marks = {}, {}
        attempts, takings, lines = [], [], []
        stamp = self._stamp
        for entry in entries:
            run_id = entry.run_id
            if entry.step is not None:
                steps[run_id, entry.step.key] = self._step_row(run_id, entry.step)
            if entry.mark is not None:
                marks[run_id] = entry
            if entry.attempt is not None:
                a = entry.attempt
                times = stamp(a.started_at), stamp(a.finished_at)
                attempts.append((run_id, a.key, a.attempt_group, a.attempt, a.state.value, *times, a.error))
            if entry.taking is not None:
                takings.append((run_id, entry.taking.signal_id, entry.taking.step, entry.taking.refused))
            lines += [(run_id, it.seq, stamp(it.at), it.step, it.stream, it.text, it.fields) for it in entry.lines]
        self._run(statements.UPSERT_STEPS, raw, list(steps.values()))
        self._run(statements.MARK_RUNS, raw, [self._mark_row(entry) for entry in marks.values()])
        self._run(statements.INSERT_ATTEMPTS, raw, attempts)
        self._run(statements.TAKE_SIGNALS, raw, takings)
        self._run(statements.INSERT_LINES, raw, lines)

    def _wake(self, raw: Any, entries: Sequence[Entry], watched: set[str], applied: Applied, holding: set[str]) -> None:
        parents = {entry.parent_id for entry in entries if entry.parent_id is not None}
        parked = [entry for entry in entries if _is_parked(entry)]
        ready = {(parent,) for parent in parents} | self._find_ready(raw, parked)
        self._run(statements.QUEUE_WAITING, raw, sorted(ready))
        released = any(entry.mark and entry.mark.state == RunState.QUEUED for entry in entries)
        is_back = parked and self._run(statements.FIND_QUEUED, raw, [(entry.run_id,) for entry in parked])
        applied.queued = (
            bool(ready) or bool(is_back) or released or any(entry.start and not entry.start.owner for entry in entries)
        )
        applied.woken = parents
        if not self._is_sqlite:
            ended = {entry.run_id for entry in entries if entry.mark and entry.mark.state.is_final} & watched
            left = {entry.run_id for entry in entries if entry.mark and entry.mark.owner is None}
            is_looked_at = applied.queued or bool(left & holding)  # a place in a limited queue is free, for any process
            notes = [f"run {run_id}" for run_id in (*parents, *ended)] + (["queue"] if is_looked_at else [])
            if notes:
                raw.execute(_NOTIFY, [CHANNEL, notes])

    def _find_ready(self, raw: Any, parked: Sequence[Entry]) -> set[tuple[RunId]]:
        """Find parked runs whose signal or child came while they were being parked."""
        waits = {
            entry.run_id: orjson.loads(entry.mark.waits)
            for entry in parked
            if entry.mark is not None and entry.mark.waits
        }
        by_kind = {
            kind: [(run_id,) for run_id, those in waits.items() if any(wait["kind"] == kind for wait in those)]
            for kind in ("signal", "child")
        }
        ready = {(RunId(row[0]),) for row in self._run(statements.FIND_ENDED_CHILDREN, raw, by_kind["child"])}
        for run_id, name in self._run(statements.FIND_SIGNALLED, raw, by_kind["signal"]):
            if any(wait["kind"] == "signal" and wait["name"] == name for wait in waits[run_id]):
                ready.add((run_id,))
        return ready

    def _run_row(self, run: NewRun) -> tuple[Any, ...]:
        stamp = self._stamp
        is_ours = run.owner is not None
        created = stamp(run.created_at)
        return (
            run.id, run.tenant, run.workflow, run.version, run.fingerprint, "running" if is_ours else "queued",
            run.queue, run.priority, run.concurrency_key, run.dedupe_key, run.input, 1, run.is_dry_run, run.actor,
            run.service, run.parent_id, run.parent_key, run.on_cancel, run.owner, 1 if is_ours else 0, 0, 0, created,
            created if is_ours else None, stamp(run.wake_at), stamp(run.deadline), False,
        )  # fmt: skip

    def _queued_row(self, run: NewRun) -> tuple[Any, ...]:
        by = run.id if run.debounce_key is not None else None
        return (*self._run_row(run), run.rank, run.schedule, run.singleton_key, run.debounce_key, by)

    def _step_row(self, run_id: RunId, step: Step) -> tuple[Any, ...]:
        stamp = self._stamp
        return (
            run_id, step.key, step.name, step.parent, step.kind.value, step.state.value, step.position, step.attempts,
            step.attempt_group, stamp(step.started_at), stamp(step.finished_at), stamp(step.wake_at), step.result,
            step.error, step.child, step.actor,
        )  # fmt: skip

    def _mark_row(self, entry: Entry) -> tuple[Any, ...]:
        stamp, mark = self._stamp, entry.mark
        assert mark is not None
        return (
            entry.run_id, mark.state.value, mark.owner, stamp(mark.started_at), stamp(mark.finished_at),
            stamp(mark.wake_at), mark.waits, mark.result, mark.error, mark.published,
        )  # fmt: skip


def _is_parked(entry: Entry) -> bool:
    return entry.mark is not None and entry.mark.owner is None and entry.mark.state == RunState.WAITING


def _find_refused(claims: dict[RunId, int], locked: dict[str, Any]) -> dict[str, Refusal]:
    """Give what is not there, has another epoch or has ended, as `statements.FIND_REFUSED` does."""
    refused: dict[str, Refusal] = {}
    for run_id, epoch in claims.items():
        _, found, state, *_ = locked.get(run_id, (run_id, None, None))
        if found != epoch or RunState(state).is_final:
            refused[run_id] = (epoch, found, state)
    return refused


def _refuse(entries: Sequence[Entry], refused: dict[str, Refusal]) -> None:
    for entry in entries:
        guard = entry.start.parent_id if entry.start is not None else entry.run_id
        row = refused.get(guard) if guard else None
        if row is None:
            continue
        asked, found, state = row
        # The end of a run that was written already: the commit went through, only its answer was lost.
        is_told_twice = entry.mark is not None and asked == found and state == entry.mark.state
        entry.is_refused = True
        if is_told_twice:
            entry.is_refused, entry.events, entry.mark, entry.step = False, (), None, None
