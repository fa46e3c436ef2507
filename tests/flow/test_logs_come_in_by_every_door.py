"""The real app takes log records through each door, keeps them over a restart, and gives them out by LogQL."""

from __future__ import annotations

import json
import time
from typing import Any

from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as pb

from holdfast.telemetry import snappy
from holdfast.telemetry.logs.loki.messages import build_push_request

NOW_NS = time.time_ns()
JSON = {"content-type": "application/json"}
PROTOBUF = {"content-type": "application/x-protobuf"}


def otlp(body: str) -> bytes:
    request = pb.ExportLogsServiceRequest()
    part = request.resource_logs.add()
    part.resource.attributes.add(key="service.name").value.string_value = "shop"
    part.resource.attributes.add(key="host.name").value.string_value = "node-1"
    record = part.scope_logs.add().log_records.add(time_unix_nano=NOW_NS, severity_number=17)
    record.body.string_value = body
    record.trace_id = bytes(range(16))
    return request.SerializeToString()


def push_protobuf(line: str) -> bytes:
    made = build_push_request()()
    entry = made.streams.add(labels='{service_name="shop", door="protobuf"}').entries.add(line=line)
    entry.timestamp.seconds, entry.timestamp.nanos = divmod(NOW_NS + 1, 10**9)
    return snappy.compress(made.SerializeToString())


def push_json(line: str) -> bytes:
    values = [[str(NOW_NS + 2), line, {"user": "ann"}]]
    return json.dumps({"streams": [{"stream": {"service_name": "shop", "door": "json"}, "values": values}]}).encode()


async def ask(client: Any, query: str, **headers: str) -> list[Any]:
    span = {"start": str(NOW_NS - 10**9), "end": str(NOW_NS + 10**9)}
    answer = await client.get("/loki/api/v1/query_range", params={"query": query, **span}, headers=headers)
    assert answer.status_code == 200, answer.text
    result: list[Any] = answer.json()["data"]["result"]
    return result


async def test_lines_in_json_are_a_matter_of_their_door(running: Any) -> None:
    deep = json.loads("[" * 200 + "]" * 200)
    async with running() as client:
        answer = await client.post("/api/v1/logs/lines?service=shop", json=["a\0b", {"message": "deep", "deep": deep}])
        assert (answer.status_code, answer.json()["stored"]) == (200, 2), answer.text


async def test_every_door_is_read_back_and_survives_a_restart(running: Any) -> None:
    async with running() as client:
        for path, body, headers, status in (
            ("/v1/logs", otlp("order failed by otlp"), PROTOBUF, 200),
            ("/loki/api/v1/push", push_protobuf("order failed by protobuf"), PROTOBUF, 204),
            ("/loki/api/v1/push", push_json("order failed by json"), JSON, 204),
        ):
            for _ in range(2):  # what is sent again is stored once
                answer = await client.post(path, content=body, headers=headers)
                assert answer.status_code == status, answer.text
    async with running() as client:
        found = await ask(client, '{service_name="shop"} |= "order failed"')
        lines = sorted(value[1] for stream in found for value in stream["values"])
        assert lines == ["order failed by json", "order failed by otlp", "order failed by protobuf"]
        [by_trace] = await ask(client, '{service_name="shop"} | trace_id="000102030405060708090a0b0c0d0e0f"')
        assert (by_trace["stream"]["host_name"], by_trace["stream"]["detected_level"]) == ("node-1", "error")
        [counted] = await ask(client, 'sum(count_over_time({service_name="shop"}[1m]))', **{"x-scope-orgid": "default"})
        assert counted["values"][-1][1] == "3"
        assert await ask(client, '{service_name="shop"}', **{"x-scope-orgid": "another"}) == []
        metrics = (await client.get("/metrics")).text
        assert "holdfast_logs_records_stored_total" in metrics
