"""What doors took in and have not answered is bounded in bytes: by door, and of all doors together."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections import Counter
from typing import Any

import grpc.aio
import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client import CollectorRegistry

from fixtures.arrivals import KeepingSink
from fixtures.traces import trace_id
from holdfast.kernel.auth import OpenGate
from holdfast.kernel.errors import BusyError, LimitError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.permissions import Permission, Role
from holdfast.kernel.wiring import Wiring
from holdfast.telemetry import snappy
from holdfast.telemetry.backlog import Backlog, BacklogSettings
from holdfast.telemetry.logs import MemoryLogSink, MemoryLogSource
from holdfast.telemetry.logs.loki import LokiPush, push_routes
from holdfast.telemetry.metrics.push import Gateway, push_surface
from holdfast.telemetry.metrics.remote import RemoteWriter, write_routes
from holdfast.telemetry.otlp import OtlpGrpc, OtlpSettings, http_routes
from holdfast.telemetry.traces import MemoryTraces, OtlpTraces, traces_service
from holdfast.web.assembly import build_app

SENDERS = 64
BODY_BYTES = 4_000_000
METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
PROTOBUF = {"content-type": "application/x-protobuf"}


class SlowTraces(MemoryTraces):
    """Keeps everybody waiting until it may go on."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = asyncio.Event()

    async def append(self, tenant: Any, spans: Any) -> Any:
        await self.goes_on.wait()
        return await super().append(tenant, spans)


def body(number: int) -> bytes:
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add(trace_id=bytes.fromhex(trace_id(number)))
    span.span_id, span.start_time_unix_nano, span.end_time_unix_nano = b"12345678", 1, 2
    span.attributes.add(key="payload").value.string_value = "x" * BODY_BYTES
    return request.SerializeToString()


@pytest.mark.parametrize("transport", ["http", "grpc"])
async def test_of_many_large_bodies_those_are_taken_that_there_is_room_for(transport: str) -> None:
    registry, traces = CollectorRegistry(), SlowTraces()
    service = traces_service(OtlpTraces(traces), Backlog(metrics=registry))
    permissions = (Permission("traces.write", Role.OPERATOR, "Write."),)
    wiring = Wiring("traces", surfaces=(http_routes(service, "/v1/traces"),), permissions=permissions)
    app = build_app([wiring], gate=OpenGate(), registry=registry)
    server = OtlpGrpc((service,), OpenGate(), OtlpSettings(grpc_listen="127.0.0.1:0"))
    await server.start()
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1", timeout=60)
    channel = grpc.aio.insecure_channel(f"127.0.0.1:{server.port}")

    async def send(number: int) -> str:
        if transport == "http":
            return str((await client.post("/v1/traces", content=body(number), headers=PROTOBUF)).status_code)
        try:
            await channel.unary_unary(METHOD)(body(number), timeout=60)
        except grpc.aio.AioRpcError as error:
            return error.code().name
        return "200"

    most = BacklogSettings().door_size // BODY_BYTES - 1  # a body is a little larger than its payload
    async with client, channel:
        sending = [asyncio.create_task(send(number)) for number in range(1, SENDERS + 1)]
        for task in asyncio.as_completed(sending):  # those that are put off answer first
            assert await task in {"429", "RESOURCE_EXHAUSTED"}
            if sum(each.done() for each in sending) == SENDERS - most:
                break
        held = registry.get_sample_value("holdfast_ingest_backlog_bytes", {"door": "otlp_traces"})
        assert held is not None
        assert most * BODY_BYTES <= held <= BacklogSettings().door_size
        traces.goes_on.set()
        told = Counter(await asyncio.gather(*sending))
        assert told["200"] == most
        for number, task in enumerate(sending, 1):  # whoever was put off comes again
            if task.result() != "200":
                assert await send(number) == "200"
    await server.stop()
    kept = [await traces.trace(DEFAULT_TENANT, trace_id(number)) for number in range(1, SENDERS + 1)]
    assert None not in kept
    assert registry.get_sample_value("holdfast_ingest_backlog_bytes", {"door": "otlp_traces"}) == 0
    turned_away = registry.get_sample_value("holdfast_ingest_turned_away_total", {"door": "otlp_traces"})
    assert turned_away == SENDERS - most


async def test_a_message_over_grpc_counts_as_much_as_others_did_until_it_is_read() -> None:
    backlog = Backlog(BacklogSettings(size=1_000_000, door_size=1_000_000))
    service = traces_service(OtlpTraces(MemoryTraces()), backlog)
    server = OtlpGrpc((service,), OpenGate(), OtlpSettings(grpc_listen="127.0.0.1:0"))
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        export = channel.unary_unary(METHOD)
        with backlog.hold(service.door, 900_000), pytest.raises(grpc.aio.AioRpcError, match="RESOURCE_EXHAUSTED"):
            await export(b"", timeout=60)
        for _ in range(4):  # they are small, as is seen now
            await export(b"", timeout=60)
        with backlog.hold(service.door, 900_000):
            await export(b"", timeout=60)
    await server.stop()


class RefusingTraces(MemoryTraces):
    """Refuses spans, and knows whether anything still holds on to why: with it goes the message."""

    async def append(self, tenant: Any, spans: Any) -> Any:
        del tenant, spans
        raise self._watched(LimitError("too many spans"))

    def _watched(self, error: LimitError) -> LimitError:
        self.refused = weakref.ref(error)
        return error


async def test_of_a_message_that_was_refused_over_grpc_nothing_is_left() -> None:
    traces = RefusingTraces()
    server = OtlpGrpc((traces_service(OtlpTraces(traces)),), OpenGate(), OtlpSettings(grpc_listen="127.0.0.1:0"))
    await server.start()
    gc.disable()  # it looks at numbers of things, not at their size
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            with pytest.raises(grpc.aio.AioRpcError, match="RESOURCE_EXHAUSTED"):
                await channel.unary_unary(METHOD)(body(1), timeout=60)
        await server.stop()
        assert traces.refused() is None
    finally:
        gc.enable()


def pressed() -> tuple[Any, Any]:
    """Give an app whose doors share a backlog of 100 kB, and that backlog."""
    backlog = Backlog(BacklogSettings(size=100_000, door_size=100_000))
    surfaces = (
        write_routes(RemoteWriter(KeepingSink()), backlog),
        push_routes(LokiPush(MemoryLogSink(MemoryLogSource())), backlog),
        push_surface(Gateway(KeepingSink(), Any, Any), backlog),  # type: ignore[arg-type]  # it is not reached
    )
    permissions = tuple(Permission(f"{each}.write", Role.OPERATOR, "Write.") for each in ("logs", "metrics"))
    wiring = Wiring("doors", surfaces=surfaces, permissions=permissions)
    return build_app([wiring], gate=OpenGate(), registry=CollectorRegistry()), backlog


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/prometheus/api/v1/write", snappy.compress(bytes(200_000))),
        ("/loki/api/v1/push", snappy.compress(bytes(200_000))),
        ("/metrics/job/x", bytes(200_000)),
    ],
    ids=["remote_write", "loki", "push"],
)
async def test_what_a_compressed_or_pushed_body_becomes_counts_before_it_is_read(path: str, body: bytes) -> None:
    app, backlog = pressed()
    assert path.endswith("x") or len(body) < 20_000
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        with backlog.hold("another", 1):
            answer = await client.post(path, content=body, headers=PROTOBUF)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "backlog.size" in answer.text


def test_a_flood_at_one_door_leaves_room_at_others() -> None:
    backlog = Backlog(BacklogSettings(size=100, door_size=60))
    with backlog.hold("a", 50):
        with pytest.raises(BusyError, match=r"backlog\.door_size"), backlog.hold("a", 20):
            raise AssertionError("unreachable")
        with backlog.hold("b", 40) as held:
            with pytest.raises(BusyError), backlog.hold("c", 20):
                raise AssertionError("unreachable")
            held.grow_to(50)
            with pytest.raises(BusyError):
                held.grow_to(51)
            with pytest.raises(BusyError), backlog.hold("c", 1):
                raise AssertionError("unreachable")
            held.settle_at(30)
            with backlog.hold("c", 20):
                pass
    with backlog.hold("a", 1000) as held:  # alone it may be as large as it likes
        held.grow_to(2000)
        with pytest.raises(BusyError), backlog.hold("b", 1):
            raise AssertionError("unreachable")
