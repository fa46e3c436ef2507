"""Payloads of Loki's push clients: snappy protobuf and JSON, with structured metadata, whole and broken."""

from __future__ import annotations

import gzip
import json

import httpx
import pytest
from prometheus_client import CollectorRegistry

from fixtures.logs import rows, wanted
from holdfast.kernel.auth import OpenGate
from holdfast.kernel.errors import BusyError
from holdfast.kernel.permissions import Permission, Role
from holdfast.kernel.wiring import Wiring
from holdfast.telemetry import snappy
from holdfast.telemetry.logs import MemoryLogSink, MemoryLogSource
from holdfast.telemetry.logs.loki import LokiPush, LokiSettings, push_routes
from holdfast.telemetry.logs.loki.messages import build_push_request
from holdfast.web.assembly import build_app

PATH = "/loki/api/v1/push"
NOW_NS = 1_780_000_000_123_456_789


@pytest.fixture
def source():
    return MemoryLogSource()


@pytest.fixture
def sink(source):
    return MemoryLogSink(source)


@pytest.fixture
async def client(sink):
    door = push_routes(LokiPush(sink, settings=LokiSettings(max_body=10_000)))
    permissions = (Permission("logs.write", Role.OPERATOR, "Write."),)
    app = build_app(
        [Wiring("logs", surfaces=(door,), permissions=permissions)], gate=OpenGate(), registry=CollectorRegistry()
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        yield client


def protobuf(labels: str, *lines: str, **metadata: str) -> bytes:
    made = build_push_request()()
    stream = made.streams.add(labels=labels)
    for number, line in enumerate(lines):
        entry = stream.entries.add(line=line)
        entry.timestamp.seconds, entry.timestamp.nanos = divmod(NOW_NS + number, 10**9)
        for name, value in metadata.items():
            entry.structured_metadata.add(name=name, value=value)
    return snappy.compress(made.SerializeToString())


async def push(client, body, content_type="application/x-protobuf", **headers):
    return await client.post(PATH, content=body, headers={"content-type": content_type, **headers})


async def test_snappy_protobuf_is_stored(client, source):
    body = protobuf('{job="nginx", filename="/var/log/a \\"b\\".log"}', "one", "two", trace_id="abc", pod="p-1")

    answer = await push(client, body)

    assert (answer.status_code, answer.content) == (204, b"")
    labels = {"job": "nginx", "filename": '/var/log/a "b".log', "service_name": "nginx"}
    metadata = {"trace_id": "abc", "pod": "p-1", "detected_level": "unknown"}
    assert await rows(source, wanted(())) == [
        (NOW_NS + 1, "two", labels, metadata),
        (NOW_NS, "one", labels, metadata),
    ]


async def test_a_body_without_a_type_is_snappy_protobuf(client, source):
    assert (await client.post(PATH, content=protobuf('{a="b"}', "x"))).status_code == 204
    assert [row[1] for row in await rows(source, wanted(()))] == ["x"]


@pytest.mark.parametrize("is_packed", [False, True])
async def test_json_is_stored(client, source, is_packed):
    document = {
        "streams": [
            {"stream": {"app": "shop"}, "values": [[str(NOW_NS), "level=warn x", {"user": "ann"}], ["5", "y"]]},
            {"stream": {"service_name": "mail"}, "values": [[str(NOW_NS), "z"]]},
        ]
    }
    body = json.dumps(document).encode()
    packed = {"content-encoding": "gzip"} if is_packed else {}

    answer = await push(client, gzip.compress(body) if is_packed else body, "application/json; charset=utf-8", **packed)

    assert answer.status_code == 204
    found = {row[1]: (row[0], row[2], row[3]) for row in await rows(source, wanted(()))}
    assert found["level=warn x"] == (
        NOW_NS,
        {"app": "shop", "service_name": "shop"},
        {"user": "ann", "detected_level": "warn"},
    )
    assert found["y"][0] == 5
    assert found["z"][1] == {"service_name": "mail"}


async def test_known_fields_of_metadata_get_their_columns(client, source):
    metadata = {"severity_number": "17", "observed_timestamp": str(NOW_NS + 5), "span_id": "s"}
    await push(client, protobuf('{a="b"}', "x", **metadata))

    [(_, _, _, found)] = await rows(source, wanted(()))
    assert found == {**metadata, "detected_level": "error"}


async def test_a_number_that_is_none_stays_as_it_was_sent(client, source):
    metadata = {"severity_number": "loud", "observed_timestamp": "9" * 30}
    await push(client, protobuf('{a="b"}', "x", **metadata))

    [(_, _, _, found)] = await rows(source, wanted(()))
    assert found == {**metadata, "detected_level": "unknown"}


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ("{}", "at least one label pair"),
        ('{a=~"b"}', "only ="),
        ('{a="b"', "error parsing labels"),
        ("", "at least one"),
    ],
)
async def test_streams_with_wrong_labels_are_refused_and_the_others_stored(client, source, labels, told):
    made = build_push_request()()
    for text in (labels, '{a="b"}'):
        made.streams.add(labels=text).entries.add(line="x").timestamp.seconds = 7

    answer = await push(client, snappy.compress(made.SerializeToString()))

    assert answer.status_code == 400
    assert told in answer.text
    assert "1 entries were refused (1 by labels), the others are stored" in answer.text
    assert [row[2] for row in await rows(source, wanted(()))] == [{"a": "b", "service_name": "unknown_service"}]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "told"),
    [
        (b"\xff\xff\xff", "application/x-protobuf", 400, "snappy"),
        (snappy.compress(b"\xff\xff"), "application/x-protobuf", 400, "no PushRequest"),
        (snappy.compress(b"\0" * 20_000), "application/x-protobuf", 413, "loki.max_body"),
        (b"{", "application/json", 400, "no JSON"),
        (b"[]", "application/json", 400, "no list of streams"),
        (b'{"streams":[5]}', "application/json", 400, "streams[0]"),
        (b'{"streams":[{"stream":{"a":1},"values":[]}]}', "application/json", 400, "streams[0].stream"),
        (b'{"streams":[{"stream":{"a":"b"},"values":[[1,"x"]]}]}', "application/json", 400, "values[0][0]"),
        (b'{"streams":[{"stream":{"a":"b"},"values":[["1x","x"]]}]}', "application/json", 400, "values[0][0]"),
        (b'{"streams":[{"stream":{"a":"b"},"values":[["1",5]]}]}', "application/json", 400, "values[0]"),
        (b'{"streams":[{"stream":{"a":"b"},"values":[["1","x",{"a":1}]]}]}', "application/json", 400, "values[0][2]"),
        (b"x", "text/csv", 415, "text/csv"),
    ],
)
async def test_bad_bodies_are_refused_by_place(client, source, body, content_type, status, told):
    answer = await push(client, body, content_type)

    assert answer.status_code == status
    assert told in answer.text
    assert await rows(source, wanted(())) == []


async def test_senders_are_told_to_come_back(client, sink, monkeypatch):
    async def refuse(tenant, arrival):
        raise BusyError("full")

    monkeypatch.setattr(sink, "append", refuse)
    answer = await push(client, protobuf('{a="b"}', "x"))

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_streams_that_the_book_forgot_are_asked_for_again(client, sink, source):
    await push(client, protobuf('{a="b"}', "one"))
    sink.book("default").forget()
    await push(client, protobuf('{a="b"}', "two"))

    assert sorted(row[1] for row in await rows(source, wanted(()))) == ["one", "two"]
