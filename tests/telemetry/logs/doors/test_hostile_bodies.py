"""Whatever bytes come to a door of logs, the answer is the protocol's own, and what cannot be read is not stored."""

from __future__ import annotations

import random

import httpx
import pytest
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as pb
from prometheus_client import CollectorRegistry

from holdfast.kernel.auth import OpenGate
from holdfast.kernel.permissions import Permission, Role
from holdfast.kernel.wiring import Wiring
from holdfast.telemetry import snappy
from holdfast.telemetry.logs import MemoryLogSink, MemoryLogSource
from holdfast.telemetry.logs.loki import LokiPush, push_routes
from holdfast.telemetry.logs.loki.messages import build_push_request
from holdfast.telemetry.logs.otlp import PATHS, OtlpLogs, logs_service
from holdfast.telemetry.otlp import http_routes
from holdfast.web.assembly import build_app

ROUNDS = 150
PROTOBUF, JSON = "application/x-protobuf", "application/json"
ANSWERS = {200, 204, 400, 413, 415}


@pytest.fixture
async def client():
    sink = MemoryLogSink(MemoryLogSource())
    surfaces = (http_routes(logs_service(OtlpLogs(sink)), *PATHS), push_routes(LokiPush(sink)))
    permissions = (Permission("logs.write", Role.OPERATOR, "Write."),)
    app = build_app(
        [Wiring("logs", surfaces=surfaces, permissions=permissions)], gate=OpenGate(), registry=CollectorRegistry()
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        yield client


def otlp_body() -> bytes:
    request = pb.ExportLogsServiceRequest()
    part = request.resource_logs.add()
    part.resource.attributes.add(key="service.name").value.string_value = "shop"
    record = part.scope_logs.add().log_records.add(time_unix_nano=2**64 - 1, severity_number=9, trace_id=b"\x01" * 16)
    record.body.kvlist_value.values.add(key="a").value.array_value.values.add().double_value = 0.5
    record.attributes.add(key="x").value.bytes_value = b"\xff"
    return request.SerializeToString()


def push_body() -> bytes:
    made = build_push_request()()
    entry = made.streams.add(labels='{a="b"}').entries.add(line="x" * 50)
    entry.timestamp.seconds = -(2**60)
    entry.structured_metadata.add(name="", value="v")
    return snappy.compress(made.SerializeToString())


BODIES = {
    "otlp": ("/v1/logs", PROTOBUF, otlp_body()),
    "otlp_json": (
        "/v1/logs",
        JSON,
        b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1","body":{"stringValue":"x"}}]}]}]}',
    ),
    "push": ("/loki/api/v1/push", PROTOBUF, push_body()),
    "push_json": ("/loki/api/v1/push", JSON, b'{"streams":[{"stream":{"a":"b"},"values":[["1","x",{"k":"v"}]]}]}'),
}


def damage(body: bytes, dice: random.Random) -> bytes:
    bytes_of = bytearray(body)
    for _ in range(dice.randint(1, 4)):
        place = dice.randrange(len(bytes_of))
        match dice.randrange(4):
            case 0:
                bytes_of[place] = dice.randrange(256)
            case 1:
                del bytes_of[place : place + dice.randint(1, 9)]
            case 2:
                bytes_of[place:place] = dice.randbytes(dice.randint(1, 9))
            case _:
                bytes_of[place:place] = bytes_of[: dice.randint(1, len(bytes_of))]
        if not bytes_of:
            break
    return bytes(bytes_of)


@pytest.mark.parametrize("name", BODIES)
async def test_damaged_bodies_are_answered_in_the_protocols_words(client, name):
    path, content_type, body = BODIES[name]
    dice = random.Random(name)
    for _ in range(ROUNDS):
        damaged = damage(body, dice)
        answer = await client.post(path, content=damaged, headers={"content-type": content_type})
        assert answer.status_code in ANSWERS, (damaged, answer.text)


@pytest.mark.parametrize("name", BODIES)
async def test_bodies_that_are_not_compressed_as_they_say_are_refused(client, name):
    path, content_type, body = BODIES[name]
    for encoding in ("gzip", "zstd"):
        headers = {"content-type": content_type, "content-encoding": encoding}
        assert (await client.post(path, content=body, headers=headers)).status_code == 400


async def test_maps_that_are_nested_deeply_are_bounded(client):
    nested = b'{"kvlistValue":{"values":[{"key":"a","value":' * 30 + b'{"stringValue":"x"}' + b"}]}}" * 30
    body = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":' + nested + b"}]}]}]}"
    answer = await client.post("/v1/logs", content=body, headers={"content-type": JSON})

    assert answer.status_code in {200, 400}
