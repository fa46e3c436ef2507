"""PromQL over the same samples, by `holdfast up` and by the Prometheus on the PATH: 1,000 counters over 24 h at 15 s.

Both are asked over HTTP on loopback, uncompressed, until the last byte; the answers must be equal (see `BEGINNING_S`).
Cold is the first request after a fresh start that says it is ready, the files in the kernel's page cache; each server
has in memory what its start puts there: Prometheus its head of 1 to 3 h, Holdfast `metrics.warm`. Warm: the best later.
Run: python benchmarks/metrics_vs_prometheus.py [--series 1000] [--hours 24] [--folder KEPT] [--colds 3] [--only TEXT]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from _counter_set import CounterSet

STEP_S = 60
WARM = 5
BEGINNING_S = 300  # where counters begin, Prometheus 3, whose rules are ours, extrapolates less than 2 does
QUIET_CPU = 0.05  # of a core, below which a server has done what a start entails
RANGES = {
    "sum by (job) (rate(m[5m]))": "sum by (job) (rate(m[5m]))",
    "rate(m[5m])": "rate(m[5m])",
    "max_over_time(m{job='job3'}[1h])": 'max_over_time(m{job="job3"}[1h])',
    "quantile(0.9, rate(m[5m]))": "quantile(0.9, rate(m[5m]))",
    "m{instance='...'} (raw)": 'm{instance="10.0.0.7:9100"}',
    "count(m)": "count(m)",
}
INSTANTS = {"instant sum(rate(m[5m]))": "sum(rate(m[5m]))", "instant m{job='job3'}": 'm{job="job3"}'}


@dataclass(frozen=True, slots=True)
class Served:
    """A server that has said that it is ready."""

    client: httpx.Client
    process: psutil.Process
    ready_s: float


Start = Callable[[], AbstractContextManager[Served]]


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds of one query, and what was answered."""

    cold_s: float
    warm_s: float
    answer: Any


@contextmanager
def serving(command: list[str], port: int, paths: tuple[str, str], environ: dict[str, str]) -> Iterator[Served]:
    """Run a server; `paths` are the one that tells readiness and the prefix of its API."""
    began = time.perf_counter()
    with (
        subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process,
        httpx.Client(timeout=120, headers={"accept-encoding": "identity"}) as client,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            wait_ready(client, url + paths[0])
            client.base_url = httpx.URL(url + paths[1])
            yield Served(client, psutil.Process(process.pid), time.perf_counter() - began)
        finally:
            process.terminate()


def wait_ready(client: httpx.Client, url: str) -> None:
    """Wait until a server says that it is ready."""
    for _ in range(3000):
        with contextlib.suppress(httpx.TransportError):
            if client.get(url).status_code == httpx.codes.OK:
                return
        time.sleep(0.02)
    raise RuntimeError(f"{url} does not get ready")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def own(folder: Path) -> AbstractContextManager[Served]:
    """Run `holdfast up` over a data folder."""
    port = free_port()
    environ = {**os.environ, "HOLDFAST_OTLP_GRPC_LISTEN": ""}
    command = [sys.executable, "-m", "holdfast.cli", "up", "--auth", "off", "--listen", f"127.0.0.1:{port}"]
    options = ["--data", str(folder / "own"), "--ops", str(folder / "ops")]
    return serving([*command, *options], port, ("/readyz", "/prometheus"), environ)


def peer(folder: Path) -> AbstractContextManager[Served]:
    """Run Prometheus over a folder of blocks and a log of its head."""
    port = free_port()
    (folder / "prometheus.yml").write_text("{}\n", encoding="ascii")
    command = ["prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'peer'}"]
    options = ["--storage.tsdb.retention.time=10y", "--web.enable-remote-write-receiver", "--log.level=error"]
    return serving(
        [*command, *options, f"--web.listen-address=127.0.0.1:{port}"], port, ("/-/ready", ""), {**os.environ}
    )


def settle(served: Served) -> None:
    """Wait until a server rests: merges and compactions of what was just filled are over."""
    resting = 0
    served.process.cpu_percent()
    while resting < 3:
        time.sleep(1)
        resting = resting + 1 if served.process.cpu_percent() < 100 * QUIET_CPU else 0


def fill(folder: Path, series: int, hours: float) -> CounterSet:
    """Give both their samples, unless the folder has them, and let both do what follows from that."""
    kept = folder / "end"
    if kept.exists():
        return CounterSet(series, hours, int(kept.read_text()))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ops").mkdir()
    data = CounterSet.until_now(series, hours)
    asyncio.run(data.write_own(folder / "own" / "telemetry"))
    data.write_blocks(folder / "peer")
    with peer(folder) as served:
        data.send_head(served.client)
        settle(served)
    with own(folder) as served:
        settle(served)
    kept.write_text(str(data.end_s))
    return data


def requests_of(data: CounterSet) -> dict[str, tuple[str, dict[str, Any]]]:
    """Give the requests by the query's name."""
    span = {"start": data.start_s, "end": data.end_s, "step": STEP_S}
    return {
        **{name: ("/api/v1/query_range", {"query": query, **span}) for name, query in RANGES.items()},
        **{name: ("/api/v1/query", {"query": query, "time": data.end_s}) for name, query in INSTANTS.items()},
        "label_values(instance)": ("/api/v1/label/instance/values", {"start": data.start_s, "end": data.end_s}),
    }


def measure(start: Start, path: str, params: dict[str, Any], colds: int) -> Measured:
    """Ask freshly started servers, each the same thing several times."""
    first, later = [], []
    for _ in range(colds):
        with start() as served:
            times = []
            for _ in range(WARM + 1):
                began = time.perf_counter()
                answer = served.client.get(path, params=params)
                times.append(time.perf_counter() - began)
                answer.raise_for_status()
            first.append(times[0])
            later += times[1:]
    return Measured(statistics.median(first), min(later), json.loads(answer.content)["data"])


def flat(answer: dict[str, Any], since_s: float) -> list[Any]:
    """Give an answer's series by their labels, with what they have from a time on."""
    every = [(sorted(one["metric"].items()), one.get("values") or [one["value"]]) for one in answer["result"]]
    return sorted((labels, [point for point in points if point[0] >= since_s]) for labels, points in every)


def demand_equal(query: str, ours: Any, theirs: Any, since_s: float) -> None:
    """Stop unless both have answered the same, but for the last bits of sums in another order."""
    if isinstance(ours, list):
        assert ours == theirs, f"{query}: {ours} is not {theirs}"
        return
    mine, other = flat(ours, since_s), flat(theirs, since_s)
    assert [one[0] for one in mine] == [one[0] for one in other], f"{query}: other series"
    for (labels, points), (_, expected) in zip(mine, other, strict=True):
        assert [at for at, _ in points] == [at for at, _ in expected], f"{query}: other times of {labels}"
        for (at, value), (_, wanted) in zip(points, expected, strict=True):
            assert math.isclose(float(value), float(wanted), rel_tol=1e-11), f"{query} {labels} {at}: {value} {wanted}"


def describe_start(name: str, start: Start) -> None:
    """Print how long a start takes, and the memory after it."""
    with start() as served:
        settle(served)
        print(
            f"{name:11} ready after {served.ready_s:5.2f} s, {served.process.memory_info().rss / 1e6:4.0f} MB resident"
        )


def describe_disk(folder: Path) -> None:
    """Print what a sample takes on the disk: of our tables what is in force, of the peer its blocks."""
    with own(folder) as served:
        tables = served.client.get(served.client.base_url.join("/api/v1/storage")).json()["tables"]
        ours = next(table["size_bytes"] / table["rows"] for table in tables if table["table"] == "metric_points")
    metas = list((folder / "peer").glob("*/meta.json"))
    size = sum(each.stat().st_size for meta in metas for each in meta.parent.rglob("*") if each.is_file())
    theirs = size / sum(json.loads(meta.read_text())["stats"]["numSamples"] for meta in metas)
    print(f"bytes of a sample on the disk: Holdfast {ours:.2f}, Prometheus {theirs:.2f}")


def main() -> None:
    """Fill both, ask both, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--folder", type=Path, help="keep the samples here, and use them again")
    parser.add_argument("--colds", type=int, default=3, help="fresh starts per query; the median counts")
    parser.add_argument("--only", default="", help="queries whose name holds this text")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="metrics-bench-") as name:
        folder = options.folder or Path(name) / "data"
        data = fill(folder, options.series, options.hours)
        starts: tuple[Start, Start] = lambda: own(folder), lambda: peer(folder)
        describe_start("Holdfast", starts[0])
        describe_start("Prometheus", starts[1])
        describe_disk(folder)
        print(f"{options.series} series, {data.values.size:,} samples; seconds (cold, warm) and how many times as fast")
        for query, (path, params) in requests_of(data).items():
            if options.only in query:
                mine, other = (measure(start, path, params, options.colds) for start in starts)
                demand_equal(query, mine.answer, other.answer, data.start_s + BEGINNING_S)
                print(
                    f"{query:34} own {mine.cold_s:7.4f} {mine.warm_s:7.4f}   "
                    f"Prometheus {other.cold_s:7.4f} {other.warm_s:7.4f}   "
                    f"{other.cold_s / mine.cold_s:5.1f} {other.warm_s / mine.warm_s:5.1f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
