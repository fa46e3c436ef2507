"""OTLP's spans become columns; what cannot be one is refused and counted."""

from __future__ import annotations

import asyncio
import math

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from fixtures.conformance import cases
from fixtures.traces import NOW_NS
from holdfast.kernel.auth import OpenGate
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry.otlp import Encoding, OtlpGrpc, OtlpSettings, read_body
from holdfast.telemetry.traces import MemoryTraces, OtlpTraces, SpanKind, SpanStatus, traces_service
from holdfast.telemetry.traces.otlp import read_request, weight_of


def request_of(**fields):
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.add(key="service.name").value.string_value = "shop"
    span = group.scope_spans.add().spans.add(trace_id=b"t" * 16, span_id=b"s" * 8, name="GET /")
    for name, value in fields.items():
        setattr(span, name, value)
    return request, span


@pytest.mark.parametrize("path", cases("otlp", "trace.json"))
def test_the_example_of_the_specification_is_read(path):
    spans, rejected = read_request(read_body(path.read_bytes(), Encoding.JSON, ExportTraceServiceRequest))
    (span,) = list(spans)
    assert rejected.count == 0
    assert (span.trace_id, span.span_id) == ("5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174")
    assert (span.parent_id, span.service, span.name) == ("eee19b7ec3c1b173", "my.service", "I'm a server span")
    assert (span.kind, span.duration_ns) == (SpanKind.SERVER, 10**9)
    assert span.attributes == {"my.span.attr": "some value"}


def test_all_that_a_span_says_is_kept():
    request, span = request_of(start_time_unix_nano=5, end_time_unix_nano=9, kind=3)
    span.status.code, span.status.message = 2, "refused"
    span.attributes.add(key="n").value.int_value = 7
    span.attributes.add(key="list").value.array_value.values.add().double_value = 0.5
    event = span.events.add(time_unix_nano=6, name="exception")
    event.attributes.add(key="exception.type").value.string_value = "KeyError"
    span.links.add(trace_id=b"u" * 16, span_id=b"v" * 8)
    (read,) = list(read_request(request)[0])
    assert (read.start_ns, read.duration_ns, read.kind, read.status) == (5, 4, SpanKind.CLIENT, SpanStatus.ERROR)
    assert (read.status_message, read.attributes) == ("refused", {"n": 7, "list": [0.5]})
    assert read.events == [{"ts_ns": 6, "name": "exception", "attributes": {"exception.type": "KeyError"}}]
    assert read.links[0]["trace_id"] == (b"u" * 16).hex()


@pytest.mark.parametrize(
    "fields", [{"trace_id": b""}, {"trace_id": bytes(16)}, {"span_id": b"short"}, {"span_id": bytes(8)}]
)
def test_a_span_without_an_id_is_refused_alone(fields):
    request, _ = request_of(**fields)
    request.resource_spans[0].scope_spans[0].spans.add().CopyFrom(request_of()[1])
    spans, rejected = read_request(request)
    assert (len(spans), rejected.count) == (1, 1)
    assert "16 bytes" in rejected.message


def test_odd_numbers_do_not_break_a_request():
    request, _ = request_of(start_time_unix_nano=9, end_time_unix_nano=5, kind=77, parent_span_id=b"odd")
    (read,) = list(read_request(request)[0])
    assert (read.duration_ns, read.kind, read.parent_id) == (0, SpanKind.UNSPECIFIED, "")
    request, _ = request_of(start_time_unix_nano=2**64 - 1)
    assert len(read_request(request)[0]) == 1


@pytest.mark.parametrize(
    ("state", "weight"), [("", 1), ("x=y", 1), ("ot=th:8", 2), ("a=b,ot=rv:1;th:c", 4), ("ot=th:zz", 1), ("ot=th:0", 1)]
)
def test_a_sampler_upstream_says_how_many_a_span_stands_for(state, weight):
    assert math.isclose(weight_of(state), weight)


async def test_the_stock_sdk_sends_over_grpc():
    traces = MemoryTraces()
    server = OtlpGrpc((traces_service(OtlpTraces(traces)),), OpenGate(), OtlpSettings(grpc_listen="127.0.0.1:0"))
    await server.start()

    def send() -> str:
        provider = TracerProvider()
        exporter = OTLPSpanExporter(endpoint=f"127.0.0.1:{server.port}", insecure=True)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        with provider.get_tracer("test").start_as_current_span("work") as span:
            found = span.get_span_context().trace_id
        provider.shutdown()
        return f"{found:032x}"

    try:
        sent = await asyncio.to_thread(send)
        trace = await traces.trace(DEFAULT_TENANT, sent)
    finally:
        await server.stop()
    assert trace is not None
    assert [span.name for span in trace.spans] == ["work"]
    assert trace.spans[0].start_ns > NOW_NS
