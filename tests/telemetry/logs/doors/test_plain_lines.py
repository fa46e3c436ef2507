"""Lines over HTTP, as text and as JSON: stored as records with what they tell, bad bodies refused."""

from __future__ import annotations

import json

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from fixtures.logs import rows, wanted
from holdfast.kernel.auth import OpenGate
from holdfast.kernel.errors import BusyError
from holdfast.kernel.permissions import Permission, Role
from holdfast.kernel.wiring import Wiring
from holdfast.telemetry.logs import MemoryLogSink, MemoryLogSource
from holdfast.telemetry.logs.plain import PlainLines, line_routes
from holdfast.web.assembly import build_app

PATH = "/api/v1/logs/lines"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def source():
    return MemoryLogSource()


@pytest.fixture
def sink(source):
    return MemoryLogSink(source, max_streams=3)


@pytest.fixture
async def client(sink):
    permissions = (Permission("logs.write", Role.OPERATOR, "Write."),)
    wiring = Wiring("logs", routers=(line_routes(PlainLines(sink)),), permissions=permissions)
    app = build_app([wiring], gate=OpenGate(), registry=CollectorRegistry())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        yield client


async def send(client, body, kind="text/plain", **query):
    return await client.post(PATH, content=body, headers={"content-type": kind}, params=query)


async def test_text_is_stored_line_by_line(client, source):
    body = (
        "2023-11-14T22:13:20Z ERROR order failed\r\nTraceback (most recent call last):\n"
        f'  File "a.py"\nKeyError: 1\n\n2023-11-14T22:13:21Z INFO trace_id={TRACE} fine\n'
    )
    answer = await send(client, body.encode(), service="shop", environment="test", host="web-1")

    assert (answer.status_code, answer.json()) == (200, {"stored": 2, "repeated": 0, "refused": {}})
    labels = {"service_name": "shop", "environment": "test"}
    first, second = sorted(await rows(source, wanted(())))
    assert first == (
        1_700_000_000_000_000_000,
        '2023-11-14T22:13:20Z ERROR order failed\nTraceback (most recent call last):\n  File "a.py"\nKeyError: 1',
        labels,
        {"host_name": "web-1", "detected_level": "error"},
    )
    assert second[2:] == (labels, {"host_name": "web-1", "detected_level": "info", "trace_id": TRACE})


async def test_lines_that_name_their_service_go_there(client, source):
    lines = [{"service": "a", "level": "warn"}, {"app": "b"}, {"x": 1}]
    answer = await send(client, "\n".join(map(json.dumps, lines)), "application/x-ndjson")

    assert answer.json()["stored"] == 3
    assert {row[2]["service_name"] for row in await rows(source, wanted(()))} == {"a", "b", "unknown_service"}


async def test_a_json_array_holds_texts_and_objects(client, source):
    await send(client, json.dumps(["one", {"message": "two", "time": 5}]), "application/json", service="s")

    assert {row[1] for row in await rows(source, wanted(()))} == {"one", '{"message":"two","time":5}'}


async def test_lines_of_a_container_runtime_lose_their_frame(client, source):
    body = "2023-11-14T22:13:20Z stdout P one \n2023-11-14T22:13:20Z stdout F two\n"
    await send(client, body, service="s")

    [(ts_ns, line, _, metadata)] = await rows(source, wanted(()))
    assert (ts_ns, line, metadata["stream"]) == (1_700_000_000_000_000_000, "one two", "stdout")


async def test_streams_over_the_limit_are_told(client):
    lines = "\n".join(json.dumps({"service": f"s{number}"}) for number in range(5))
    answer = await send(client, lines)

    assert answer.json() == {"stored": 3, "repeated": 0, "refused": {"stream_limit": 2}}


@pytest.mark.parametrize(
    ("body", "kind", "status", "told"),
    [
        (b"{", "application/json", 422, "no JSON"),
        (b"[5]", "application/json", 422, "[0]"),
        pytest.param(b"[" * 100_000, "application/json", 422, "deeper than 100 levels", id="deep"),
        (b"x", "text/csv", 415, "text/csv"),
        (b"x", "text/plain; charset=klingon", 422, "klingon"),
        (b"x", "text/plain; charset=rot13", 422, "rot13"),
    ],
)
async def test_bad_bodies_are_refused(client, source, body, kind, status, told):
    answer = await send(client, body, kind)

    assert answer.status_code == status
    assert told in answer.text
    assert await rows(source, wanted(())) == []


async def test_other_charsets_are_read_and_broken_text_is_kept(client, source):
    await send(client, "für".encode("latin-1"), "text/plain; charset=latin-1", service="s")
    await send(client, b"a\xffb\0c", service="s")

    assert {row[1] for row in await rows(source, wanted(()))} == {"für", "a\ufffdb\0c"}


async def test_senders_are_told_to_come_back(client, sink, monkeypatch):
    async def refuse(tenant, arrival):
        raise BusyError("full")

    monkeypatch.setattr(sink, "append", refuse)
    answer = await send(client, "x")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["text/plain", "application/json", "application/x-ndjson"]))
async def test_no_body_breaks_it(client, body, kind):
    assert (await send(client, body, kind)).status_code in {200, 422}


async def test_equal_lines_of_one_request_are_kept_and_the_request_sent_again_is_not(client):
    body = "2023-11-14T22:13:20Z INFO x\n" * 3
    assert (await send(client, body, service="s")).json() == {"stored": 3, "repeated": 0, "refused": {}}
    assert (await send(client, body, service="s")).json() == {"stored": 0, "repeated": 3, "refused": {}}
