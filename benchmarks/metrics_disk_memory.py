"""What series and samples weigh as their number grows: memory per series, bytes per sample, restart to an answer.

For each number of series an own process appends ten scrapes of counters, asks for all series of a metric once and says
what it took; a second process opens the same folder and asks an instant query. Samples of ten scrapes pack worse than
those of a day: `metrics_vs_prometheus.py` has the day. Run: python benchmarks/metrics_disk_memory.py [10000 100000 ...]
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import Store, StoreSettings
from holdfast.telemetry import SCHEMA, Matcher, MatchOp, MetricSink, MetricSource
from holdfast.telemetry.metrics import MetricBrowser
from holdfast.telemetry.metrics.arrivals import Arrival
from holdfast.telemetry.metrics.browsing import Scope
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.selection import Selection

PER_METRIC = 1000
SCRAPES = 10
SCRAPE_MS = 15_000
BAR = 60
ONE = (Matcher("__name__", MatchOp.EQUAL, "metric_3"),)


def resident_bytes() -> int:
    """Give this process' resident memory."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


async def fill(folder: Path, count: int) -> None:
    """Append, and print memory per series in bytes and samples per second of processor time."""
    now_ms = int(time.time()) * 1000
    async with Store(StoreSettings(), folder=folder) as store:
        await store.register(SCHEMA)
        sink = MetricSink(store)
        source = MetricSource(store, feed=sink.feed)
        await store.trim()
        before, began = resident_bytes(), time.process_time()
        book = sink.book(DEFAULT_TENANT)
        refs = np.array(
            [
                book.ref(
                    labels_of(
                        {
                            "__name__": f"metric_{n // PER_METRIC}",
                            "instance": f"10.0.{n % 100}.7:9100",
                            "job": f"job{n % 10}",
                            "path": f"/a/b/{n % PER_METRIC}",
                            "code": str(200 + n % 5),
                        }
                    ),
                    origin=f"target{n % 100}",
                )
                for n in range(count)
            ]
        )
        rng = np.random.default_rng(1)
        values = np.zeros(count)
        for scrape in range(SCRAPES):
            values += rng.integers(0, 50, count)
            for part in np.array_split(np.arange(count), -(-count // 100_000)):
                ts_ms = np.full(len(part), now_ms - (SCRAPES - scrape) * SCRAPE_MS)
                await sink.append(DEFAULT_TENANT, Arrival(book.generation, refs[part], ts_ms, values[part]))
        rate = count * SCRAPES / (time.process_time() - began)
        await MetricBrowser(store, source.index).label_values(DEFAULT_TENANT, "job", Scope())
        await store.trim()
        print((resident_bytes() - before) // count, int(rate))


async def restart(folder: Path) -> None:
    """Open and answer, and print the seconds since this program began to work."""
    began = time.perf_counter()
    async with Store(StoreSettings(), folder=folder) as store:
        await store.register(SCHEMA)
        now_ms = int(time.time()) * 1000
        (found,) = await MetricSource(store, feed=MetricSink(store).feed).select(
            DEFAULT_TENANT, [Selection(ONE, now_ms - 3_600_000, now_ms)]
        )
        sql = "SELECT sum(bytes_on_disk) AS b, sumIf(rows, table = 'metric_points') AS n FROM system.parts "
        sql += "WHERE active AND {tenant:String} != ''"
        row = (await store.query(sql, tenant=DEFAULT_TENANT)).to_pylist()[0]
        assert len(found.labels) == PER_METRIC
        print(f"{time.perf_counter() - began:.2f} {row['b'] / row['n']:.2f}")


def measure(what: str, folder: Path, count: int) -> list[float]:
    """Give the numbers that another process prints."""
    command = [sys.executable, __file__, what, str(folder), str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [float(word) for word in done.stdout.split()]


def main() -> None:
    """Measure every size and draw memory per series."""
    counts = [int(word) for word in sys.argv[1:]] or [10_000, 100_000, 1_000_000]
    print(f"{'series':>9} {'bytes/series':>12} {'samples/cpu-s':>13} {'restart s':>9} {'disk bytes/sample':>17}")
    for count in counts:
        with tempfile.TemporaryDirectory(prefix="metrics-weight-") as name:
            weight, rate = measure("fill", Path(name) / "own", count)
            seconds, size = measure("restart", Path(name) / "own", count)
        bar = "#" * round(BAR * weight / 8192)
        print(f"{count:9,} {weight:12,.0f} {rate:13,.0f} {seconds:9.2f} {size:17.2f} {bar}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["fill"]:
        asyncio.run(fill(Path(sys.argv[2]), int(sys.argv[3])))
    elif sys.argv[1:2] == ["restart"]:
        asyncio.run(restart(Path(sys.argv[2])))
    else:
        main()
