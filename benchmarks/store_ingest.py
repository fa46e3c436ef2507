"""How fast the columnar store takes rows and what it weighs, on the embedded engine with fsync as by default.

Prints the resident memory of an open, idle store, rows per second through the writer for three sizes of write, the time
from a lone write to its acknowledgement, samples per second through the metric sink, and the time of a small query.
Run: python benchmarks/store_ingest.py
"""

from __future__ import annotations

import asyncio
import re
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from holdfast.kernel.errors import BusyError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import FLOAT64, TIME_MS, UINT64, Column, Schema, Store, StoreSettings, Table
from holdfast.telemetry import SCHEMA, MetricSink, MetricSource, Sample

POINTS = Table(
    "points",
    (
        Column("series_id", UINT64, "Delta(8), ZSTD"),
        Column("ts", TIME_MS, "DoubleDelta, ZSTD"),
        Column("value", FLOAT64, "Delta(8), ZSTD"),
    ),
    order_by=("series_id", "ts"),
    time="ts",
)
SECONDS = 3.0
SENDERS = 8


def resident_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmRSS:\s+(\d+)", status)
    return int(found[1]) / 1000 if found else 0.0


def arrow_batch(rows: int) -> Any:
    import pyarrow as pa  # noqa: PLC0415 -- after the store is open, as in the server

    now = datetime.now(UTC)
    times = pa.array([now] * rows, pa.timestamp("ms", "UTC"))
    columns = [pa.array(range(rows), pa.uint64()), times, pa.array([float(n) for n in range(rows)])]
    return pa.RecordBatch.from_arrays(columns, names=["series_id", "ts", "value"])


async def rows_per_second(store: Store, rows: int) -> float:
    writer, batch, done = store.writer(POINTS), arrow_batch(rows), 0
    waiting: set[asyncio.Future[None]] = set()
    started = time.perf_counter()
    while time.perf_counter() - started < SECONDS:
        try:
            answer = writer.write(batch, tenant=DEFAULT_TENANT)
        except BusyError:
            finished, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            done += rows * len(finished)
            continue
        waiting.add(answer)
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    return (done + rows * len(waiting)) / (time.perf_counter() - started)


async def milliseconds(work: Callable[[], Awaitable[object]], times: int) -> tuple[float, float]:
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        await work()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken), max(taken)


async def samples_per_second(sink: MetricSink, series: int) -> float:
    labels = [{"instance": f"host-{number}", "job": "node"} for number in range(series)]
    now = datetime.now(UTC)
    scrapes = [
        [Sample("node_load1", label, now + timedelta(seconds=lane), 1.0) for label in labels] for lane in range(SENDERS)
    ]
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < SECONDS:
        await asyncio.gather(*(sink.write(DEFAULT_TENANT, samples) for samples in scrapes))
        done += series * SENDERS
    return done / (time.perf_counter() - started)


def bare_rows_per_second(folder: str, rows: int) -> float:
    import clickhouse_connect  # noqa: PLC0415 -- after the store has kept pandas away
    import pyarrow as pa  # noqa: PLC0415

    client = clickhouse_connect.get_client(interface="chdb", path=folder)
    client.command("CREATE TABLE bare (series_id UInt64, ts DateTime64(3), value Float64) ENGINE MergeTree ORDER BY ts")
    table, done, started = pa.Table.from_batches([arrow_batch(rows)]), 0, time.perf_counter()
    while time.perf_counter() - started < SECONDS:
        client.insert_arrow("bare", table)
        done += rows
    client.close()
    return done / (time.perf_counter() - started)


async def main() -> None:
    before = resident_mb()
    with tempfile.TemporaryDirectory() as folder:
        store = Store(StoreSettings(), folder=Path(folder))
        await store.register(SCHEMA, Schema("bench", (POINTS,)))
        started = time.perf_counter()
        await store.open()
        opened_s = time.perf_counter() - started
        await asyncio.sleep(2)
        print(f"open                        {opened_s:8.2f} s")
        print(f"resident, store open, idle  {resident_mb():8.0f} MB ({before:.0f} MB before)")
        one = arrow_batch(1)
        lone = await milliseconds(lambda: store.writer(POINTS).write(one, tenant=DEFAULT_TENANT), 20)
        print(f"a lone write, acknowledged  {lone[0]:8.1f} ms median, {lone[1]:.1f} ms most (linger 100 ms)")
        for rows in (1, 100, 10_000):
            print(f"writes of {rows:>6} rows       {await rows_per_second(store, rows):10,.0f} rows/s")
        bare = await asyncio.to_thread(bare_rows_per_second, folder, 10_000)
        print(f"bare insert_arrow of 10,000 {bare:10,.0f} rows/s, one client, no fsync, no acknowledgement per write")
        sink, source = MetricSink(store), MetricSource(store)
        print(f"metric sink, 10,000 series  {await samples_per_second(sink, 10_000):10,.0f} samples/s")
        latest = await milliseconds(lambda: source.latest(DEFAULT_TENANT, "node_load1", lookback=timedelta(days=1)), 5)
        print(f"latest of 10,000 series     {latest[0]:8.1f} ms median")
        sql = "SELECT max(value) FROM points WHERE tenant = {tenant:String} AND series_id = 7"
        small = await milliseconds(lambda: store.query(sql, tenant=DEFAULT_TENANT), 50)
        print(f"a small query               {small[0]:8.1f} ms median, {small[1]:.1f} ms most")
        await store.trim()
        await asyncio.sleep(3)
        print(f"resident after all this     {resident_mb():8.0f} MB")
        await sink.close()
        await store.close()


if __name__ == "__main__":
    asyncio.run(main())
