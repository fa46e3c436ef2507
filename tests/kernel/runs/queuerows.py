"""Runs as bare rows, for tests of what claims them without an engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import insert, select, update

from holdfast.kernel.ids import new_id
from holdfast.kernel.runs.queues import Claimant, Queue, claim
from holdfast.kernel.runs.tables import RUNS
from holdfast.kernel.sql import Database

START = datetime(2026, 1, 1, tzinfo=UTC)


def row(queue: Queue, at: datetime = START, *, key: str | None = None, priority: int = 0, delay_s: float = 0, **more):
    due = at + timedelta(seconds=delay_s)
    return {
        "id": new_id(), "tenant": "default", "workflow": "w", "version": 1, "fingerprint": "f", "state": "queued",
        "queue": queue.name, "priority": priority, "concurrency_key": queue.key(key), "attempt_group": 1,
        "is_dry_run": False, "actor": "system", "epoch": 0, "recoveries": 0, "recovered_steps": 0,
        "created_at": at, "is_watched": False,
        "wake_at": due if delay_s else None, "rank": queue.rank(due, priority), **more,
    }  # fmt: skip


async def enqueue(db: Database, *rows) -> list[str]:
    await db.write(lambda tx: tx.execute(insert(RUNS), list(rows)))
    return [one["id"] for one in rows]


async def take(db: Database, *queues: Queue, worker: str = "one", room: int = 100, at: datetime = START):
    served = {queue.name: queue for queue in queues}
    return await db.write(lambda tx: claim(tx, served, Claimant(worker, ("w",), room), at))


async def ids(db: Database, *queues: Queue, **how) -> list[str]:
    return [one.run_id for one in (await take(db, *queues, **how)).runs]


async def set_state(db: Database, run_id: str, state: str, **more) -> None:
    change = update(RUNS).where(RUNS.c.id == run_id).values(state=state, owner=None, **more)
    await db.write(lambda tx: tx.execute(change))


async def states(db: Database) -> dict[str, str]:
    return await db.read(lambda tx: {one.id: one.state for one in tx.execute(select(RUNS.c.id, RUNS.c.state))})
