"""How fast OTLP logs are taken: converting alone, over HTTP until they are durable, and the engine fed directly.

Bodies are protobuf with 1,000 records, each with four attributes, trace and span ids; in a second shape no two records
have an attribute in common. Prints records per second of time and of a core's work (all threads of the server, and its
event loop's own), and the ratio to the engine. Scrubbing, levels, patterns, repeats and fsync are on as by default;
OTLP/gRPC and signing in are off. The senders share the machine. Run: python benchmarks/logs_ingest.py
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as pb

from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import Store, StoreSettings
from holdfast.telemetry.logs import SCHEMA, MemoryLogSink, MemoryLogSource
from holdfast.telemetry.logs.intake import RecordColumns, StreamMemory
from holdfast.telemetry.logs.otlp import OtlpLogsSettings
from holdfast.telemetry.logs.otlp.attributes import Names
from holdfast.telemetry.logs.otlp.conversion import Conversion
from holdfast.telemetry.logs.otlp.messages import request_class
from holdfast.telemetry.logs.storing.rows import record_rows
from holdfast.telemetry.logs.tables import RECORDS

REQUESTS = 600
PER_REQUEST = 1000
AT_ONCE = 32  # senders; each waits for its answer, up to telemetry.linger (100 ms) and a write to the disk
MESSAGES = (
    *("order placed", "payment authorised", "cart updated", "cache miss", "retrying request", "session expired"),
    "upstream timed out while reading response header",
)
RESOURCE = {"host.name": "node-1", "process.pid": "77", "deployment.environment": "prod", "os.type": "linux"}


SAME = {"code.function": "place", "http.route": "/api/v1/orders/{id}", "thread.name": "w3", "http.status_code": 200}


def own_attributes(dice: random.Random) -> dict[str, str | int]:
    """Give four attributes that no other record has."""
    texts = {key: dice.randbytes(8).hex() for key in ("order.id", "user.id", "session.id")}
    return {**texts, "duration.us": dice.randrange(10**9)}


def make_request(number: int, start_ns: int, *, is_varied: bool = False) -> bytes:
    dice = random.Random(number)
    request = pb.ExportLogsServiceRequest()
    part = request.resource_logs.add()
    for key, value in {"service.name": f"service-{number % 20}", **RESOURCE}.items():
        part.resource.attributes.add(key=key).value.string_value = value
    scoped = part.scope_logs.add()
    scoped.scope.name = "shop.orders"
    for place in range(PER_REQUEST):
        ts_ns = start_ns + number * 10**8 + place * 10**5
        record = scoped.log_records.add(
            time_unix_nano=ts_ns, observed_time_unix_nano=ts_ns + 30_000, severity_number=9, severity_text="INFO"
        )
        record.body.string_value = (
            f"{dice.choice(MESSAGES)} order_id={dice.randrange(10**6)} user=u{dice.randrange(20_000)}"
            f" duration={dice.randrange(3000)}ms path=/api/v1/orders/{dice.randrange(5000)} status=200"
        )
        record.trace_id, record.span_id = dice.randbytes(16), dice.randbytes(8)
        for key, value in (own_attributes(dice) if is_varied else SAME).items():
            kind = "string_value" if isinstance(value, str) else "int_value"
            setattr(record.attributes.add(key=key).value, kind, value)
    return request.SerializeToString()


def convert_only(bodies: list[bytes]) -> float:
    """Give records per second of a core, from bytes to columns."""
    book, memory = MemoryLogSink(MemoryLogSource()).book(DEFAULT_TENANT), StreamMemory(1)
    conversion = Conversion(OtlpLogsSettings(), Names(), 30)
    started = time.process_time()
    for body in bodies:
        columns = RecordColumns()
        for _ in conversion.walk(request_class().FromString(body), book, memory, columns):
            pass
        assert len(columns.arrival(1).records) == PER_REQUEST
    return len(bodies) * PER_REQUEST / (time.process_time() - started)


async def feed_engine(bodies: list[bytes], folder: Path) -> tuple[float, float]:
    """Give the seconds, and those of work, that the engine takes for the same records as ready columns."""
    import pyarrow as pa  # noqa: PLC0415

    book, memory = MemoryLogSink(MemoryLogSource()).book(DEFAULT_TENANT), StreamMemory(1)
    conversion = Conversion(OtlpLogsSettings(), Names(), 30)
    rows = []
    expires_at = pa.repeat(pa.scalar(int(time.time()) + 10**6), PER_REQUEST).cast(pa.timestamp("s", tz="UTC"))
    for body in bodies:
        columns = RecordColumns()
        list(conversion.walk(request_class().FromString(body), book, memory, columns))
        records = columns.arrival(1).records
        rows.append(record_rows(records, records.refs.astype(np.uint64), ["info"] * PER_REQUEST, expires_at))
    async with Store(StoreSettings(), folder=folder) as store:
        await store.register(SCHEMA)
        process = psutil.Process()
        before, started = process.cpu_times(), time.perf_counter()
        for first in range(0, len(rows), 50):
            await asyncio.gather(
                *(store.writer(RECORDS).write(each, tenant=DEFAULT_TENANT) for each in rows[first : first + 50])
            )
        after = process.cpu_times()
        return time.perf_counter() - started, after.user - before.user + after.system - before.system


async def send(url: str, bodies: list[bytes]) -> None:
    async with httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=AT_ONCE)) as client:
        waiting = iter(bodies)

        async def work() -> None:
            for body in waiting:
                answer = await client.post(url, content=body, headers={"content-type": "application/x-protobuf"})
                assert answer.status_code == 200, answer.text

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))


@contextlib.contextmanager
def server(folder: Path) -> Iterator[tuple[psutil.Process, str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    (folder / "ops").mkdir()
    argv: list[Any] = [sys.executable, "-m", "holdfast.cli", "up", "--listen", address, "--auth", "off"]
    argv += ["--data", str(folder / "data"), "--ops", str(folder / "ops")]
    environ = {**os.environ, "HOLDFAST_OTLP_GRPC_LISTEN": ""}
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environ) as process:
        try:
            for _ in range(600):
                with contextlib.suppress(httpx.TransportError):
                    if httpx.get(f"http://{address}/readyz").status_code == 200:
                        break
                time.sleep(0.1)
            yield psutil.Process(process.pid), f"http://{address}"
        finally:
            process.terminate()
            process.wait(30)


def measure(title: str, bodies: list[bytes]) -> float:
    """Send to a server of its own, print how it fared, and give records per second."""
    with tempfile.TemporaryDirectory() as name, server(Path(name)) as (process, url):
        asyncio.run(send(f"{url}/v1/logs", bodies[:10]))
        before, loop_before_s, started = process.cpu_times(), loop_work_s(process), time.perf_counter()
        asyncio.run(send(f"{url}/v1/logs", bodies[10:]))
        took_s, after, loop_s = time.perf_counter() - started, process.cpu_times(), loop_work_s(process) - loop_before_s
        work_s = after.user - before.user + after.system - before.system
        resident_mb = process.memory_info().rss / 1e6
    sent = len(bodies[10:]) * PER_REQUEST
    size_mb = sum(map(len, bodies[10:])) / 1e6
    print(
        f"{title}{sent / took_s:>10,.0f} records/s {sent / work_s:>10,.0f} per core"
        f"   {size_mb / took_s:.1f} MB/s, {size_mb / work_s:.1f} per core   resident {resident_mb:,.0f} MB"
        f"   {loop_s / sent * 1e6:.1f} us a record in the event loop"
    )
    return sent / took_s


def loop_work_s(process: psutil.Process) -> float:
    """Give the seconds that the main thread of a process has worked."""
    return next(thread.user_time + thread.system_time for thread in process.threads() if thread.id == process.pid)


def main() -> None:
    start_ns = time.time_ns() - REQUESTS * 10**8
    bodies = [make_request(number, start_ns) for number in range(REQUESTS)]
    varied = [make_request(number, start_ns, is_varied=True) for number in range(REQUESTS // 3)]
    count = REQUESTS * PER_REQUEST
    print(f"bodies       {sum(map(len, bodies)) / count:.0f} bytes a record")
    print(f"convert only {convert_only(bodies[:50]):>10,.0f} records/s per core")
    print(f"  varied     {convert_only(varied[:50]):>10,.0f} records/s per core")
    with tempfile.TemporaryDirectory() as name:
        engine_s, engine_work_s = asyncio.run(feed_engine(bodies, Path(name)))
    print(f"engine       {count / engine_s:>10,.0f} records/s {count / engine_work_s:>10,.0f} per core")
    rate = measure("OTLP/HTTP    ", bodies)
    measure("  varied     ", varied)
    print(f"ratio        {engine_s / count * rate:.2f} of the engine's rate, fed directly")


if __name__ == "__main__":
    main()
