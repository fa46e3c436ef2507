"""What waiting runs cost: resident memory of 100,000 runs that wait for a signal, and how soon a restart is through.

The limit is 200 MB for 100,000; a restart must take runs over within one second. Run: python benchmarks/runs_waiting.py
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import re
import tempfile
import time
from pathlib import Path

from holdfast.kernel.clock import SystemClock
from holdfast.kernel.events import EventLog
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.runs import Run, RunFilter, Runs, RunState, workflow
from holdfast.kernel.sql import Database, migrate, open_sqlite

AT_ONCE = 500


@workflow("bench.waits", version=1)
async def waits(ctx: Run, number: int) -> int:
    answer: int = await ctx.signal("go", type=int)
    return number + answer


def resident_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmRSS:\s+(\d+)", status)
    return int(found[1]) / 1000 if found else 0.0


async def open_engine(file: Path) -> tuple[Database, Runs]:
    db = open_sqlite(file)
    await migrate(db, ["holdfast.kernel.events.migrations", "holdfast.kernel.runs.migrations"])
    runs = Runs(db, EventLog(db, SystemClock()), SystemClock())
    runs.register(waits)
    return db, runs


async def count_waiting(runs: Runs) -> int:
    found, cursor = 0, None
    while True:
        page = await runs.list(DEFAULT_TENANT, RunFilter(states=(RunState.WAITING,)), cursor=cursor, limit=1000)
        found += len(page.items)
        cursor = page.cursor
        if cursor is None:
            return found


async def measure(file: Path, count: int) -> None:
    db, runs = await open_engine(file)
    async with runs.running():
        before = resident_mb()
        started = time.perf_counter()
        first = None
        for base in range(0, count, AT_ONCE):
            handles = await asyncio.gather(*(runs.start(waits, n) for n in range(base, min(base + AT_ONCE, count))))
            first = first or handles[0]
        print(
            f"started {count:,} in {time.perf_counter() - started:.1f} s; at once {resident_mb() - before:.0f} MB more"
        )
        while await count_waiting(runs) < count:  # noqa: ASYNC110 -- asks the database, not a task
            await asyncio.sleep(0.5)
        gc.collect()
        print(f"{count:,} wait: {resident_mb() - before:.0f} MB more than before (limit 200)")
        assert first is not None
        asked = time.perf_counter()
        await runs.signal(first.id, "go", 1, actor="bench")
        await first.result(30)
        print(f"one of them, signalled, ends after {(time.perf_counter() - asked) * 1000:.1f} ms")
    await db.close()
    db, runs = await open_engine(file)
    started = time.perf_counter()
    async with runs.running():
        handle = await runs.start(waits, 1)
        await runs.signal(handle.id, "go", 1, actor="bench")
        await handle.result(30)
        took_s = time.perf_counter() - started
        print(f"a restart over them is through, with one more run ended, in {took_s:.2f} s (limit 1)")
    await db.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    chosen = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder) / "holdfast.db", chosen.count))


if __name__ == "__main__":
    main()
