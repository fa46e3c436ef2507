"""Takes queued runs for a worker, never more than the queues allow, whatever other processes do at the same moment.

A queue without limits is one statement that passes over rows which others are taking (SKIP LOCKED). A limited queue is
claimed under the lock of its row in `run_queues`, so two processes never count at once; what runs is counted from the
runs themselves, so nothing leaks when a process dies. SQLite has one writer, which is the same lock for everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, TextClause, bindparam, text

from holdfast.kernel.runs.model import RunId
from holdfast.kernel.runs.queues import places, states
from holdfast.kernel.runs.queues.places import Claimant
from holdfast.kernel.runs.queues.queue import Queue
from holdfast.kernel.sql import UtcDateTime

# Walks the index from one queue to the next, so that it costs by queues, not by runs.
_BACKLOGS: Final = text(
    "WITH RECURSIVE backlogs(queue) AS ("
    " SELECT min(queue) FROM runs WHERE state = 'queued'"
    " UNION ALL"
    " SELECT (SELECT min(queue) FROM runs WHERE state = 'queued' AND runs.queue > backlogs.queue)"
    " FROM backlogs WHERE backlogs.queue IS NOT NULL)"
    " SELECT backlogs.queue AS queue,"
    " (SELECT min(rank) FROM runs WHERE state = 'queued' AND runs.queue = backlogs.queue) AS head"
    " FROM backlogs WHERE backlogs.queue IS NOT NULL ORDER BY 2, 1"
)

_TAKEN: Final = (
    "state = CASE WHEN cancel_at IS NULL THEN 'running' ELSE 'cancelling' END, owner = :worker, epoch = epoch + 1,"
    " started_at = COALESCE(started_at, :now), wake_at = NULL, rank = 0"
)
_GIVEN: Final = "runs.id AS id, runs.queue AS queue, runs.concurrency_key AS concurrency_key, runs.epoch AS epoch"


def _due(also: str) -> str:
    return (
        "SELECT id FROM runs WHERE state = 'queued' AND queue = :queue AND workflow IN :workflows"
        f" AND (wake_at IS NULL OR wake_at <= :now) {also} ORDER BY rank, id"
    )


def _typed(sql: str) -> TextClause:
    return text(sql).bindparams(bindparam("now", type_=UtcDateTime), bindparam("workflows", expanding=True))


def _take_free(also: str, lock: str) -> TextClause:
    return _typed(
        f"WITH picked(run_id) AS ({_due(also)} LIMIT :room {lock})"
        f" UPDATE runs SET {_TAKEN} FROM picked WHERE runs.id = picked.run_id RETURNING {_GIVEN}"
    )


_LOCKS: Final = {"sqlite": "", "postgresql": "FOR UPDATE SKIP LOCKED"}
_TAKE_FREE: Final = {
    (dialect, is_paused): _take_free(places.STARTED if is_paused else "", lock)
    for dialect, lock in _LOCKS.items()
    for is_paused in (False, True)
}
# A run that is passed over may be locked by somebody who only looks at it, signals it or awaits it: look again soon.
_IS_LEFT: Final = {
    is_paused: _typed(_due(places.STARTED if is_paused else "") + " LIMIT 1") for is_paused in (False, True)
}
_LOCKED: Final = timedelta(milliseconds=20)
_TAKE_PICKED: Final = text(
    f"UPDATE runs SET {_TAKEN}, holds_place = TRUE WHERE state = 'queued' AND id IN :ids RETURNING {_GIVEN}"
).bindparams(bindparam("now", type_=UtcDateTime), bindparam("ids", expanding=True))
_NEXT_DELAYED: Final = (
    text("SELECT min(wake_at) AS wake_at FROM runs WHERE state = 'queued' AND wake_at IS NOT NULL AND wake_at > :now")
    .bindparams(bindparam("now", type_=UtcDateTime))
    .columns(wake_at=UtcDateTime)
)


@dataclass(frozen=True, slots=True)
class Claim:
    """One run that is now the worker's."""

    run_id: RunId
    queue: str
    concurrency_key: str | None
    epoch: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a claim came to.

    Attributes:
        runs: in the order in which they should start.
        retry_at: when time alone (a delay, a rate) lets more start; None when only an end or a new run can.
        backlogs: the queues that still hold runs, as far as this claim could see.
        rulings: what people have said about which queue.
    """

    runs: tuple[Claim, ...] = ()
    retry_at: datetime | None = None
    backlogs: frozenset[str] = frozenset()
    rulings: Mapping[str, states.Ruling] = field(default_factory=dict)


@dataclass(slots=True)
class _Taking:
    tx: Connection
    worker: Claimant
    now: datetime
    paused: frozenset[str]
    taken: list[Claim] = field(default_factory=list)
    backlogs: set[str] = field(default_factory=set)
    moments: list[datetime] = field(default_factory=list)

    @property
    def room(self) -> int:
        return self.worker.room - len(self.taken)

    def add(self, rows: list[Any]) -> None:
        self.taken += [Claim(RunId(row.id), row.queue, row.concurrency_key, row.epoch) for row in rows]


def claim(tx: Connection, queues: Mapping[str, Queue], worker: Claimant, now: datetime) -> Claimed:
    """Make queued runs the worker's: running, epoch one higher; the queue that has waited longest goes first.

    From a paused queue only runs go on that have begun before.

    Args:
        tx: a write transaction.
        queues: those that this process serves, by name; runs in other queues are left to other processes.
        worker: who takes them.
        now: the worker's clock.
    """
    served = [queues[row.queue] for row in tx.execute(_BACKLOGS) if row.queue in queues]
    rulings = states.read_rulings(tx)
    if not served or not worker.workflows:
        return Claimed(rulings=rulings)
    paused = frozenset(name for name, ruling in rulings.items() if ruling.state is states.QueueState.PAUSED)
    taking = _Taking(tx, worker, now, paused)
    locked = states.lock(tx, sorted(queue.name for queue in served if queue.is_limited))
    for queue in served:
        if taking.room <= 0:
            taking.backlogs.add(queue.name)
        elif queue.is_limited:
            _take_limited(taking, queue, locked[queue.name])
        else:
            _take_unlimited(taking, queue)
    delayed = _next_delayed(tx, now)
    moments = [*taking.moments, *([delayed] if delayed else [])]
    backlogs = taking.backlogs | taking.paused
    return Claimed(tuple(taking.taken), min(moments, default=None), frozenset(backlogs), rulings)


def _take_unlimited(taking: _Taking, queue: Queue) -> None:
    room = taking.room
    is_paused = queue.name in taking.paused
    values = {"queue": queue.name, "now": taking.now, "workflows": taking.worker.workflows}
    statement = _TAKE_FREE[taking.tx.dialect.name, is_paused]
    rows = list(taking.tx.execute(statement, {**values, "room": room, "worker": taking.worker.id}))
    taking.add(sorted(rows, key=lambda row: str(row.id)))
    if len(rows) == room:
        taking.backlogs.add(queue.name)
    elif taking.tx.dialect.name == "postgresql" and taking.tx.execute(_IS_LEFT[is_paused], values).first() is not None:
        taking.moments.append(taking.now + _LOCKED)


def _take_limited(taking: _Taking, queue: Queue, memory: states.Memory) -> None:
    worker = replace(taking.worker, room=taking.room)
    is_paused = queue.name in taking.paused
    picked = places.pick(taking.tx, queue, memory, worker, taking.now, is_paused=is_paused)
    if picked.run_ids:
        values = {"ids": picked.run_ids, "now": taking.now, "worker": worker.id}
        order = {run_id: place for place, run_id in enumerate(picked.run_ids)}
        taking.add(sorted(taking.tx.execute(_TAKE_PICKED, values), key=lambda row: order[row.id]))
    if picked.memory != memory:
        states.remember(taking.tx, queue.name, picked.memory)
    if picked.retry_at is not None:
        taking.moments.append(picked.retry_at)
    if picked.has_more:
        taking.backlogs.add(queue.name)


def _next_delayed(tx: Connection, now: datetime) -> datetime | None:
    found: datetime | None = tx.execute(_NEXT_DELAYED, {"now": now}).scalar()
    return found
