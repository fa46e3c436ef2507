"""How the figures of metrics grow from 10^4 to 10^6 series: disk, memory, ingest, restart, an instant query; as a plot.

For each number of series a real server gets counters by remote write over HTTP, every series once per step of 15 s, and
is killed with SIGKILL and started again on the same folder. Bytes per sample are of a few steps only, which pack worse
than a day; `metrics_vs_prometheus.py` has the day. Run: python benchmarks/metrics_growth.py --svg growth.svg
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

import httpx

sys.path[:0] = [str(Path(__file__).parents[1] / "tests")]

from _growth_plot import draw  # noqa: E402 -- the tests' folder is on the path only now
from flow.trials.requests import HEADERS  # noqa: E402
from flow.trials.server import QUERY, WRITE, Server  # noqa: E402
from holdfast.kernel.ids import DEFAULT_TENANT  # noqa: E402
from holdfast.store import Store, StoreSettings  # noqa: E402
from holdfast.telemetry import snappy  # noqa: E402
from holdfast.telemetry.metrics.labels import labels_of  # noqa: E402
from holdfast.telemetry.metrics.remote import Protocol  # noqa: E402
from holdfast.telemetry.metrics.remote.messages import labels_field, message, sample_field  # noqa: E402

COUNTS = (10_000, 30_000, 100_000, 300_000, 1_000_000)
PER_METRIC = 1000
PER_BODY = 5_000
AT_ONCE = 4
STEP_MS = 15_000
ASKED = 21
ASK = "sum by (job) (rate(metric_3_total[5m]))"
LIMITS = {
    f"HOLDFAST_METRICS_{name}": "2000000" for name in ("MAX_SERIES", "MAX_SERIES_PER_METRIC", "MAX_SERIES_PER_ORIGIN")
}
LIMITS |= {"HOLDFAST_REMOTE_WRITE_KNOWN_SERIES": "2000000"}
TITLES = (
    "bytes on disk per sample",
    "KiB of memory per active series",
    "new series per second",
    "samples per second, known series",
    "seconds from a restart to an answer",
    "ms for an instant query, first",
    "ms for an instant query, then",
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured at one number of series, in the order of `TITLES`."""

    disk_bytes: float
    memory_kib: float
    new_rate: float
    known_rate: float
    restart_s: float
    first_ms: float
    then_ms: float


def bodies(labels: list[bytes], step: int, ts_ms: int) -> Iterator[bytes]:
    """Give the requests of one step."""
    for first in range(0, len(labels), PER_BODY):
        part = labels[first : first + PER_BODY]
        rows = [
            message(1, each + sample_field(ts_ms, float(1 + step * (number % 50)))) for number, each in enumerate(part)
        ]
        yield snappy.compress(b"".join(rows))


async def send(client: httpx.AsyncClient, requests: list[bytes]) -> float:
    """Send requests, some at once, and give the seconds until the last was answered."""
    waiting, began_s = iter(requests), time.perf_counter()

    async def work() -> None:
        for body in waiting:
            answer = await client.post(WRITE, content=body, headers=HEADERS[Protocol.V1])
            if answer.status_code != 204:
                raise RuntimeError(f"{answer.status_code}: {answer.text}")

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return time.perf_counter() - began_s


async def ask(client: httpx.AsyncClient, query: str) -> tuple[float, int]:
    """Ask an instant query, and give the milliseconds and how many series the answer has."""
    began_s = time.perf_counter()
    answer = (await client.get(QUERY, params={"query": query})).raise_for_status().json()
    return (time.perf_counter() - began_s) * 1000, len(answer["data"]["result"])


async def measure(folder: Path, count: int, steps: int) -> Figures:
    """Measure one number of series."""
    labels = [
        labels_field(
            labels_of(
                {
                    "__name__": f"metric_{n // PER_METRIC}_total",
                    "code": str(200 + n % 5),
                    "instance": f"10.0.{n % 100}.7:9100",
                    "job": f"job{n % 10}",
                    "path": f"/a/b/{n % PER_METRIC}",
                }
            )
        )
        for n in range(count)
    ]
    server = Server(folder, LIMITS)
    await server.start()
    try:
        async with httpx.AsyncClient(base_url=server.url, timeout=300) as client:
            await ask(client, ASK)
            before, now_ms = server.resident_bytes(), int(time.time()) * 1000
            times = [
                await send(client, list(bodies(labels, step, now_ms - (steps - step) * STEP_MS)))
                for step in range(steps)
            ]
            first_ms, found = await ask(client, ASK)
            assert found == 10
            then_ms = statistics.median([(await ask(client, ASK))[0] for _ in range(ASKED)])
            memory = server.resident_bytes() - before
        server.kill()
        restart_s = await start_and_ask(server)
        server.kill()
        disk = await disk_bytes(folder / "data" / "telemetry")
    finally:
        server.kill()
    known_rate = count * (steps - 1) / sum(times[1:])
    return Figures(disk, memory / count / 1024, count / times[0], known_rate, restart_s, first_ms, then_ms)


async def start_and_ask(server: Server) -> float:
    """Start again, and give the seconds until the data was read."""
    began_s = time.perf_counter()
    await server.start()
    async with httpx.AsyncClient(base_url=server.url, timeout=300) as client:
        _, found = await ask(client, ASK)
    assert found == 10
    return time.perf_counter() - began_s


async def disk_bytes(folder: Path) -> float:
    """Give the bytes on disk per sample, without those of the series' labels."""
    async with Store(StoreSettings(), folder=folder) as store:
        sql = "SELECT sum(bytes_on_disk) / sum(rows) AS each FROM system.parts "
        sql += "WHERE active AND table = 'metric_points' AND {tenant:String} != ''"
        return float((await store.query(sql, tenant=DEFAULT_TENANT)).to_pylist()[0]["each"])


def machine() -> str:
    """Name this machine."""
    return f"{os.cpu_count()} cores of {platform.machine()}, Python {platform.python_version()}"


def main() -> None:
    """Measure every size, print a row each, and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("counts", nargs="*", type=int, default=list(COUNTS))
    parser.add_argument("--steps", type=int, default=10, help="samples of each series")
    parser.add_argument("--svg", type=Path, help="where the plot goes")
    parser.add_argument("--said", default="", help="what else the caption says, such as what the machine did besides")
    chosen = parser.parse_args()
    print("series     " + " | ".join(TITLES))
    rows = []
    for count in chosen.counts:
        with tempfile.TemporaryDirectory(prefix="metrics-growth-") as folder:
            row = asyncio.run(measure(Path(folder), count, chosen.steps))
        rows.append(row)
        print(f"{count:9,}  " + " | ".join(f"{value:,.2f}" for value in astuple(row)), flush=True)
    if chosen.svg:
        columns = dict(zip(TITLES, zip(*map(astuple, rows), strict=True), strict=True))
        caption = f"{time.strftime('%Y-%m-%d')}, {machine()}, {chosen.steps} samples a series{chosen.said}"
        chosen.svg.write_text(draw(chosen.counts, columns, caption), encoding="utf-8")


if __name__ == "__main__":
    main()
