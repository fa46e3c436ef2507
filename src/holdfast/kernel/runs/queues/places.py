"""Picks which queued runs of a limited queue may start now, oldest rank first. Reads only; the caller holds the lock.

A run that already holds its place (it slept, or its process died) goes on without asking for one. When the head of the
queue is full of runs whose keys are at their limit, the walk goes from key to key instead of through all of their runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, TextClause, bindparam, text

from holdfast.kernel.runs.queues.queue import NO_KEY, Queue
from holdfast.kernel.runs.queues.states import Memory
from holdfast.kernel.sql import UtcDateTime

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_WINDOW: Final = 200
_MOST_KEYS: Final = 2000

_HOLDING: Final = "holds_place AND state IN ('queued', 'running', 'waiting', 'cancelling') AND queue = :queue"
_AT_WORK: Final = "state IN ('running', 'cancelling')"
_DUE: Final = "(wake_at IS NULL OR wake_at <= :now)"
_CANDIDATE: Final = "id, concurrency_key, started_at IS NULL AS is_new"

_COUNT_HELD: Final = text(f"SELECT count(*) FROM runs WHERE {_HOLDING}")
_COUNT_WORKING: Final = text(f"SELECT count(*) FROM runs WHERE {_HOLDING} AND {_AT_WORK}")
_COUNT_MINE: Final = text(f"SELECT count(*) FROM runs WHERE {_HOLDING} AND {_AT_WORK} AND owner = :worker")
_COUNT_HELD_BY_KEY: Final = text(
    f"SELECT concurrency_key, count(*) AS held FROM runs WHERE {_HOLDING} AND concurrency_key IN :keys GROUP BY 1"
).bindparams(bindparam("keys", expanding=True))
_COUNT_WORKING_BY_KEY: Final = text(
    f"SELECT concurrency_key, count(*) AS held FROM runs WHERE {_HOLDING} AND {_AT_WORK}"
    " AND concurrency_key IN :keys GROUP BY 1"
).bindparams(bindparam("keys", expanding=True))
_CLAIMABLE: Final = "state = 'queued' AND queue = :queue AND workflow IN :workflows"
_IN_LINE: Final = "(:is_freeing OR NOT holds_place) ORDER BY rank, id LIMIT :room"

# A run that has begun before stands at the head of the line; a new one's rank is a moment, far from 0.
STARTED: Final = "AND rank = 0 AND started_at IS NOT NULL"


def _by_dialect(sql: str, index: str) -> dict[str, TextClause]:
    """Name the index to SQLite, which otherwise prefers one that saves it the sorting of a few rows."""
    hints = {"sqlite": f"INDEXED BY {index}", "postgresql": ""}
    return {
        dialect: text(sql.replace("FROM runs", f"FROM runs {hint}")).bindparams(
            bindparam("now", type_=UtcDateTime), bindparam("workflows", expanding=True)
        )
        for dialect, hint in hints.items()
    }


_RETURNING: Final = _by_dialect(
    f"SELECT id FROM runs WHERE {_HOLDING} AND state = 'queued' AND workflow IN :workflows AND {_DUE}"
    " ORDER BY rank, id LIMIT :room",
    "runs_holding",
)
_HEAD: Final = _by_dialect(f"SELECT {_CANDIDATE} FROM runs WHERE {_CLAIMABLE} AND {_DUE} AND {_IN_LINE}", "runs_queued")
_STARTED: Final = _by_dialect(
    f"SELECT {_CANDIDATE} FROM runs WHERE {_CLAIMABLE} {STARTED} AND {_DUE} AND {_IN_LINE}", "runs_queued"
)
_OF_KEY: Final = _by_dialect(
    f"SELECT {_CANDIDATE} FROM runs WHERE {_CLAIMABLE} AND concurrency_key IS NOT NULL AND concurrency_key = :key"
    f" AND {_DUE} AND {_IN_LINE}",
    "runs_queued_by_key",
)
_KEYED: Final = "runs.state = 'queued' AND runs.queue = :queue AND runs.concurrency_key IS NOT NULL"
_KEYS: Final = text(
    "WITH RECURSIVE walk(key) AS ("
    f" SELECT (SELECT min(concurrency_key) FROM runs WHERE {_KEYED} AND runs.concurrency_key > :after_key)"
    " UNION ALL"
    f" SELECT (SELECT min(concurrency_key) FROM runs WHERE {_KEYED} AND runs.concurrency_key > walk.key)"
    " FROM walk WHERE walk.key IS NOT NULL)"
    f" SELECT walk.key AS key, (SELECT min(rank) FROM runs WHERE {_KEYED} AND runs.concurrency_key = walk.key) AS head"
    " FROM walk WHERE walk.key IS NOT NULL LIMIT :most"
)


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who claims: the id that becomes the owner, the workflows that it can run, and how many more runs it takes."""

    id: str
    workflows: tuple[str, ...]
    room: int


@dataclass(frozen=True, slots=True)
class Picked:
    """Which runs may start, what the limits must remember then, and when time alone lets more start."""

    run_ids: list[str]
    memory: Memory
    retry_at: datetime | None
    has_more: bool


@dataclass(slots=True)
class _Picking:
    tx: Connection
    queue: Queue
    worker: Claimant
    now: datetime
    room: int
    new_room: int | None
    run_ids: list[str] = field(default_factory=list)
    held: dict[str, int] = field(default_factory=dict)
    new: int = 0
    is_rate_spent: bool = False
    has_passed_over: bool = False

    @property
    def left(self) -> int:
        return self.room - len(self.run_ids)

    def load_held(self, keys: Iterable[str | None]) -> None:
        """Count what the keys that are not yet known hold."""
        unknown = sorted({key for key in keys if key} - self.held.keys())
        if not unknown or self.queue.per_key is None:
            return
        counting = _COUNT_WORKING_BY_KEY if self.queue.while_waiting == "frees" else _COUNT_HELD_BY_KEY
        rows = self.tx.execute(counting, {"queue": self.queue.name, "keys": unknown})
        self.held |= dict.fromkeys(unknown, 0) | {row.concurrency_key: row.held for row in rows}

    def has_key_room(self, key: str | None) -> bool:
        per_key = self.queue.per_key
        return not key or per_key is None or self.held[key] < per_key

    def find(self, statement: Mapping[str, TextClause], room: int, key: str = "") -> Sequence[Any]:
        is_freeing = self.queue.while_waiting == "frees"
        values = {"queue": self.queue.name, "now": self.now, "is_freeing": is_freeing, "room": room, "key": key}
        values |= {"workflows": self.worker.workflows}
        return self.tx.execute(statement[self.tx.dialect.name], values).all()

    def consider(self, rows: Iterable[Any]) -> None:
        """Pick those rows, in their order, that every limit lets through."""
        for row in rows:
            if self.left <= 0:
                return
            if row.is_new and self.new_room is not None and self.new >= self.new_room:
                self.is_rate_spent = True
            elif not self.has_key_room(row.concurrency_key):
                self.has_passed_over = True
            elif row.id not in self.run_ids:
                self.run_ids.append(row.id)
                self.new += bool(row.is_new)
                if row.concurrency_key in self.held:
                    self.held[row.concurrency_key] += 1


def pick(tx: Connection, queue: Queue, memory: Memory, worker: Claimant, now: datetime, *, is_paused: bool) -> Picked:
    """Pick runs of `queue` for `worker`, in the order of their start; while it is paused, only those begun before."""
    now_us = (now - _EPOCH) // _MICROSECOND
    room = worker.room
    if queue.per_worker is not None:
        mine = tx.execute(_COUNT_MINE, {"queue": queue.name, "worker": worker.id}).scalar_one()
        room = min(room, queue.per_worker - mine)
    returning = _find_returning(tx, queue, replace(worker, room=room), now)
    new_room = queue.starts.room(memory.starts, now_us) if queue.starts else None
    places = min(room - len(returning), _free_places(tx, queue))
    picking = _Picking(tx, queue, worker, now, places, new_room)
    if picking.room > 0:
        memory = _fill_paused(picking, memory) if is_paused else _fill(picking, memory)
    if queue.starts and picking.new:
        memory = replace(memory, starts=queue.starts.record(memory.starts, now_us, picking.new))
    retry_at = None
    if queue.starts and picking.is_rate_spent:
        retry_at = _EPOCH + queue.starts.free_at(memory.starts, now_us) * _MICROSECOND
    run_ids = returning + picking.run_ids
    has_more = picking.left <= 0 or picking.is_rate_spent or picking.has_passed_over
    return Picked(run_ids, memory, retry_at, has_more)


def _find_returning(tx: Connection, queue: Queue, worker: Claimant, now: datetime) -> list[str]:
    if queue.while_waiting == "frees" or worker.room <= 0:
        return []
    values = {"queue": queue.name, "now": now, "room": worker.room, "workflows": worker.workflows}
    return [row.id for row in tx.execute(_RETURNING[tx.dialect.name], values)]


def _free_places(tx: Connection, queue: Queue) -> int:
    if queue.concurrency is None:
        return _WINDOW * 100
    counting = _COUNT_WORKING if queue.while_waiting == "frees" else _COUNT_HELD
    return int(queue.concurrency - tx.execute(counting, {"queue": queue.name}).scalar_one())


def _fill_paused(picking: _Picking, memory: Memory) -> Memory:
    rows = picking.find(_STARTED, picking.room)
    picking.load_held(row.concurrency_key for row in rows)
    picking.consider(rows)
    return memory


def _fill(picking: _Picking, memory: Memory) -> Memory:
    window = max(_WINDOW, picking.room)
    rows = picking.find(_HEAD, window)
    picking.load_held(row.concurrency_key for row in rows)
    picking.consider(rows)
    if picking.queue.per_key is None or picking.left <= 0 or picking.is_rate_spent or len(rows) < window:
        return memory
    picking.consider(picking.find(_OF_KEY, picking.left, NO_KEY))
    return _walk_keys(picking, memory)


def _walk_keys(picking: _Picking, memory: Memory) -> Memory:
    """Go from key to key, the one that has waited longest first, and give each what its limit leaves it."""
    values = {"queue": picking.queue.name, "after_key": memory.after_key, "most": _MOST_KEYS}
    found = picking.tx.execute(_KEYS, values).all()
    picking.load_held(row.key for row in found)
    for row in sorted(found, key=lambda row: (row.head, row.key)):
        if picking.left <= 0:
            break
        if picking.has_key_room(row.key):
            picking.consider(picking.find(_OF_KEY, picking.left, row.key))
    return replace(memory, after_key=found[-1].key if len(found) == _MOST_KEYS else "")
