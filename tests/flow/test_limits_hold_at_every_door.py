"""Sampling, the longest line and the rate of a stream hold whatever door records come in by, and are counted."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import httpx
import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

JSON: Final = {"content-type": "application/json"}
LIMITS: Final = {
    "burst": "1s",
    "streams": [
        {"match": '{service_name="wordy"}', "max_line": "20B"},
        {"match": '{service_name="fast"}', "lines_per_s": 0.001},
    ],
    "sampling": [{"match": '{service_name="chatty"}', "keep_one_in": 1_000_000_000}],
}
Send = Callable[[httpx.AsyncClient, str, list[str]], Awaitable[httpx.Response]]


def otlp(service: str, lines: list[str]) -> dict[str, Any]:
    now = time.time_ns()
    records = [{"timeUnixNano": str(now + at), "body": {"stringValue": line}} for at, line in enumerate(lines)]
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    return {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": records}]}]}


async def otlp_json(client: httpx.AsyncClient, service: str, lines: list[str]) -> httpx.Response:
    return await client.post("/v1/logs", content=json.dumps(otlp(service, lines)), headers=JSON)


async def otlp_protobuf(client: httpx.AsyncClient, service: str, lines: list[str]) -> httpx.Response:
    content = json_format.ParseDict(otlp(service, lines), ExportLogsServiceRequest()).SerializeToString()
    return await client.post("/v1/logs", content=content, headers={"content-type": "application/x-protobuf"})


async def loki(client: httpx.AsyncClient, service: str, lines: list[str]) -> httpx.Response:
    values = [[str(time.time_ns() + at), line] for at, line in enumerate(lines)]
    return await client.post("/loki/api/v1/push", json={"streams": [{"stream": {"app": service}, "values": values}]})


async def bulk(client: httpx.AsyncClient, service: str, lines: list[str]) -> httpx.Response:
    parts = [part for line in lines for part in ({"create": {}}, {"message": line, "service": {"name": service}})]
    content = "".join(f"{json.dumps(part)}\n" for part in parts)
    return await client.post("/elastic/logs/_bulk", content=content, headers={"content-type": "application/x-ndjson"})


async def plain(client: httpx.AsyncClient, service: str, lines: list[str]) -> httpx.Response:
    return await client.post("/api/v1/logs/lines", params={"service": service}, content="\n".join(lines))


async def limits(client: httpx.AsyncClient) -> dict[str, int]:
    found: dict[str, int] = (await client.get("/api/v1/logs/limits")).json()["dropped"]
    return found


@pytest.mark.parametrize("send", [otlp_json, otlp_protobuf, loki, bulk, plain])
async def test_all_three_hold(running: Any, send: Send) -> None:
    async with running(log_limits=LIMITS) as client:
        assert (await send(client, "chatty", ["tick a", "tick b", "error: boom"])).is_success
        told = await send(client, "wordy", ["short", "much longer than it may be"])
        assert "line_too_long" in told.text or "longer" in told.text or "twenty" in told.text, told.text
        assert (await send(client, "fast", ["first"])).is_success
        again = await send(client, "fast", ["second"])
        assert (again.status_code, int(again.headers["retry-after"]) > 1) == (429, True)
        assert await limits(client) == {"sampled": 2, "line_too_long": 1, "put_off": 1}
        answer = await client.get("/loki/api/v1/query_range", params={"query": '{service_name=~".+"}'})
        kept = {line for stream in answer.json()["data"]["result"] for _, line in stream["values"]}
        assert kept == {"error: boom", "short", "first"}
        metrics = (await client.get("/metrics")).text
        assert 'holdfast_log_limits_dropped_total{reason="line_too_long",tenant="default"} 1.0' in metrics


async def test_a_fast_stream_loses_what_is_too_much_while_the_others_of_its_request_go_on(running: Any) -> None:
    async with running(log_limits=LIMITS) as client:
        assert (await loki(client, "fast", ["first"])).is_success
        now = str(time.time_ns())
        streams = [{"stream": {"app": name}, "values": [[now, "second"]]} for name in ("fast", "calm")]
        told = await client.post("/loki/api/v1/push", json={"streams": streams})
        assert (told.status_code, "rate_limit" in told.text or "rate" in told.text) == (400, True)
        assert await limits(client) == {"rate_limit": 1}
        answer = await client.get("/loki/api/v1/query_range", params={"query": '{service_name="calm"}'})
        assert answer.json()["data"]["result"][0]["values"][0][1] == "second"


async def test_syslog_too(running: Any) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with running(log_limits=LIMITS, syslog={"tcp_listen": f"127.0.0.1:{port}"}) as client:
        lines = ["chatty: tick a", "chatty: tick b", "wordy: short", "wordy: much longer than it may be"]
        async with asyncio.timeout(60):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    break
                except OSError:
                    await asyncio.sleep(0.05)
            writer.write("".join(f"<14>{line}\n" for line in lines).encode())
            await writer.drain()
            writer.close()
            while len(await limits(client)) < 2:  # noqa: ASYNC110 -- syslog tells nobody that it took something
                await asyncio.sleep(0.05)
        assert await limits(client) == {"sampled": 2, "line_too_long": 1}
