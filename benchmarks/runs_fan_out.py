"""A fan-out of 10,000 items: how fast it completes, and how long and how large the answers of its page are.

Run: python benchmarks/runs_fan_out.py
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path

from holdfast.kernel.clock import SystemClock
from holdfast.kernel.events import EventLog
from holdfast.kernel.runs import Run, Runs, workflow
from holdfast.kernel.sql import migrate, open_sqlite


async def add_one(number: int) -> int:
    return number + 1


@workflow("bench.fan_out", version=1)
async def fan_out(ctx: Run, count: int) -> int:
    return sum(await ctx.map("add", add_one, list(range(count)), concurrency=100))


async def measure(file: Path, count: int) -> None:
    db = open_sqlite(file)
    await migrate(db, ["holdfast.kernel.events.migrations", "holdfast.kernel.runs.migrations"])
    runs = Runs(db, EventLog(db, SystemClock()), SystemClock())
    runs.register(fan_out)
    async with runs.running():
        started = time.perf_counter()
        handle = await runs.start(fan_out, count)
        total = await handle.result(600)
        took_s = time.perf_counter() - started
        assert total == count * (count + 1) // 2
        print(f"{count:,} items in {took_s:.1f} s: {count / took_s:,.0f} items/s, each journalled")
        started = time.perf_counter()
        view = await runs.get(handle.id)
        steps = await runs.steps(handle.id, limit=200)
        print(
            f"its page: run ({view.state}) and first {len(steps.items)} steps in "
            f"{(time.perf_counter() - started) * 1000:.1f} ms"
        )
    await db.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    chosen = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder) / "holdfast.db", chosen.count))


if __name__ == "__main__":
    main()
