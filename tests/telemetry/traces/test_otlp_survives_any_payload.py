"""Whatever bytes come to OTLP's door of traces, they are spans or are refused; nothing else is raised."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.otlp.bodies import Encoding, read_body
from holdfast.telemetry.traces.messages import request_class
from holdfast.telemetry.traces.otlp import read_request
from holdfast.telemetry.traces.otlp_values import short_text
from holdfast.telemetry.traces.rows import span_rows


def _sample() -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.add(key="service.name").value.string_value = "shop"
    span = group.scope_spans.add().spans.add()
    span.trace_id, span.span_id, span.name = b"t" * 16, b"s" * 8, "GET"
    span.start_time_unix_nano, span.end_time_unix_nano = 2**64 - 1, 5
    span.trace_state = "ot=th:zz"
    span.attributes.add(key="list").value.array_value.values.add().bytes_value = b"\xff"
    span.events.add(name="x", time_unix_nano=2**64 - 1)
    span.links.add(trace_id=b"1", span_id=b"")
    return request


SAMPLE = _sample().SerializeToString()


@st.composite
def spoilt(draw) -> bytes:
    body = bytearray(SAMPLE)
    for place in draw(st.lists(st.integers(0, len(body) - 1), max_size=6)):
        body[place] = draw(st.integers(0, 255))
    return bytes(body[: draw(st.integers(0, len(body)))]) if draw(st.booleans()) else bytes(body)


def take(body: bytes, encoding: Encoding) -> None:
    message = request_class() if encoding is Encoding.PROTOBUF else ExportTraceServiceRequest
    try:
        columns, rejected = read_request(read_body(body, encoding, message))
    except InvalidError:
        return
    assert len(list(columns)) == len(columns)
    assert len(span_rows(columns)["name"]) == len(columns)
    assert rejected.count >= 0


@settings(max_examples=300)
@given(spoilt() | st.binary(max_size=200))
def test_any_protobuf_is_spans_or_refused(body):
    take(body, Encoding.PROTOBUF)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["resourceSpans", "scopeSpans", "spans", "traceId", "spanId", "kind", "attributes", "value"]
            )
            | st.text(),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300)
@given(ANYTHING)
def test_any_json_is_spans_or_refused(document):
    try:
        body = orjson.dumps(document)
    except TypeError:
        body = b"{"
    take(body, Encoding.JSON)


def test_the_sample_is_taken_with_times_in_bounds():
    (span,) = list(read_request(_sample())[0])
    assert (span.start_ns, span.duration_ns, span.weight) == (2**63 - 1, 0, 1.0)


def nested(depth: int) -> bytes:
    """Give a value that holds itself in lists, as deep as a body allows and deeper than protobuf reads."""
    value = b"\x0a\x01x"
    for _ in range(depth):
        inner = b"\x0a" + _length(value) + value
        value = b"\x2a" + _length(inner) + inner
    pair = b"\x0a\x01k\x12" + _length(value) + value
    span = b"\x0a\x10" + b"t" * 16 + b"\x12\x08" + b"s" * 8 + b"\x4a" + _length(pair) + pair
    spans = b"\x12" + _length(span) + span
    group = b"\x12" + _length(spans) + spans
    return b"\x0a" + _length(group) + group


def _length(content: bytes) -> bytes:
    size, written = len(content), bytearray()
    while size >= 0x80:
        written.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes((*written, size))


def test_values_may_be_nested_but_not_without_end():
    columns, _ = read_request(request_class().FromString(nested(20)))
    assert len(columns) == 1
    with pytest.raises(InvalidError, match="KeyValue"):
        read_request(request_class().FromString(nested(5000)))


@pytest.mark.parametrize("part", ["attributes", "events", "links", "status"])
def test_a_part_that_is_none_refuses_the_request(part):
    request = request_class()()
    span = request.resource_spans.add().scope_spans.add().spans.add(trace_id=b"t" * 16, span_id=b"s" * 8)
    if part == "status":
        span.status = b"\xff"
    else:
        getattr(span, part).append(b"\xff")
    with pytest.raises(InvalidError):
        read_request(request)


def pair_of(key: str, **value: object) -> bytes:
    made = KeyValue(key=key)
    for name, each in value.items():
        setattr(made.value, name, each)
    return made.SerializeToString()


@settings(max_examples=500)
@given(st.text(max_size=130), st.text(max_size=130), st.binary(max_size=4), st.integers(0, 300))
def test_the_short_way_to_read_an_attribute_gives_what_the_message_says(key, text, noise, place):
    content = pair_of(key, string_value=text)
    assert short_text(content) in {None, (key, text)}
    spoilt = content[:place] + noise + content[place + len(noise) :]
    found = short_text(spoilt)
    if found is not None:
        said = KeyValue.FromString(spoilt)
        assert found == (said.key, said.value.string_value)
        assert said.value.WhichOneof("value") == "string_value"


def test_the_short_way_is_for_short_texts_only():
    assert short_text(pair_of("http.route", string_value="/path")) == ("http.route", "/path")
    assert short_text(pair_of("n", int_value=5)) is None
    assert short_text(pair_of("n", string_value="x" * 124)) is None
    assert short_text(b"") is None
