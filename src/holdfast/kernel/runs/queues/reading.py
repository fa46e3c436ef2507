"""How full the queues are: read from indexes alone, so that a hundred thousand waiting runs cost milliseconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, bindparam, text

from holdfast.kernel.runs.queues import states
from holdfast.kernel.runs.queues.queue import Queue
from holdfast.kernel.runs.queues.states import Ruling
from holdfast.kernel.sql import UtcDateTime

# Ids sort by creation, so the smallest one tells the longest wait without a look at any row.
_DUE: Final = (
    text(
        "SELECT queue, count(*) AS queued,"
        " min(CASE WHEN wake_at IS NULL THEN id END) AS oldest_id, min(wake_at) AS oldest_due"
        " FROM runs WHERE state = 'queued' AND (wake_at IS NULL OR wake_at <= :now) GROUP BY queue"
    )
    .bindparams(bindparam("now", type_=UtcDateTime))
    .columns(oldest_due=UtcDateTime)
)
_DELAYED: Final = text(
    "SELECT queue, count(*) AS delayed FROM runs"
    " WHERE state = 'queued' AND wake_at IS NOT NULL AND wake_at > :now GROUP BY queue"
).bindparams(bindparam("now", type_=UtcDateTime))
_RUNNING: Final = text("SELECT queue, count(*) AS running FROM runs WHERE owner IS NOT NULL GROUP BY queue")
_DEPTH: Final = text(
    "SELECT count(*) FROM (SELECT 1 FROM runs WHERE state = 'queued' AND queue = :queue LIMIT :most) AS counted"
)


@dataclass(frozen=True, slots=True)
class QueueView:
    """A queue as it is shown.

    Attributes:
        queue: its limits; None when only other processes know it.
        ruling: whether people have paused it or drain it.
        queued: runs that wait and are due.
        delayed: runs that are not due yet.
        running: runs that some process has in memory.
        oldest_wait_s: how long the due run that came first has waited.
    """

    name: str
    queue: Queue | None
    ruling: Ruling
    queued: int = 0
    delayed: int = 0
    running: int = 0
    oldest_wait_s: float | None = None


def read_queues(tx: Connection, queues: Mapping[str, Queue], now: datetime) -> list[QueueView]:
    """Give every queue that is known here or holds runs, by name."""
    due = _by_queue(tx.execute(_DUE, {"now": now}))
    delayed = _by_queue(tx.execute(_DELAYED, {"now": now}))
    running = _by_queue(tx.execute(_RUNNING))
    rulings = states.read_rulings(tx)
    return [
        QueueView(
            name=name,
            queue=queues.get(name),
            ruling=rulings.get(name, Ruling()),
            queued=due[name].queued if name in due else 0,
            delayed=delayed[name].delayed if name in delayed else 0,
            running=running[name].running if name in running else 0,
            oldest_wait_s=_oldest_wait_s(due.get(name), now),
        )
        for name in sorted(queues.keys() | due.keys() | delayed.keys() | running.keys() | rulings.keys())
    ]


def count_queued(tx: Connection, queue: str, most: int) -> int:
    """Count the runs that wait in a queue, delayed ones too; no further than `most`."""
    return int(tx.execute(_DEPTH, {"queue": queue, "most": most}).scalar_one())


def _by_queue(found: Iterable[Any]) -> dict[str, Any]:
    return {row.queue: row for row in found}


def _oldest_wait_s(row: Any | None, now: datetime) -> float | None:
    if row is None:
        return None
    since: list[datetime] = [row.oldest_due] if row.oldest_due else []
    since += [_created(row.oldest_id)] if row.oldest_id else []
    return max(0.0, (now - min(since)).total_seconds())


def _created(run_id: str) -> datetime:
    """Give the moment in a UUIDv7 (RFC 9562, 5.7): its first 48 bits are milliseconds since 1970."""
    return datetime.fromtimestamp((UUID(run_id).int >> 80) / 1000, UTC)
