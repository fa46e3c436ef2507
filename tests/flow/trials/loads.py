"""Bodies of a wished size for every door, as busy senders of each kind make them: many records, little said twice."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from flow.trials.doors import JSON, LOGS_METHOD, METRICS_METHOD, PROTOBUF, TEXT, TRACES_METHOD
from flow.trials.requests import HEADERS, Encoder
from holdfast.telemetry import snappy
from holdfast.telemetry.logs.loki.messages import build_push_request
from holdfast.telemetry.metrics.remote import Protocol

NDJSON = {"content-type": "application/x-ndjson"}
PER_PIECE = 500


@dataclass(frozen=True, slots=True)
class Load:
    """One request: over gRPC where `path` names a method of it."""

    name: str
    path: str
    headers: dict[str, str]
    body: bytes
    is_grpc: bool = False


def loads(size: int, names: frozenset[str] = frozenset()) -> Iterator[Load]:
    """Give a load of about `size` bytes on the wire for each door, or for those named."""
    for name, (path, headers, make) in _DOORS.items():
        if not names or name in names:
            yield Load(name, path, headers, make(size), is_grpc=name.startswith("otlp_grpc"))


def _word() -> str:
    return f"{random.getrandbits(64):016x}"


def _line() -> str:
    return f"GET /orders/{_word()} took {random.random():.3f} s for customer {_word()}, cart {_word()}"


def _repeated(size: int, piece: Callable[[], bytes]) -> bytes:
    """Join messages of repeated fields, which make one message again."""
    parts: list[bytes] = []
    total = 0
    while total < size:
        parts.append(piece())
        total += len(parts[-1])
    return b"".join(parts)


def _logs() -> Any:
    request, now_ns = ExportLogsServiceRequest(), time.time_ns()
    part = request.resource_logs.add()
    part.resource.attributes.add(key="service.name").value.string_value = "trial"
    records = part.scope_logs.add().log_records
    for _ in range(PER_PIECE):
        record = records.add(time_unix_nano=now_ns, severity_number=9)
        record.body.string_value = _line()
        record.attributes.add(key="customer.id").value.string_value = _word()
        record.attributes.add(key="http.status_code").value.int_value = 200
    return request


def _spans() -> Any:
    request, now_ns = ExportTraceServiceRequest(), time.time_ns()
    part = request.resource_spans.add()
    part.resource.attributes.add(key="service.name").value.string_value = "trial"
    spans = part.scope_spans.add().spans
    for _ in range(PER_PIECE):
        span = spans.add(trace_id=random.randbytes(16), span_id=random.randbytes(8), name="GET /orders")
        span.start_time_unix_nano, span.end_time_unix_nano = now_ns, now_ns + random.getrandbits(30)
        span.attributes.add(key="customer.id").value.string_value = _word()
        span.attributes.add(key="http.status_code").value.int_value = 200
    return request


def _points() -> Any:
    request, now_ns = ExportMetricsServiceRequest(), time.time_ns()
    part = request.resource_metrics.add()
    part.resource.attributes.add(key="service.name").value.string_value = "trial"
    metric = part.scope_metrics.add().metrics.add(name="trial")
    for number in range(PER_PIECE):
        point = metric.gauge.data_points.add(time_unix_nano=now_ns, as_double=random.random())
        point.attributes.add(key="place").value.string_value = str(number)
        point.attributes.add(key="method").value.string_value = "GET"
    return request


def _protobuf(make: Callable[[], Any]) -> Callable[[int], bytes]:
    return lambda size: _repeated(size, lambda: make().SerializeToString())


def _json(make: Callable[[], Any], field: str) -> Callable[[int], bytes]:
    ids = {"traceId", "spanId"}

    def piece() -> bytes:
        document = MessageToDict(make())[field][0]
        for scoped in document.get("scopeSpans", []):
            for span in scoped["spans"]:
                span.update({name: _word() * (2 if name == "traceId" else 1) for name in ids})
        return json.dumps(document).encode() + b","

    return lambda size: b'{"%s":[%s]}' % (field.encode(), _repeated(size, piece)[:-1])


def _rows(size: int, piece: Callable[[], Any]) -> list[Any]:
    return [piece() for _ in range(size // len(json.dumps(piece())) + 1)]


def _loki(size: int) -> bytes:
    def piece() -> bytes:
        made = build_push_request()()
        entries = made.streams.add(labels='{service_name="trial"}').entries
        for _ in range(PER_PIECE):
            entry = entries.add(line=_line())
            entry.timestamp.seconds, entry.timestamp.nanos = divmod(time.time_ns(), 10**9)
        return bytes(made.SerializeToString())

    return snappy.compress(_repeated(int(size * 1.3), piece))  # what is left of it


def _loki_json(size: int) -> bytes:
    values = _rows(size, lambda: [str(time.time_ns()), _line()])
    return json.dumps({"streams": [{"stream": {"service_name": "trial"}, "values": values}]}).encode()


def _bulk(size: int) -> bytes:
    def piece() -> bytes:
        return (
            b'{"create":{"_index":"trial"}}\n' + json.dumps({"message": _line(), "customer": _word()}).encode() + b"\n"
        )

    return _repeated(size, piece)


def _lines(size: int) -> bytes:
    return _repeated(size, lambda: f"{_line()}\n".encode())


def _zipkin(size: int) -> bytes:
    def piece() -> dict[str, Any]:
        named = {"traceId": _word() * 2, "id": _word(), "name": "work", "tags": {"customer": _word()}}
        return {**named, "timestamp": time.time_ns() // 1000, "localEndpoint": {"serviceName": "trial"}}

    return json.dumps(_rows(size, piece)).encode()


def _remote_write(protocol: Protocol) -> Callable[[int], bytes]:
    def make(size: int) -> bytes:
        rows = [{"__name__": "trial", "place": _word(), "job": "trial"} for _ in range(size // 38)]
        return Encoder(protocol, rows).body(time.time_ns() // 10**6, [random.random() for _ in rows])

    return make


def _page(size: int) -> bytes:
    return b"# TYPE trial gauge\n" + _repeated(size, lambda: b'trial{place="%s"} 1\n' % _word().encode())


_DOORS: dict[str, tuple[str, dict[str, str], Callable[[int], bytes]]] = {
    "otlp_http_logs": ("/v1/logs", PROTOBUF, _protobuf(_logs)),
    "otlp_http_logs_json": ("/v1/logs", JSON, _json(_logs, "resourceLogs")),
    "otlp_grpc_logs": (LOGS_METHOD, {}, _protobuf(_logs)),
    "loki_push": ("/loki/api/v1/push", PROTOBUF, _loki),
    "loki_push_json": ("/loki/api/v1/push", JSON, _loki_json),
    "bulk": ("/elastic/_bulk", NDJSON, _bulk),
    "lines": ("/api/v1/logs/lines?service=trial", TEXT, _lines),
    "otlp_http_traces": ("/v1/traces", PROTOBUF, _protobuf(_spans)),
    "otlp_http_traces_json": ("/v1/traces", JSON, _json(_spans, "resourceSpans")),
    "otlp_grpc_traces": (TRACES_METHOD, {}, _protobuf(_spans)),
    "zipkin": ("/api/v2/spans", JSON, _zipkin),
    "otlp_http_metrics": ("/v1/metrics", PROTOBUF, _protobuf(_points)),
    "otlp_http_metrics_json": ("/v1/metrics", JSON, _json(_points, "resourceMetrics")),
    "otlp_grpc_metrics": (METRICS_METHOD, {}, _protobuf(_points)),
    "remote_write_1": ("/prometheus/api/v1/write", HEADERS[Protocol.V1], _remote_write(Protocol.V1)),
    "remote_write_2": ("/prometheus/api/v1/write", HEADERS[Protocol.V2], _remote_write(Protocol.V2)),
    "push": ("/metrics/job/trial", TEXT, _page),
}
NAMES = tuple(_DOORS)
