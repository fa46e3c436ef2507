"""How many spans a server takes by OTLP/HTTP until they are durable, with everything that follows: metrics from spans.

A server process as `holdfast up` starts it, sixteen senders with bodies of 500 spans in protobuf. Prints spans per
second of time and per second of the server's processor time, and the time of a request.
Run: python benchmarks/traces_ingest.py [SECONDS]
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import httpx
import psutil
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 15.0
SENDERS = 16
PER_BODY = 500
BODIES = 64
HEADERS = {"content-type": "application/x-protobuf"}


def make_body(number: int) -> bytes:
    """Give traces of ten spans with the attributes that HTTP servers and databases have."""
    chance = random.Random(number)
    request = ExportTraceServiceRequest()
    for service in range(5):
        group = request.resource_spans.add()
        group.resource.attributes.add(key="service.name").value.string_value = f"service-{service}"
        group.resource.attributes.add(key="host.name").value.string_value = f"host-{service}"
        spans = group.scope_spans.add()
        spans.scope.name = "bench"
        for place in range(PER_BODY // 5):
            trace = (number * PER_BODY + place) // 2
            span = spans.spans.add()
            span.trace_id = trace.to_bytes(8, "big") + chance.randbytes(8) if place % 10 == 0 else chance.randbytes(16)
            span.span_id, span.parent_span_id = chance.randbytes(8), chance.randbytes(8)
            span.name, span.kind = f"GET /path/{place % 20}", 2 + place % 2
            span.start_time_unix_nano = time.time_ns()
            span.end_time_unix_nano = span.start_time_unix_nano + chance.randrange(10**5, 10**9)
            span.attributes.add(key="http.request.method").value.string_value = "GET"
            span.attributes.add(key="http.route").value.string_value = f"/path/{place % 20}"
            span.attributes.add(key="http.response.status_code").value.int_value = 200
            span.attributes.add(key="user.id").value.string_value = str(chance.randrange(10**5))
            span.attributes.add(key="server.address").value.string_value = f"host-{service}"
    return request.SerializeToString()


async def send(url: str, bodies: list[bytes], until: float, took: list[float]) -> int:
    sent = 0
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as client:
        while time.perf_counter() < until:
            started = time.perf_counter()
            answer = await client.post("/v1/traces", content=bodies[sent % len(bodies)], headers=HEADERS)
            if answer.status_code != 200:
                raise SystemExit(f"{answer.status_code}: {answer.text[:200]}")
            took.append((time.perf_counter() - started) * 1000)
            sent += 1
    return sent * PER_BODY


async def wait_ready(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        for _ in range(300):
            try:
                if (await client.get("/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
    raise SystemExit("the server did not start")


async def main() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{probe.getsockname()[1]}"
    with tempfile.TemporaryDirectory(prefix="traces-ingest-") as folder:
        command = [sys.executable, "-m", "holdfast.cli", "up", "--data", folder, "--listen", listen, "--auth", "off"]
        environ = {**os.environ, "HOLDFAST_OTLP_GRPC_LISTEN": ""}
        server = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: ASYNC220 -- our own command
        try:
            await wait_ready(f"http://{listen}")
            await measure(f"http://{listen}", psutil.Process(server.pid))
        finally:
            server.terminate()
            server.wait(30)


async def measure(url: str, server: psutil.Process) -> None:
    bodies = [make_body(number) for number in range(BODIES)]
    took: list[float] = []
    before, started = sum(server.cpu_times()[:2]), time.perf_counter()
    until = started + SECONDS
    share = BODIES // SENDERS
    parts = [bodies[sender * share : (sender + 1) * share] for sender in range(SENDERS)]
    spans = sum(await asyncio.gather(*(send(url, part, until, took) for part in parts)))
    seconds, busy = time.perf_counter() - started, sum(server.cpu_times()[:2]) - before
    print(f"{spans / seconds:,.0f} spans/s acknowledged; {spans / busy:,.0f} per second of the server's processor time")
    print(f"a request of {PER_BODY}: median {statistics.median(took):.0f} ms, slowest {max(took):.0f} ms")
    print(f"{len(bodies[0]) / PER_BODY:.0f} bytes a span; resident {server.memory_info().rss / 2**20:.0f} MiB")


asyncio.run(main())
