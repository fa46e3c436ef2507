"""Secrets of every kind come in by every door, in every place where a sender can write; none is in the data folder."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from fixtures.secrets import LEAKS, Leak
from holdfast import app, web
from holdfast.cli.configuration import SECTIONS
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.settings import load
from holdfast.store import StoreRoom
from holdfast.telemetry import snappy
from holdfast.telemetry.logs.loki.messages import build_push_request
from holdfast.web.assembly import build_app  # noqa: F401 -- the app's web is made of it

PROTOBUF: Final = {"content-type": "application/x-protobuf"}
JSON: Final = {"content-type": "application/json"}
Door = Callable[[httpx.AsyncClient, Leak, int], Awaitable[httpx.Response]]


def texts(leak: Leak) -> dict[str, Any]:
    return {"said": {"stringValue": leak.text}, "list": {"arrayValue": {"values": [{"stringValue": leak.text}]}}}


def attributes(leak: Leak) -> list[dict[str, Any]]:
    return [{"key": name, "value": value} for name, value in texts(leak).items()]


def resource(leak: Leak) -> dict[str, Any]:
    service = {"key": "service.name", "value": {"stringValue": f"shop {leak.text}"}}
    return {"attributes": [service, *attributes(leak)]}


def otlp_logs(leak: Leak, number: int) -> dict[str, Any]:
    now = str(time.time_ns() + number)
    said = {"timeUnixNano": now, "severityText": leak.text, "attributes": attributes(leak)}
    plain = {**said, "body": {"stringValue": leak.text}}
    nested = {**said, "body": {"kvlistValue": {"values": attributes(leak)}}}
    scope = {"name": leak.text, "version": leak.text, "attributes": attributes(leak)}
    return {
        "resourceLogs": [{"resource": resource(leak), "scopeLogs": [{"scope": scope, "logRecords": [plain, nested]}]}]
    }


def otlp_traces(leak: Leak, number: int) -> dict[str, Any]:
    now = time.time_ns() + number
    span = {
        "traceId": f"{number + 1:032x}",
        "spanId": f"{number + 1:016x}",
        "name": leak.text,
        "traceState": leak.text,
        "startTimeUnixNano": str(now),
        "endTimeUnixNano": str(now + 1000),
        "attributes": attributes(leak),
        "status": {"code": 2, "message": leak.text},
        "events": [{"timeUnixNano": str(now), "name": leak.text, "attributes": attributes(leak)}],
        "links": [{"traceId": "ab" * 16, "spanId": "cd" * 8, "traceState": leak.text, "attributes": attributes(leak)}],
    }
    return {
        "resourceSpans": [{"resource": resource(leak), "scopeSpans": [{"scope": {"name": leak.text}, "spans": [span]}]}]
    }


def protobuf_of(document: dict[str, Any], message: Any) -> bytes:
    document = json.loads(json.dumps(document))
    for group in document.get("resourceSpans", ()):
        for span in group["scopeSpans"][0]["spans"]:
            for item in (span, *span["links"]):  # protobuf's JSON writes ids in base64, OTLP's in hexadecimal
                item |= {name: _base64(item[name]) for name in ("traceId", "spanId")}
    return json_format.ParseDict(document, message).SerializeToString()


def _base64(digits: str) -> str:
    return base64.b64encode(bytes.fromhex(digits)).decode()


async def logs_json(client: httpx.AsyncClient, leak: Leak, number: int) -> httpx.Response:
    return await client.post("/v1/logs", content=json.dumps(otlp_logs(leak, number)), headers=JSON)


async def logs_protobuf(client: httpx.AsyncClient, leak: Leak, number: int) -> httpx.Response:
    content = protobuf_of(otlp_logs(leak, number), ExportLogsServiceRequest())
    return await client.post("/v1/logs", content=content, headers=PROTOBUF)


async def traces_json(client: httpx.AsyncClient, leak: Leak, number: int) -> httpx.Response:
    return await client.post("/v1/traces", content=json.dumps(otlp_traces(leak, number)), headers=JSON)


async def traces_protobuf(client: httpx.AsyncClient, leak: Leak, number: int) -> httpx.Response:
    content = protobuf_of(otlp_traces(leak, number + 1000), ExportTraceServiceRequest())
    return await client.post("/v1/traces", content=content, headers=PROTOBUF)


async def loki_json(client: httpx.AsyncClient, leak: Leak, number: int) -> httpx.Response:
    entry = [str(time.time_ns() + number), leak.text, {"said": leak.text, "trace_id": leak.text}]
    document = {"streams": [{"stream": {"app": "shop", "said": leak.text}, "values": [entry]}]}
    return await client.post("/loki/api/v1/push", content=json.dumps(document), headers=JSON)


async def loki_snappy(client: httpx.AsyncClient, leak: Leak, number: int) -> httpx.Response:
    made = build_push_request()()
    stream = made.streams.add(labels=f'{{app="shop", said={json.dumps(leak.text)}}}')
    entry = stream.entries.add(line=leak.text)
    entry.timestamp.seconds, entry.timestamp.nanos = divmod(time.time_ns() + number, 10**9)
    entry.structured_metadata.add(name="said", value=leak.text)
    content = snappy.compress(made.SerializeToString())
    return await client.post("/loki/api/v1/push", content=content, headers=PROTOBUF)


async def lines_text(client: httpx.AsyncClient, leak: Leak, number: int) -> httpx.Response:
    del number
    params = {"service": f"shop {leak.text}"[:200], "host": leak.text[:200]}
    return await client.post("/api/v1/logs/lines", content=leak.text, params=params)


async def lines_json(client: httpx.AsyncClient, leak: Leak, number: int) -> httpx.Response:
    document = [{"message": leak.text, "said": leak.text, "deep": {"said": [leak.text, number]}}, leak.text]
    return await client.post("/api/v1/logs/lines", content=json.dumps(document), headers=JSON)


async def elastic_bulk(client: httpx.AsyncClient, leak: Leak, number: int) -> httpx.Response:
    document = {"message": leak.text, "said": leak.text, "deep": {"said": leak.text, "n": number}}
    content = f"{json.dumps({'create': {'_index': 'logs'}})}\n{json.dumps(document)}\n"
    return await client.post("/elastic/_bulk", content=content, headers={"content-type": "application/x-ndjson"})


async def zipkin_json(client: httpx.AsyncClient, leak: Leak, number: int) -> httpx.Response:
    span = {
        "traceId": f"{number + 5000:032x}",
        "id": f"{number + 5000:016x}",
        "name": leak.text,
        "timestamp": time.time_ns() // 1000,
        "duration": 5,
        "localEndpoint": {"serviceName": f"shop {leak.text}"},
        "tags": {"said": leak.text, "error": leak.text},
        "annotations": [{"timestamp": time.time_ns() // 1000, "value": leak.text}],
    }
    return await client.post("/api/v2/spans", content=json.dumps([span]), headers=JSON)


DOORS: Final[tuple[Door, ...]] = (
    lines_text,
    lines_json,
    elastic_bulk,
    zipkin_json,
    logs_json,
    logs_protobuf,
    loki_json,
    loki_snappy,
    traces_json,
    traces_protobuf,
)


async def kept_rows(room: StoreRoom) -> str:
    """Give all that the engine keeps, as text."""
    every = "{tenant:String} != ''"
    query = f"SELECT name FROM system.tables WHERE database = currentDatabase() AND {every}"
    tables = (await room.store.query(query, tenant=DEFAULT_TENANT)).to_pylist()
    kept = []
    for table in tables:
        query = f"SELECT base64Encode(toJSONString(tuple(*))) AS row FROM `{table['name']}` WHERE {every}"
        rows = (await room.store.query(query, tenant=DEFAULT_TENANT)).to_pylist()
        kept += [base64.b64decode(row["row"]).decode("utf-8", "replace") for row in rows]  # ids are bytes
    return "\n".join(kept)


async def answers(client: httpx.AsyncClient) -> str:
    """Give what the APIs answer."""
    calls = (
        '/loki/api/v1/query_range?limit=5000&query={service_name=~".%2B"}',
        '/loki/api/v1/series?match[]={service_name=~".%2B"}',
        "/jaeger/api/services",
    )
    found = [await client.get(call) for call in calls]
    for service in found[-1].json()["data"]:
        found += [await client.get("/jaeger/api/traces", params={"service": service, "limit": 1000})]
    assert [answer.status_code for answer in found] == [200] * len(found), [answer.text[:200] for answer in found]
    return "\n".join(answer.text for answer in found)


def files_with(folder: Path, secret: bytes) -> list[str]:
    return [file.name for file in folder.rglob("*") if file.is_file() and secret in file.read_bytes()]


@pytest.mark.slow
async def test_secrets_never_reach_the_disk(tmp_path: Path) -> None:
    data = tmp_path / "data"
    server = {"data": data, "ops": tmp_path / "ops", "auth": "off"}
    settings = load(SECTIONS, environ={}, overrides={"server": server, "otlp": {"grpc_listen": ""}})
    holdfast = await app.build(settings, {})
    try:
        await holdfast.start()
        transport = httpx.ASGITransport(web.build(holdfast))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            for door in DOORS:
                told = await asyncio.gather(*(door(client, leak, number) for number, leak in enumerate(LEAKS)))
                assert {answer.status_code for answer in told} <= {200, 202, 204}, [answer.text for answer in told]
            room = holdfast.room("store")
            assert isinstance(room, StoreRoom)
            kept = f"{await kept_rows(room)}\n{await answers(client)}"
            report = (await client.get("/api/v1/scrub")).json()
    finally:
        await holdfast.stop()
    assert "shop" in kept
    found = {kind["kind"]: (kind["in_logs"], kind["in_traces"]) for kind in report["kinds"]}
    for leak in LEAKS:
        for told in (leak.secret, json.dumps(leak.secret)[1:-1]):
            assert told not in kept, (leak.kind, kept[max(0, kept.index(told) - 200) :][:400])
            assert files_with(data, told.encode()) == [], leak
        assert f"[{leak.kind}]" in kept
        assert min(found[leak.kind]) > 0
