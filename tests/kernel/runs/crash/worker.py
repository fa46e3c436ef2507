"""One process of the trial: an engine that starts runs of every kind until it is killed, or finishes what is left.

It is forked from a parent that has imported everything and opened nothing, so that it lives within milliseconds.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import mmap
import os
import signal
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from holdfast.kernel.clock import SystemClock
from holdfast.kernel.errors import ConflictError, HoldfastError
from holdfast.kernel.events import EventLog
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.runs import RunFilter, Runs, RunsSettings, RunState, RunView
from holdfast.kernel.sql import Database, open_postgres, open_sqlite
from kernel.runs.crash.ledger import Ledger
from kernel.runs.crash.workload import KINDS, WORKFLOWS

IN_FLIGHT = 8
PATIENCE_S = 60
UNFINISHED = (RunState.QUEUED, RunState.RUNNING, RunState.WAITING, RunState.CANCELLING, RunState.STRANDED)


class SharedClock(SystemClock):
    """The machine's clock moved by seconds that all processes of the trial share and the parent changes."""

    def __init__(self, offset: mmap.mmap) -> None:
        self._offset = offset

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=struct.unpack("d", self._offset[:8])[0])


@dataclass(frozen=True, slots=True)
class Trial:
    """What all processes of a trial share."""

    folder: Path
    postgres_url: str
    offset: mmap.mmap
    lease_s: float = 2.0
    kill_at: int = 0

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.folder / "ledger.jsonl")

    def open(self) -> Database:
        return open_postgres(self.postgres_url) if self.postgres_url else open_sqlite(self.folder / "holdfast.db")


@asynccontextmanager
async def running(trial: Trial) -> AsyncIterator[Runs]:
    """Run an engine with the trial's workflows."""
    db = trial.open()
    points = itertools.count(1)

    def die_when_due(_point: str) -> None:
        if next(points) == trial.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    clock = SharedClock(trial.offset)
    settings = RunsSettings(lease=trial.lease_s, heartbeat=trial.lease_s / 4, park_after=0.01, recovery_limit=1000)
    runs = Runs(db, EventLog(db, clock), clock, settings, url=trial.postgres_url, fault_point=die_when_due)
    for workflow in WORKFLOWS.values():
        runs.register(workflow)
    async with runs.running():
        yield runs
    await db.close()


async def serve(trial: Trial, ready: int) -> None:
    """Start runs without end, a bounded number at a time."""
    async with running(trial) as runs:
        os.write(ready, b"1")
        room = asyncio.Semaphore(IN_FLIGHT)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(answer(runs))
            for number in itertools.count():
                await room.acquire()
                kind = KINDS[(number + os.getpid()) % len(KINDS)]
                task = tasks.create_task(start_one(trial, runs, kind, f"{kind}-{os.getpid()}-{number}"))
                task.add_done_callback(lambda _task: room.release())


async def serve_once(trial: Trial, ready: int) -> None:
    """Start one run of each kind and see them end; `kill_at` cuts it short at that commit's edge."""
    os.write(ready, b"1")
    async with running(trial) as runs, asyncio.TaskGroup() as tasks:
        answering = tasks.create_task(answer(runs))
        starts = [start_one(trial, runs, kind, f"{kind}-{os.getpid()}-{trial.kill_at}") for kind in KINDS]
        await asyncio.gather(*starts)
        answering.cancel()


async def start_one(trial: Trial, runs: Runs, kind: str, key: str) -> None:
    """Start one run, note the acknowledgement, and wait for the end."""
    handle = await runs.start(f"crash.{kind}", str(trial.ledger.file), key=key)
    trial.ledger.record("started", key=key, run=str(handle.id))
    try:
        await handle.result(60)
    except HoldfastError:
        return  # a saga fails, and another process may have taken the run over


async def answer(runs: Runs) -> None:
    """Send each run that asks what it waits for, once, again and again."""
    while True:
        for run in await every_run(runs, RunFilter(workflow="crash.asked", states=UNFINISHED)):
            with suppress(ConflictError):  # it has ended meanwhile
                await runs.signal(run.id, "go", True, actor="trial", key="go")
        await asyncio.sleep(0.02)


async def every_run(runs: Runs, chosen: RunFilter) -> list[RunView]:
    found: list[RunView] = []
    cursor: str | None = None
    while True:
        page = await runs.list(DEFAULT_TENANT, chosen, cursor=cursor, limit=500)
        found += page.items
        cursor = page.cursor
        if cursor is None:
            return found


async def finish(trial: Trial, ready: int) -> None:
    """Finish every run, then write down how each ended."""
    async with running(trial) as runs:
        answering = asyncio.create_task(answer(runs))
        os.write(ready, b"1")
        deadline = time.monotonic() + PATIENCE_S
        while left := await every_run(runs, RunFilter(states=UNFINISHED)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(left)} runs are unfinished, such as {left[:5]}")
            await asyncio.sleep(0.05)
        answering.cancel()
        ended = {
            str(run.id): {"key": run.key or "", "state": str(run.state), "nonces": run.result or {}}
            for run in await every_run(runs, RunFilter())
        }
    (trial.folder / "ended.json").write_text(json.dumps(ended), encoding="utf-8")
