"""Does the schedule hold? 5,000 HTTP checks every 10 s on loopback: lateness, CPU, and what the store adds.

    python benchmarks/health_schedule.py [--checks 5000] [--every 10] [--seconds 30] [--without-store]

The targets are served by a second process, so two cores are shared by both. Lateness is from when a check was due to
when it began. The limit that we promise is a p99 of 250 ms; the exit code says whether it held.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import uvloop
from prometheus_client import CollectorRegistry

from holdfast.health.checks import Check, load_checks
from holdfast.health.engine import Engine, EngineParts, MemoryLedger, Result
from holdfast.health.history import SCHEMA, Recorder
from holdfast.health.kinds import KINDS
from holdfast.health.metrics import HealthMetrics
from holdfast.health.probes import Probe, ProbeContext
from holdfast.kernel.clock import SystemClock
from holdfast.kernel.processes import settle_collector
from holdfast.store import Store, StoreSettings
from holdfast.telemetry import SCHEMA as METRICS
from holdfast.telemetry import MetricSink

PROMISED_P99_MS = 250
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Type: text/plain\r\n\r\nok\n"


class Target(asyncio.Protocol):
    """Answers every request with 200, and keeps the connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer."""
        self.transport.write(ANSWER * data.count(b"\r\n\r\n"))


def serve(ports: multiprocessing.Queue[int]) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Target, "127.0.0.1", 0, backlog=4096)
        ports.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(run())


class Lateness:
    """Stands in for the engine's histogram and keeps every value."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def observe(self, seconds: float) -> None:
        """Keep one."""
        self.values.append(seconds)


def write_checks(folder: Path, count: int, every_s: float, port: int) -> list[Path]:
    files = []
    for start in range(0, count, 1000):
        lines = [f"defaults: {{every: {every_s:g}s, timeout: {min(5.0, every_s):g}s}}", "checks:"]
        for number in range(start, min(start + 1000, count)):
            url = f"http://127.0.0.1:{port}/{number}"
            lines.append(f'  - {{name: check-{number}, kind: http, service: s{number % 50}, http: {{url: "{url}"}}}}')
        files.append(folder / f"checks-{start:05}.yaml")
        files[-1].write_text("\n".join(lines))
    return files


def cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


@dataclass(slots=True)
class Tally:
    """Counts results on their way to the recorder, if there is one."""

    emit: Callable[[Result], None] | None
    results: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)

    def __call__(self, result: Result) -> None:
        """Count one result."""
        self.results += 1
        self.verdicts[result.verdict.value] += 1
        if self.emit is not None:
            self.emit(result)


async def measure(options: argparse.Namespace, folder: Path, port: int) -> bool:
    files = write_checks(folder, options.checks, options.every, port)
    before_s = time.perf_counter()
    book = load_checks(files, KINDS)
    print(f"read {len(book.checks)} checks from {len(files)} files in {time.perf_counter() - before_s:.2f} s")
    metrics, lateness = HealthMetrics(CollectorRegistry()), Lateness()
    metrics.lateness = lateness  # type: ignore[assignment]  # it keeps every value, not buckets
    async with AsyncExitStack() as closing:
        tally = Tally(await open_recorder(closing, folder, metrics) if options.store else None)
        engine = new_engine(tally, metrics)
        before_s = time.perf_counter()
        engine.apply(book)
        settle_collector()
        print(f"applied in {time.perf_counter() - before_s:.2f} s")
        job = asyncio.create_task(engine.run())
        await asyncio.sleep(options.warm_up)
        lateness.values.clear()
        results, cpu_before_s, began_s = tally.results, cpu_s(), time.perf_counter()
        await asyncio.sleep(options.seconds)
        took_s, used_s, done = time.perf_counter() - began_s, cpu_s() - cpu_before_s, tally.results - results
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
    print(f"verdicts: {dict(tally.verdicts)}")
    return tell(options, sorted(lateness.values), done, took_s, used_s)


def new_engine(tally: Tally, metrics: HealthMetrics) -> Engine:
    def refuse(check: Check) -> Probe:
        raise NotImplementedError(f"{check.name} is passive")

    return Engine(
        EngineParts(
            clock=SystemClock(),
            ledger=MemoryLedger(),
            emit=tally,
            grant=lambda check: ProbeContext(check.timeout_s, str),
            passive=refuse,
            services_of=lambda _: frozenset(),
            metrics=metrics,
        )
    )


async def open_recorder(closing: AsyncExitStack, folder: Path, metrics: HealthMetrics) -> Callable[[Result], None]:
    store = Store(StoreSettings(), folder=folder / "store")
    await closing.enter_async_context(store)
    await store.register(METRICS, SCHEMA)
    recorder = Recorder(store, SystemClock(), metrics, sink=MetricSink(store))
    job = asyncio.create_task(recorder.run())
    closing.callback(job.cancel)
    return recorder.add


def tell(options: argparse.Namespace, values: list[float], done: int, took_s: float, used_s: float) -> bool:
    p50, p99, worst = (values[min(len(values) - 1, int(len(values) * share))] * 1000 for share in (0.5, 0.99, 1.0))
    asked = options.checks / options.every
    print(f"checks/s: {done / took_s:.0f} of {asked:.0f} asked for, over {took_s:.0f} s")
    print(f"lateness: p50 {p50:.1f} ms, p99 {p99:.1f} ms, max {worst:.1f} ms (promised: p99 below 250 ms)")
    print(f"CPU: {used_s / took_s * 100:.0f} % of one core, {used_s / done * 1000:.2f} s per 1,000 checks")
    has_kept_up = done >= 0.98 * asked * took_s
    return p99 <= PROMISED_P99_MS and has_kept_up


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checks", type=int, default=5000)
    parser.add_argument("--every", type=float, default=10.0, help="seconds")
    parser.add_argument("--seconds", type=float, default=15.0, help="how long to measure")
    parser.add_argument("--warm-up", type=float, default=20.0, help="seconds before measuring")
    parser.add_argument("--without-store", dest="store", action="store_false", help="keep results nowhere")
    options = parser.parse_args()
    ports: multiprocessing.Queue[int] = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(ports,), daemon=True)
    server.start()
    print(f"{os.cpu_count()} cores; results {'in the store and as metrics' if options.store else 'counted only'}")
    try:
        with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as scratch:
            has_held = uvloop.run(measure(options, Path(scratch), ports.get(timeout=10)))
    finally:
        server.terminate()
    print("held" if has_held else "NOT held")
    raise SystemExit(0 if has_held else 1)


if __name__ == "__main__":
    main()
