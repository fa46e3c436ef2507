"""Three-step durable runs: Holdfast beside DBOS and Procrastinate, each in a process of its own, one after the other.

Prints the median latency of runs started one after the other, and runs per second at concurrency 50. Every step of
Holdfast and of DBOS is journalled durably (SQLite: WAL with synchronous=FULL). Procrastinate has no steps: its job
calls the three functions with nothing in between, which favours it. Run: make bench BENCH=benchmarks/runs_vs_peers.py
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

POSTGRES: Final = os.environ.get("HOLDFAST_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
CONCURRENCY: Final = 50
ONE_BY_ONE: Final = 200
WARM_UP: Final = 50
CHILD_TIMEOUT_S: Final = 300

Call = Callable[[int], Awaitable[object]]


async def measure(call: Call, seconds: float) -> dict[str, float]:
    """Time `call` one after the other, then from 50 callers at once for some seconds."""
    for number in range(WARM_UP):
        await call(number)
    lone: list[float] = []
    for number in range(ONE_BY_ONE):
        started = time.perf_counter()
        await call(number)
        lone.append(time.perf_counter() - started)
    done, end = 0, time.perf_counter() + seconds

    async def keep_calling() -> None:
        nonlocal done
        while time.perf_counter() < end:
            await call(done)
            done += 1

    started = time.perf_counter()
    await asyncio.gather(*(keep_calling() for _ in range(CONCURRENCY)))
    return {
        "median_ms": statistics.median(lone) * 1000,
        "p99_ms": statistics.quantiles(lone, n=100)[98] * 1000,
        "per_second": done / (time.perf_counter() - started),
    }


def make_workflow() -> Any:
    from holdfast.kernel.runs import workflow  # noqa: PLC0415

    async def three_steps(ctx: Any, number: int) -> int:
        first = await ctx.step("first", add_one, number)
        second = await ctx.step("second", add_one, first)
        third: int = await ctx.step("third", add_one, second)
        return third

    return workflow("bench.three_steps", version=1)(three_steps)


async def add_one(number: int) -> int:
    return number + 1


async def run_holdfast(url: str, seconds: float) -> dict[str, float]:
    from holdfast.kernel.clock import SystemClock  # noqa: PLC0415 -- only the child of this engine pays for it
    from holdfast.kernel.events import EventLog  # noqa: PLC0415
    from holdfast.kernel.runs import Runs  # noqa: PLC0415
    from holdfast.kernel.sql import migrate, open_postgres, open_sqlite  # noqa: PLC0415

    three_steps = make_workflow()
    db = open_sqlite(Path(url) / "holdfast.db") if Path(url).is_absolute() else open_postgres(url)
    await migrate(db, ["holdfast.kernel.events.migrations", "holdfast.kernel.runs.migrations"])
    runs = Runs(db, EventLog(db, SystemClock()), SystemClock(), url="" if Path(url).is_absolute() else url)
    runs.register(three_steps)

    async def call(number: int) -> object:
        handle = await runs.start(three_steps, number)
        return await handle.result()

    async with runs.running():
        figures = await measure(call, seconds)
    await db.close()
    return figures


async def run_dbos(url: str, seconds: float) -> dict[str, float]:
    import sqlalchemy  # noqa: PLC0415
    from dbos import DBOS, DBOSConfig  # noqa: PLC0415

    def to_wal(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    config: DBOSConfig = {"name": "bench", "console_log_level": "ERROR", "log_level": "ERROR"}
    if Path(url).is_absolute():  # as it comes, DBOS leaves SQLite's rollback journal on, which is slower still
        engine = sqlalchemy.create_engine(f"sqlite:///{url}/dbos.db", connect_args={"timeout": 30})
        sqlalchemy.event.listen(engine, "connect", to_wal)
        config["system_database_engine"] = engine
    else:
        config["system_database_url"] = url
        config["sys_db_pool_size"] = CONCURRENCY
    DBOS(config=config)

    @DBOS.step()
    async def add_one(number: int) -> int:
        return number + 1

    @DBOS.workflow()
    async def three_steps(number: int) -> int:
        return await add_one(await add_one(await add_one(number)))

    DBOS.launch()
    try:
        return await measure(three_steps, seconds)
    finally:
        DBOS.destroy()


async def run_procrastinate(url: str, seconds: float) -> dict[str, float]:
    import procrastinate  # noqa: PLC0415

    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url, min_size=8, max_size=16))
    finished: dict[int, asyncio.Future[int]] = {}

    async def add_one(number: int) -> int:
        return number + 1

    @app.task(name="three_steps")
    async def three_steps(token: int, number: int) -> int:
        result = await add_one(await add_one(await add_one(number)))
        finished.pop(token).set_result(result)
        return result

    tokens = iter(range(1 << 30))

    async def call(number: int) -> object:
        token = next(tokens)
        done = finished[token] = asyncio.get_running_loop().create_future()
        await three_steps.defer_async(token=token, number=number)
        return await done

    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        # Its worker now and then misses a NOTIFY that comes while it puts a job away, and then waits for its next
        # poll, 5 s by default: the lone calls would measure that. A short poll favours it.
        worker = asyncio.create_task(
            app.run_worker_async(
                concurrency=CONCURRENCY, install_signal_handlers=False, fetch_job_polling_interval=0.05
            )
        )
        try:
            return await measure(call, seconds)
        finally:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)


ENGINES: Final = {
    "holdfast sqlite": (run_holdfast, "sqlite"),
    "dbos sqlite": (run_dbos, "sqlite"),
    "holdfast postgres": (run_holdfast, "postgres"),
    "dbos postgres": (run_dbos, "postgres"),
    "procrastinate postgres": (run_procrastinate, "postgres"),
}


def run_child(name: str, seconds: float) -> dict[str, float]:
    """Run one engine in a fresh process on a fresh database."""
    command = [sys.executable, __file__, "--engine", name, "--seconds", str(seconds), "--database"]
    if ENGINES[name][1] == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            return read_figures([*command, folder])
    database = f"bench_{uuid.uuid4().hex[:8]}"
    in_server(f"CREATE DATABASE {database}")
    try:
        return read_figures([*command, f"{POSTGRES.rsplit('/', 1)[0]}/{database}"])
    finally:
        in_server(f"DROP DATABASE {database} WITH (FORCE)")


def read_figures(command: list[str]) -> dict[str, float]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=CHILD_TIMEOUT_S, check=False)
    if done.returncode:
        sys.exit(f"{command} failed:\n{done.stderr[-2000:]}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def in_server(statement: str) -> None:
    import psycopg  # noqa: PLC0415

    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(statement.encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--engine", choices=ENGINES)
    parser.add_argument("--database", default="")
    chosen = parser.parse_args()
    if chosen.engine:
        run, _kind = ENGINES[chosen.engine]
        print(json.dumps(asyncio.run(run(chosen.database, chosen.seconds))))
        return
    print(f"three-step runs; load {os.getloadavg()[0]:.1f}")
    print(f"{'engine':24} {'median ms':>10} {'p99 ms':>8} {'runs/s at 50':>13} {'holdfast is':>12}")
    ours: dict[str, float] = {}
    for name, (_run, kind) in ENGINES.items():
        figures = run_child(name, chosen.seconds)
        ours.setdefault(kind, figures["per_second"])
        ratio = f"{ours[kind] / figures['per_second']:.1f} x" if not name.startswith("holdfast") else ""
        lone = f"{figures['median_ms']:10.2f} {figures['p99_ms']:8.2f}"
        print(f"{name:24} {lone} {figures['per_second']:13,.0f} {ratio:>12}")


if __name__ == "__main__":
    main()
