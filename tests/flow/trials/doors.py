"""Doors of a running server, and what each has acknowledged: for trials that kill or fill it.

Every send holds one number. Syslog has no acknowledgement, so there is nothing of it to be kept here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import grpc.aio
import httpx
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from fixtures.remote_write import encode1, encode2
from fixtures.traces import span_id
from flow.trials.requests import HEADERS
from holdfast.telemetry import snappy
from holdfast.telemetry.logs.loki.messages import build_push_request
from holdfast.telemetry.metrics.remote import Protocol

PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}
TEXT = {"content-type": "text/plain"}
SNAPPY = {**PROTOBUF, "content-encoding": "snappy"}
LOGS_METHOD = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
METRICS_METHOD = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
TRACES_METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a door said: accepted or not, the status in its own words, and when to come back."""

    accepted: bool
    status: str = ""
    retry_after: str = ""


@dataclass(slots=True)
class Door:
    """A way in; `acknowledged` are the numbers that it took."""

    name: str
    send: Callable[[Door, int], Awaitable[Answer]]
    keeps: str = "lines"  # or spans, or samples
    acknowledged: set[int] = field(default_factory=set)

    @property
    def trace_id(self) -> bytes:
        """The one trace to which all spans of this door belong."""
        return self.name.encode().rjust(16, b"-")[:16]


class Doors:
    """All doors of the server at `url`, with OTLP/gRPC at `grpc_target`."""

    def __init__(self, url: str, grpc_target: str) -> None:
        self._client = httpx.AsyncClient(base_url=url, trust_env=False, timeout=30)
        self._target = grpc_target
        self._last_ms = 0
        self.all = [
            Door("otlp_http_logs", self._otlp_http_logs),
            Door("otlp_grpc_logs", self._otlp_grpc_logs),
            Door("loki_push", self._loki_push),
            Door("loki_push_json", self._loki_push_json),
            Door("bulk", self._bulk),
            Door("otlp_http_trace", self._otlp_http_traces, keeps="spans"),
            Door("otlp_grpc_trace", self._otlp_grpc_traces, keeps="spans"),
            Door("zipkin", self._zipkin, keeps="spans"),
            Door("lines", self._plain_lines),
            Door("otlp_http_metrics", self._otlp_http_metrics, keeps="samples"),
            Door("otlp_grpc_metrics", self._otlp_grpc_metrics, keeps="samples"),
            Door("remote_write", self._remote_write, keeps="samples"),
            Door("remote_write_2", self._remote_write_2, keeps="samples"),
            Door("push", self._push, keeps="samples"),
        ]

    async def close(self) -> None:
        await self._client.aclose()

    async def kept(self, door: Door) -> set[int]:
        """Give the numbers that the server has of a door."""
        read = {"lines": self._lines, "spans": self._spans, "samples": self._samples}[door.keeps]
        return await read(door)

    async def _lines(self, door: Door) -> set[int]:
        now_ns = time.time_ns()
        span = {"start": str(now_ns - 3600 * 10**9), "end": str(now_ns + 60 * 10**9), "limit": "5000"}
        query = {"query": f'{{service_name=~".+"}} |= "{door.name}="', **span}
        answer = await self._client.get("/loki/api/v1/query_range", params=query)
        assert answer.status_code == 200, answer.text
        lines = [value[1] for stream in answer.json()["data"]["result"] for value in stream["values"]]
        return {int(line.partition("=")[2]) for line in lines}

    async def _spans(self, door: Door) -> set[int]:
        answer = await self._client.get(f"/jaeger/api/traces/{door.trace_id.hex()}")
        if answer.status_code == 404:
            return set()
        assert answer.status_code == 200, answer.text
        return {int(span["spanID"], 16) for trace in answer.json()["data"] for span in trace["spans"]}

    async def _samples(self, door: Door) -> set[int]:
        query = {"query": f'trial{{door="{door.name}"}}[1h]'}
        answer = await self._client.get("/prometheus/api/v1/query", params=query)
        assert answer.status_code == 200, answer.text
        return {int(value) for series in answer.json()["data"]["result"] for _, value in series["values"]}

    async def _post(self, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        answer = await self._client.post(path, content=body, headers=headers)
        return Answer(answer.is_success, str(answer.status_code), answer.headers.get("retry-after", ""))

    async def _call(self, method: str, body: bytes) -> Answer:
        async with grpc.aio.insecure_channel(self._target) as channel:
            try:
                await channel.unary_unary(method)(body, timeout=30)
            except grpc.aio.AioRpcError as error:
                details = dict(error.trailing_metadata() or ())
                again = "retry info" if "grpc-status-details-bin" in details else ""
                return Answer(accepted=False, status=error.code().name, retry_after=again)
        return Answer(accepted=True, status="OK")

    async def _otlp_http_logs(self, door: Door, number: int) -> Answer:
        return await self._post("/v1/logs", _log(door, number), PROTOBUF)

    async def _otlp_grpc_logs(self, door: Door, number: int) -> Answer:
        return await self._call(LOGS_METHOD, _log(door, number))

    async def _otlp_http_traces(self, door: Door, number: int) -> Answer:
        return await self._post("/v1/traces", _span(door, number), PROTOBUF)

    async def _otlp_grpc_traces(self, door: Door, number: int) -> Answer:
        return await self._call(TRACES_METHOD, _span(door, number))

    async def _loki_push(self, door: Door, number: int) -> Answer:
        made = build_push_request()()
        entry = made.streams.add(labels='{service_name="trial"}').entries.add(line=f"{door.name}={number}")
        entry.timestamp.seconds, entry.timestamp.nanos = divmod(time.time_ns(), 10**9)
        return await self._post("/loki/api/v1/push", snappy.compress(made.SerializeToString()), PROTOBUF)

    async def _loki_push_json(self, door: Door, number: int) -> Answer:
        values = [[str(time.time_ns()), f"{door.name}={number}"]]
        document = {"streams": [{"stream": {"service_name": "trial"}, "values": values}]}
        return await self._post("/loki/api/v1/push", json.dumps(document).encode(), JSON)

    async def _bulk(self, door: Door, number: int) -> Answer:
        rows = [{"create": {"_index": "trial"}}, {"message": f"{door.name}={number}"}]
        body = "".join(json.dumps(row) + "\n" for row in rows).encode()
        return await self._post("/elastic/_bulk", body, {"content-type": "application/x-ndjson"})

    async def _plain_lines(self, door: Door, number: int) -> Answer:
        return await self._post("/api/v1/logs/lines?service=trial", f"{door.name}={number}\n".encode(), TEXT)

    async def _otlp_http_metrics(self, door: Door, number: int) -> Answer:
        return await self._post("/v1/metrics", self._gauge(door, number), PROTOBUF)

    async def _otlp_grpc_metrics(self, door: Door, number: int) -> Answer:
        return await self._call(METRICS_METHOD, self._gauge(door, number))

    async def _remote_write(self, door: Door, number: int) -> Answer:
        rows = [({"__name__": "trial", "door": door.name}, [(self._time_ms(), float(number))])]
        return await self._post("/prometheus/api/v1/write", snappy.compress(encode1(rows).SerializeToString()), SNAPPY)

    async def _remote_write_2(self, door: Door, number: int) -> Answer:
        rows = [({"__name__": "trial", "door": door.name}, [(self._time_ms(), float(number))])]
        body = snappy.compress(encode2(rows).SerializeToString())
        return await self._post("/prometheus/api/v1/write", body, HEADERS[Protocol.V2])

    async def _push(self, door: Door, number: int) -> Answer:
        # Each of a group of its own: samples have the time of their arrival, and two of a millisecond would be one.
        group = f"/metrics/job/trial/door/{door.name}/number/{number}"
        return await self._post(group, f"trial {number}\n".encode(), TEXT)

    def _gauge(self, door: Door, number: int) -> bytes:
        request = ExportMetricsServiceRequest()
        metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="trial")
        point = metric.gauge.data_points.add(time_unix_nano=self._time_ms() * 10**6, as_double=float(number))
        point.attributes.add(key="door").value.string_value = door.name
        return request.SerializeToString()

    def _time_ms(self) -> int:
        """Give a time that no sample has yet."""
        self._last_ms = max(self._last_ms + 1, time.time_ns() // 10**6)
        return self._last_ms

    async def _zipkin(self, door: Door, number: int) -> Answer:
        now_us = time.time_ns() // 1000
        span = {"traceId": door.trace_id.hex(), "id": span_id(number), "name": "work", "timestamp": now_us}
        return await self._post("/api/v2/spans", json.dumps([span]).encode(), JSON)


def _log(door: Door, number: int) -> bytes:
    request = ExportLogsServiceRequest()
    part = request.resource_logs.add()
    part.resource.attributes.add(key="service.name").value.string_value = "trial"
    record = part.scope_logs.add().log_records.add(time_unix_nano=time.time_ns())
    record.body.string_value = f"{door.name}={number}"
    return request.SerializeToString()


def _span(door: Door, number: int) -> bytes:
    request = ExportTraceServiceRequest()
    now_ns = time.time_ns()
    span = request.resource_spans.add().scope_spans.add().spans.add(trace_id=door.trace_id, name="work")
    span.span_id = bytes.fromhex(span_id(number))
    span.start_time_unix_nano, span.end_time_unix_nano = now_ns, now_ns + 1000
    return request.SerializeToString()
