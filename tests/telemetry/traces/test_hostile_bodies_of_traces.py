"""Whatever bytes come to a door of traces, the answer is the protocol's own, and what cannot be read is not stored."""

from __future__ import annotations

import asyncio
import gzip
import random
from collections.abc import AsyncIterator

import grpc
import grpc.aio
import httpx
import orjson
import pytest
from backports import zstd
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client import CollectorRegistry

from fixtures.traces import Row, spans, trace_id
from holdfast.kernel.auth import OpenGate
from holdfast.kernel.clock import SystemClock
from holdfast.kernel.errors import BusyError, LimitError, StorageFullError, UnavailableError, after
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.wiring import Wiring
from holdfast.telemetry.otlp import OtlpGrpc, OtlpSettings, http_routes
from holdfast.telemetry.traces import (
    SCHEMA,
    MemoryTraces,
    OtlpTraces,
    StoredTraces,
    TraceSink,
    permissions,
    traces_service,
)
from holdfast.telemetry.traces.zipkin import ZipkinRoutes
from holdfast.web.assembly import build_app

ROUNDS = 150
PROTOBUF, JSON = "application/x-protobuf", "application/json"
ANSWERS = {200, 202, 400, 413, 415}
METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


class FailingTraces(MemoryTraces):
    """Keeps spans, or fails as it is told."""

    failure: Exception | None = None

    async def append(self, tenant, spans):
        if self.failure is not None:
            raise self.failure
        return await super().append(tenant, spans)


@pytest.fixture
def traces() -> FailingTraces:
    return FailingTraces()


def client_of(sink) -> httpx.AsyncClient:
    surfaces = (
        http_routes(traces_service(OtlpTraces(sink)), "/v1/traces"),
        ZipkinRoutes(sink, SystemClock()).router(),
    )
    wiring = Wiring("traces", surfaces=surfaces, permissions=(permissions.READ, permissions.WRITE))
    app = build_app([wiring], gate=OpenGate(), registry=CollectorRegistry())
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")


@pytest.fixture
async def client(traces) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(traces) as made:
        yield made


@pytest.fixture
async def grpc_target(traces) -> AsyncIterator[str]:
    service = traces_service(OtlpTraces(traces))
    server = OtlpGrpc((service,), OpenGate(), OtlpSettings(grpc_listen="127.0.0.1:0", max_message=1_000_000))
    await server.start()
    yield f"127.0.0.1:{server.port}"
    await server.stop()


def otlp_body(trace: bytes = b"t" * 16) -> bytes:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.add(key="service.name").value.string_value = "shop"
    span = group.scope_spans.add().spans.add(trace_id=trace, span_id=b"s" * 8, name="GET /", kind=3)
    span.start_time_unix_nano, span.end_time_unix_nano = 5, 2**64 - 1
    span.attributes.add(key="list").value.array_value.values.add().bytes_value = b"\xff"
    span.attributes.add(key="map").value.kvlist_value.values.add(key="a").value.double_value = 0.5
    span.events.add(name="x", time_unix_nano=6).attributes.add(key="b").value.bool_value = True
    span.links.add(trace_id=b"1" * 16, span_id=b"2" * 8)
    span.status.code, span.status.message = 2, "gone"
    return request.SerializeToString()


JSON_BODY = (
    b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c",'
    b'"spanId":"eee19b7ec3c1b174","name":"x","attributes":[{"key":"a","value":{"intValue":"1"}}]}]}]}]}'
)
ZIPKIN = [{"traceId": "1", "id": "2", "timestamp": 5, "tags": {"a": "b"}, "localEndpoint": {"serviceName": "x"}}]
BODIES = {
    "otlp": ("/v1/traces", PROTOBUF, otlp_body()),
    "otlp_json": (
        "/v1/traces",
        JSON,
        JSON_BODY,
    ),
    "zipkin": ("/api/v2/spans", JSON, orjson.dumps(ZIPKIN)),
}


def damage(body: bytes, dice: random.Random) -> bytes:
    spoilt = bytearray(body)
    for _ in range(dice.randint(1, 4)):
        place = dice.randrange(len(spoilt) or 1)
        match dice.randrange(4):
            case 0:
                spoilt[place : place + 1] = dice.randbytes(1)
            case 1:
                del spoilt[place : place + dice.randint(1, 9)]
            case 2:
                spoilt[place:place] = dice.randbytes(dice.randint(1, 9))
            case _:
                spoilt[place:place] = spoilt[: dice.randint(0, len(spoilt))]
    return bytes(spoilt)


@pytest.mark.parametrize("name", BODIES)
async def test_damaged_bodies_are_answered_in_the_protocols_words(client, name):
    path, content_type, body = BODIES[name]
    dice = random.Random(name)
    for _ in range(ROUNDS):
        damaged = damage(body, dice)
        answer = await client.post(path, content=damaged, headers={"content-type": content_type})
        assert answer.status_code in ANSWERS, (damaged, answer.text)
    assert (await client.post(path, content=body, headers={"content-type": content_type})).is_success


async def code_of(call) -> str:
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error.code().name
    return "OK"


async def test_damaged_messages_over_grpc_are_invalid_or_taken(grpc_target):
    dice = random.Random("grpc")
    async with grpc.aio.insecure_channel(grpc_target) as channel:
        export = channel.unary_unary(METHOD)
        answers = [await code_of(export(damage(otlp_body(), dice))) for _ in range(ROUNDS)]
        assert set(answers) == {"OK", "INVALID_ARGUMENT"}
        await export(otlp_body())


@pytest.mark.parametrize("name", BODIES)
async def test_bodies_that_are_not_compressed_as_they_say_are_refused(client, name):
    path, content_type, body = BODIES[name]
    for encoding, told in (("gzip", 400), ("zstd", 400), ("br", 415)):
        headers = {"content-type": content_type, "content-encoding": encoding}
        assert (await client.post(path, content=body, headers=headers)).status_code == told
    for encoding, pack in (("gzip", gzip.compress), ("zstd", zstd.compress)):
        headers = {"content-type": content_type, "content-encoding": encoding}
        assert (await client.post(path, content=pack(body), headers=headers)).is_success
        cut = pack(body)[:-9]
        assert (await client.post(path, content=cut, headers=headers)).status_code == 400


@pytest.mark.parametrize("name", BODIES)
async def test_a_bomb_is_stopped_at_its_limit(client, name):
    path, content_type, _ = BODIES[name]
    for encoding, pack in (("gzip", gzip.compress), ("zstd", zstd.compress)):
        headers = {"content-type": content_type, "content-encoding": encoding}
        assert (await client.post(path, content=pack(bytes(100_000_000)), headers=headers)).status_code == 413


async def test_a_bomb_over_grpc_is_stopped_at_its_limit(grpc_target):
    async with grpc.aio.insecure_channel(grpc_target, compression=grpc.Compression.Gzip) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary(METHOD)(bytes(30_000_000))
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        await channel.unary_unary(METHOD)(otlp_body())


async def test_values_in_json_are_nested_so_deep_and_no_deeper(client):
    for depth, told in ((10, 200), (1000, 400)):
        value = b'{"arrayValue":{"values":[' * depth + b'{"stringValue":"x"}' + b"]}}" * depth
        body = BODIES["otlp_json"][2].replace(b'{"intValue":"1"}', value)
        answer = await client.post("/v1/traces", content=body, headers={"content-type": JSON})
        assert answer.status_code == told, answer.text


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (BusyError("busy"), (429, "RESOURCE_EXHAUSTED", "1")),
        (UnavailableError("away"), (503, "UNAVAILABLE", "1")),
        (StorageFullError("disk"), (503, "UNAVAILABLE", "1")),
        (LimitError("too fast", retry=after(7)), (429, "RESOURCE_EXHAUSTED", "7")),
    ],
)
async def test_senders_are_told_to_come_back(client, grpc_target, traces, error, told):
    traces.failure, (status, code, after_s) = error, told
    for path, content_type, body in BODIES.values():
        answer = await client.post(path, content=body, headers={"content-type": content_type})
        assert (answer.status_code, answer.headers["retry-after"]) == (status, after_s)
    async with grpc.aio.insecure_channel(grpc_target) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary(METHOD)(otlp_body())
    assert caught.value.code().name == code
    assert b"google.rpc.RetryInfo" in dict(caught.value.trailing_metadata())["grpc-status-details-bin"]


async def test_a_store_that_is_slow_makes_senders_back_off(open_store, store_url):
    store = await open_store(store_url, SCHEMA, queue_rows=3, linger=0.2)
    waiting = store.writer(SCHEMA.tables[0])
    sink = TraceSink(store)
    tasks = [asyncio.create_task(sink.append(DEFAULT_TENANT, spans([Row(1, number)]))) for number in (1, 2, 3)]
    await asyncio.sleep(0)
    assert waiting.queued_rows == 3
    async with client_of(sink) as client:
        for path, content_type, body in BODIES.values():
            answer = await client.post(path, content=body, headers={"content-type": content_type})
            assert (answer.status_code, answer.headers["retry-after"]) == (429, "1"), answer.text
        await asyncio.gather(*tasks)
        assert (await client.post("/v1/traces", content=otlp_body(), headers={"content-type": PROTOBUF})).is_success
    trace = await StoredTraces(store).trace(DEFAULT_TENANT, trace_id(1))
    assert trace is not None
    assert len(trace.spans) == 3
