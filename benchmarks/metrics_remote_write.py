"""How fast remote write is taken: decoding alone, and over HTTP until it is durable, beside Debian's Prometheus.

Both servers get the same bodies in the same order: 2,000 samples each, every series once per step of 15 s. Prints
samples per second of time and per second of a core's work (all threads of the server), and the ratios.
Run: python benchmarks/metrics_remote_write.py
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil

from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry import snappy
from holdfast.telemetry.metrics.intake import LabelLimits, Memory, Refusals
from holdfast.telemetry.metrics.labels import Labels, labels_of
from holdfast.telemetry.metrics.remote import version1
from holdfast.telemetry.metrics.remote.batch import Batch
from holdfast.telemetry.metrics.remote.messages import labels_field, message, sample_field
from holdfast.telemetry.metrics.remote.newcomers import Newcomers
from holdfast.telemetry.metrics.remote.usual import UsualLabels
from holdfast.telemetry.metrics.storing import Book, Everybody

SERIES = 20_000
PER_BODY = 2_000
STEPS = 30
STEP_MS = 15_000
AT_ONCE = 10
HEADERS = {"content-type": "application/x-protobuf", "content-encoding": "snappy"}
HEADERS["x-prometheus-remote-write-version"] = "0.1.0"


def labels_of_series(number: int) -> Labels:
    return labels_of(
        {
            "__name__": f"http_requests_{number % 20}_total",
            "cluster": "eu-west-1",
            "code": str(200 + number % 5),
            "instance": f"10.0.{number % 7}.{number % 250}:8000",
            "job": "shop",
            "method": ("GET", "POST", "PUT")[number % 3],
            "path": f"/api/v1/things/{number}",
            "pod": f"shop-{number % 50}-5f7d8",
        }
    )


def make_bodies(start_ms: int) -> list[list[bytes]]:
    """Give the uncompressed bodies of each step."""
    labels = [labels_field(labels_of_series(number)) for number in range(SERIES)]
    steps = []
    for step in range(STEPS):
        ts_ms = start_ms + step * STEP_MS
        series = [message(1, each + sample_field(ts_ms, float(step * number))) for number, each in enumerate(labels)]
        steps.append([b"".join(series[first : first + PER_BODY]) for first in range(0, SERIES, PER_BODY)])
    return steps


def decode_only(bodies: list[bytes]) -> tuple[float, float]:
    """Give samples per second for series seen for the first time, and for known ones."""
    book, memory = Book(DEFAULT_TENANT, Everybody(), lambda *_: 86_400), Memory(1)

    def once() -> float:
        started = time.perf_counter()
        for body in bodies:
            usual = UsualLabels(LabelLimits())
            newcomers = Newcomers(book, "benchmark", usual, Refusals())
            enter = partial(book.ref, origin="benchmark")
            batch = Batch(labels_of, enter, memory, usual, newcomers, refusals=newcomers.refusals)
            for _ in version1.walk(body, batch):
                pass
            assert len(batch.arrival(body).refs) == PER_BODY
        return len(bodies) * PER_BODY / (time.perf_counter() - started)

    return once(), statistics.median(once() for _ in range(9))


async def send(url: str, steps: list[list[bytes]]) -> float:
    """Send all bodies, those of a step at once; give the seconds."""
    limits = httpx.Limits(max_connections=AT_ONCE)
    async with httpx.AsyncClient(timeout=60, limits=limits) as client:
        started = time.perf_counter()
        for bodies in steps:
            answers = await asyncio.gather(*(client.post(url, content=body, headers=HEADERS) for body in bodies))
            assert all(answer.status_code == 204 for answer in answers), answers[0].text
        return time.perf_counter() - started


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def server(argv: list[str], port: int, ready: str) -> Iterator[psutil.Process]:
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(600):
                with contextlib.suppress(httpx.TransportError):
                    if httpx.get(f"http://127.0.0.1:{port}{ready}").status_code == 200:
                        break
                time.sleep(0.1)
            yield psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(30)


def measure(
    name: str, argv: list[str], port: int, paths: tuple[str, str], steps: list[list[bytes]]
) -> tuple[float, float]:
    """Give samples per second, and per second of work; the first step, in which all series are new, is not counted."""
    with server(argv, port, paths[0]) as process:
        url = f"http://127.0.0.1:{port}{paths[1]}"
        fresh_s = asyncio.run(send(url, steps[:1]))
        before = process.cpu_times()
        took_s = asyncio.run(send(url, steps[1:]))
        after = process.cpu_times()
        work_s = after.user - before.user + after.system - before.system
        resident = process.memory_info().rss / 1e6
    samples = SERIES * (STEPS - 1)
    rates = samples / took_s, samples / work_s
    print(
        f"{name:12} {rates[0]:>12,.0f} samples/s {rates[1]:>12,.0f} per core   new series {SERIES / fresh_s:>10,.0f}/s"
        f"   resident {resident:,.0f} MB"
    )
    return rates


def main() -> None:
    steps = make_bodies(int(time.time() * 1000) - STEPS * STEP_MS)
    fresh, known = decode_only(steps[1])
    print(f"decode only  {known:>12,.0f} samples/s per core, {fresh:,.0f} where every series is new")
    packed = [[snappy.compress(body) for body in bodies] for bodies in steps]
    with tempfile.TemporaryDirectory() as name:
        folder, rates = Path(name), {}
        (folder / "ops").mkdir()
        port = free_port()
        os.environ["HOLDFAST_OTLP_GRPC_LISTEN"] = ""
        argv: list[Any] = [sys.executable, "-m", "holdfast.cli", "up", "--listen", f"127.0.0.1:{port}", "--auth", "off"]
        argv += ["--data", str(folder / "data"), "--ops", str(folder / "ops")]
        rates["holdfast"] = measure("holdfast", argv, port, ("/readyz", "/prometheus/api/v1/write"), packed)
        binary = shutil.which("prometheus")
        if binary is None:
            print("prometheus is not installed: no comparison")
            return
        port = free_port()
        (folder / "prometheus.yml").write_text("scrape_configs: []\n")
        argv = [binary, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'tsdb'}"]
        argv += ["--web.enable-remote-write-receiver", f"--web.listen-address=127.0.0.1:{port}"]
        rates["prometheus"] = measure("prometheus", argv, port, ("/-/ready", "/api/v1/write"), packed)
    ours, theirs = rates["holdfast"], rates["prometheus"]
    print(f"ratio        {ours[0] / theirs[0]:.2f} of its rate, {ours[1] / theirs[1]:.2f} of its rate per core")


if __name__ == "__main__":
    main()
