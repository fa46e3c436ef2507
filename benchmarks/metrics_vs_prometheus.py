"""PromQL over the same samples, by Holdfast and by the Prometheus on the PATH: 1,000 counters over 24 h at 15 s.

Holdfast is asked in process, Prometheus over HTTP on loopback, so its figures hold the writing of JSON, which counts
for `rate(m[5m])` alone (1.4 M points). Cold is the first query after a start (the files are in the kernel's page
cache), warm the best of the following ones. Prints seconds and ratios.
Run: python benchmarks/metrics_vs_prometheus.py [--series 1000] [--hours 24]
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import Store, StoreSettings
from holdfast.telemetry import SCHEMA, MetricSink, MetricSource
from holdfast.telemetry.metrics import MetricBrowser
from holdfast.telemetry.metrics.arrivals import Arrival
from holdfast.telemetry.metrics.browsing import Scope
from holdfast.telemetry.metrics.labels import Labels, labels_of
from holdfast.telemetry.metrics.promql.engine import Engine

SCRAPE_S = 15
STEP_S = 60
WARM = 5
RANGES = {
    "sum by (job) (rate(m[5m]))": "sum by (job) (rate(m[5m]))",
    "rate(m[5m])": "rate(m[5m])",
    "max_over_time(m{job='job3'}[1h])": 'max_over_time(m{job="job3"}[1h])',
    "quantile(0.9, rate(m[5m]))": "quantile(0.9, rate(m[5m]))",
    "m{instance='...'} (raw)": 'm{instance="10.0.0.7:9100"}',
    "count(m)": "count(m)",
}
INSTANTS = {"instant sum(rate(m[5m]))": "sum(rate(m[5m]))", "instant m{job='job3'}": 'm{job="job3"}'}


class Data:
    """The samples: counters with steps of 0 to 49, ten targets of 100 series each and ten jobs."""

    def __init__(self, series: int, hours: float) -> None:
        count = int(hours * 3600 / SCRAPE_S)
        # The peer makes blocks of two hours; both end well before now.
        self.end_s = int(time.time()) // 7200 * 7200 - 7200
        self.times_s = self.end_s - SCRAPE_S * np.arange(count)[::-1]
        rng = np.random.default_rng(4)
        self.values = np.cumsum(rng.integers(0, 50, (count, series)), axis=0).astype(np.float64)
        self.labels: list[Labels] = [
            labels_of({"__name__": "m", "job": f"job{n % 10}", "instance": f"10.0.0.{n // 100}:9100", "number": str(n)})
            for n in range(series)
        ]

    def write_open_metrics(self, file: Path) -> None:
        """Write the text that promtool makes blocks of."""
        with file.open("w", encoding="ascii") as out:
            out.write("# TYPE m unknown\n")
            for number, labels in enumerate(self.labels):
                named = ",".join(f'{name}="{value}"' for name, value in labels if name != "__name__")
                values = self.values[:, number].tolist()
                out.writelines(
                    f"m{{{named}}} {value:.0f} {at}\n" for at, value in zip(self.times_s.tolist(), values, strict=True)
                )
            out.write("# EOF\n")


async def fill(store: Store, data: Data) -> None:
    """Append the data as scrapes would; one arrival holds some scrapes of all targets."""
    sink = MetricSink(store)
    book = sink.book(DEFAULT_TENANT)
    refs = np.array([book.ref(labels, origin="bench") for labels in data.labels])
    for begin in range(0, len(data.times_s), 48):
        times = data.times_s[begin : begin + 48] * 1000
        values = data.values[begin : begin + 48].ravel()
        ts_ms = np.repeat(times, len(refs))
        await sink.append(DEFAULT_TENANT, Arrival(book.generation, np.tile(refs, len(times)), ts_ms, values))


@contextmanager
def prometheus(folder: Path) -> Iterator[httpx.Client]:
    """Run the peer over a folder of blocks."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "prometheus.yml"
    config.write_text("{}\n", encoding="ascii")
    command = [
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=10y",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command) as process, httpx.Client(base_url=url, timeout=120) as client:
        try:
            wait_for(client)
            yield client
        finally:
            process.terminate()


def wait_for(client: httpx.Client) -> None:
    """Wait until the peer answers."""
    for _ in range(600):
        try:
            if client.get("/-/ready").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise RuntimeError("the peer does not start")


def measure_peer(folder: Path, data: Data) -> dict[str, tuple[float, float]]:
    """Give cold and warm seconds by query; the peer is started anew for each."""
    found = {}
    for name, (path, params) in peer_requests(data).items():
        with prometheus(folder) as client:
            times = []
            for _ in range(WARM + 1):
                began = time.perf_counter()
                client.get(path, params=params).raise_for_status()
                times.append(time.perf_counter() - began)
            found[name] = times[0], min(times[1:])
    return found


def peer_requests(data: Data) -> dict[str, tuple[str, dict[str, Any]]]:
    """Give the requests by the query's name."""
    span = {"start": int(data.times_s[0]), "end": data.end_s, "step": STEP_S}
    return {
        **{name: ("/api/v1/query_range", {"query": query, **span}) for name, query in RANGES.items()},
        **{name: ("/api/v1/query", {"query": query, "time": data.end_s}) for name, query in INSTANTS.items()},
        "label_values(instance)": ("/api/v1/label/instance/values", {"start": span["start"], "end": span["end"]}),
    }


async def measure_own(store: Store, data: Data) -> dict[str, tuple[float, float]]:
    """Give cold and warm seconds by query; what is remembered is thrown away before each."""
    start_ms, end_ms = int(data.times_s[0]) * 1000, data.end_s * 1000
    sink = MetricSink(store)
    found = {}

    async def measure(name: str, ask: Callable[[Engine, MetricBrowser], Awaitable[object]]) -> None:
        source = MetricSource(store, feed=sink.feed)
        engine, browser = Engine(source), MetricBrowser(store, source.index)
        times = []
        for _ in range(WARM + 1):
            began = time.perf_counter()
            await ask(engine, browser)
            times.append(time.perf_counter() - began)
        found[name] = times[0], min(times[1:])

    for name, query in RANGES.items():
        await measure(name, lambda engine, _, q=query: engine.range(DEFAULT_TENANT, q, start_ms, end_ms, STEP_S * 1000))
    for name, query in INSTANTS.items():
        await measure(name, lambda engine, _, q=query: engine.instant(DEFAULT_TENANT, q, end_ms))
    scope = Scope((), start_ms, end_ms)
    await measure("label_values(instance)", lambda _, browser: browser.label_values(DEFAULT_TENANT, "instance", scope))
    return found


async def main() -> None:
    """Fill both, ask both, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--hours", type=float, default=24)
    options = parser.parse_args()
    data = Data(options.series, options.hours)
    with tempfile.TemporaryDirectory(prefix="metrics-bench-") as name:
        folder = Path(name)
        data.write_open_metrics(folder / "dump.txt")
        made = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "-q", folder / "dump.txt", folder / "data"]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL)  # noqa: ASYNC221 -- nothing else goes on
        (folder / "dump.txt").unlink()
        async with Store(StoreSettings(), folder=folder / "own") as store:
            await store.register(SCHEMA)
            await fill(store, data)
            own = await measure_own(store, data)
        peer = measure_peer(folder, data)
    print(f"{options.series} series, {data.values.size:,} samples; seconds (cold, warm) and how many times as fast")
    for query, (cold, warm) in own.items():
        peer_cold, peer_warm = peer[query]
        print(
            f"{query:34} own {cold:7.4f} {warm:7.4f}   Prometheus {peer_cold:7.4f} {peer_warm:7.4f}   "
            f"{peer_cold / cold:5.1f} {peer_warm / warm:5.1f}"
        )


if __name__ == "__main__":
    asyncio.run(main())
