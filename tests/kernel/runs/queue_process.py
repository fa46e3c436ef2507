"""A worker process for tests: serves a limited queue and a schedule, and writes down who was at work when."""

from __future__ import annotations

import asyncio
import sys

from sqlalchemy import text

from holdfast.kernel.clock import SystemClock
from holdfast.kernel.events import EventLog
from holdfast.kernel.runs import Run, Runs, workflow
from holdfast.kernel.runs.queues import Queue
from holdfast.kernel.runs.schedules import Schedule
from holdfast.kernel.sql import Database, open_postgres

QUEUE = Queue("hosts", concurrency=5, per_key=2, per_worker=4)
MARK = text("INSERT INTO marks (run, key, process, step) VALUES (:run, :key, :process, :step)")


def register(runs: Runs, db: Database, process: str) -> None:
    """Declare what the processes share."""

    async def mark(ctx: Run, key: str, step: int) -> None:
        values = {"run": ctx.run_id, "key": key, "process": process, "step": step}
        await db.write(lambda tx: tx.execute(MARK, values))

    @workflow("work", queue="hosts")
    async def work(ctx: Run, key: str) -> None:
        await mark(ctx, key, 1)
        await asyncio.sleep(0.005)
        await mark(ctx, key, -1)

    @workflow("tick")
    async def tick(ctx: Run) -> None:
        return None

    runs.register(work, tick)
    runs.queue(QUEUE)
    runs.schedule(Schedule("tick", "tick", every="1s", overlap="allow"))


async def main(url: str, process: str) -> None:
    """Serve until the input ends."""
    db, clock = open_postgres(url), SystemClock()
    runs = Runs(db, EventLog(db, clock), clock, url=url)
    register(runs, db, process)
    async with runs.running():
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
    await db.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
