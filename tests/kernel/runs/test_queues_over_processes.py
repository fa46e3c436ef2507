"""Two processes on one PostgreSQL: limits hold over both, every run is done, every instant starts once."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from fixtures.engines_of_runs import until
from holdfast.kernel.clock import SystemClock
from holdfast.kernel.events import EventLog
from holdfast.kernel.runs import Runs
from holdfast.kernel.sql import migrate, open_postgres
from kernel.runs.queue_process import QUEUE, register

SCRIPT = Path(__file__).with_name("queue_process.py")
RUNS = 120


@asynccontextmanager
async def process(url: str, name: str) -> AsyncIterator[None]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    pipe = asyncio.subprocess.PIPE
    started = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), url, name, stdin=pipe, stdout=pipe, env=environment
    )
    assert started.stdin is not None
    assert started.stdout is not None
    try:
        assert await asyncio.wait_for(started.stdout.readline(), 60) == b"ready\n"
        yield
    finally:
        started.stdin.close()
        await asyncio.wait_for(started.wait(), 60)


@pytest.mark.slow
async def test_two_processes_never_exceed_a_limit_and_start_each_instant_once(postgres_database_url):
    db, clock = open_postgres(postgres_database_url), SystemClock()
    await migrate(db, ["holdfast.kernel.events.migrations", "holdfast.kernel.runs.migrations"])
    table = text("CREATE TABLE marks (at bigserial, run text, key text, process text, step int)")
    await db.write(lambda tx: tx.execute(table))
    runs = Runs(db, EventLog(db, clock), clock)
    register(runs, db, "starts")
    async with AsyncExitStack() as stack:
        for name in ("one", "two"):
            await stack.enter_async_context(process(postgres_database_url, name))
        starts = [runs.start("work", f"k{n % 7}", concurrency_key=f"k{n % 7}") for n in range(RUNS)]
        await asyncio.gather(*starts)
        await until(lambda: count_done(db), 60)
    marks = await db.read(lambda tx: tx.execute(text("SELECT * FROM marks ORDER BY at")).all())
    check(marks)
    keys = await db.read(
        lambda tx: tx.execute(text("SELECT dedupe_key FROM runs WHERE workflow = 'tick'")).scalars().all()
    )
    assert len(keys) == len(set(keys)) >= 1
    await db.close()


async def count_done(db) -> bool:
    query = text("SELECT count(*) FROM runs WHERE workflow = 'work' AND state = 'succeeded'")
    return await db.read(lambda tx: tx.execute(query).scalar_one()) == RUNS


def check(marks) -> None:
    live: Counter[str] = Counter()
    for mark in marks:
        for name in ("all", f"key {mark.key}", f"process {mark.process}"):
            live[name] += mark.step
        assert live["all"] <= QUEUE.concurrency
        assert live[f"key {mark.key}"] <= QUEUE.per_key
        assert live[f"process {mark.process}"] <= QUEUE.per_worker
    assert len(marks) == 2 * RUNS
    assert {mark.process for mark in marks} == {"one", "two"}
