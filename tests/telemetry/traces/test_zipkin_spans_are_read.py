"""Zipkin's JSON becomes spans; what is none is refused whole, with its place, and nothing else suffers."""

from __future__ import annotations

import copy

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.traces import SpanKind, SpanStatus, analysis
from holdfast.telemetry.traces.tracing import gather
from holdfast.telemetry.traces.zipkin import read_spans

NOW_US = 1_700_000_000 * 10**6
CLIENT = {
    "traceId": "463ac35c9f6413ad",
    "id": "a2fb4a1d1a96d312",
    "parentId": "0020000000000001",
    "kind": "CLIENT",
    "name": "get /api",
    "timestamp": NOW_US,
    "duration": 1500,
    "localEndpoint": {"serviceName": "frontend", "ipv4": "10.0.0.1"},
    "remoteEndpoint": {"serviceName": "backend", "ipv4": "10.0.0.2", "port": 9000},
    "tags": {"http.method": "GET", "error": "gone away"},
    "annotations": [{"timestamp": NOW_US + 2, "value": "ws"}],
}
SERVER = {
    "traceId": "463ac35c9f6413ad",
    "id": "a2fb4a1d1a96d312",
    "parentId": "0020000000000001",
    "kind": "SERVER",
    "shared": True,
    "timestamp": NOW_US + 200,
    "duration": 900,
    "localEndpoint": {"serviceName": "backend", "ipv4": "10.0.0.2"},
}


def read(*documents):
    return read_spans(orjson.dumps(documents), NOW_US)


def test_a_span_keeps_what_it_says():
    (span,) = list(read(CLIENT))
    assert span.trace_id == "0000000000000000463ac35c9f6413ad"
    assert (span.span_id, span.parent_id) == ("a2fb4a1d1a96d312", "0020000000000001")
    assert (span.service, span.name, span.kind) == ("frontend", "get /api", SpanKind.CLIENT)
    assert (span.start_ns, span.duration_ns) == (NOW_US * 1000, 1_500_000)
    assert (span.status, span.status_message) == (SpanStatus.ERROR, "gone away")
    assert span.attributes["peer.service"] == "backend"
    assert span.resource == {"service.name": "frontend", "ip": "10.0.0.1"}
    assert span.events == [{"ts_ns": (NOW_US + 2) * 1000, "name": "ws", "attributes": {}}]


def test_halves_that_share_an_id_are_one_below_the_other():
    child = {"traceId": "463ac35c9f6413ad", "id": "3", "parentId": "a2fb4a1d1a96d312", "timestamp": NOW_US + 300}
    (trace,) = gather(read(SERVER, child, CLIENT)).values()
    tree = analysis.grow(trace)
    assert [(span.service, depth) for span, depth in zip(tree.spans, tree.depths, strict=True)] == [
        ("frontend", 0),
        ("backend", 1),
        ("unknown_service", 2),
    ]
    assert tree.spans[1].attributes["zipkin.parent_id"] == "0020000000000001"


def test_the_least_that_is_a_span_is_taken():
    (span,) = list(read({"traceId": "1", "id": "2"}))
    assert (span.service, span.kind, span.start_ns) == ("unknown_service", SpanKind.INTERNAL, NOW_US * 1000)
    assert len(read()) == 0


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "no JSON"),
        (b"{}", "no list"),
        (b"[1]", "span 0: it is no object"),
        (b'[{"traceId":"1","id":"1"},{"traceId":"xyz","id":"1"}]', "span 1: traceId"),
        (b'[{"traceId":"0000","id":"1"}]', "traceId"),
        (b'[{"traceId":"1"}]', "no id"),
        (b'[{"traceId":"1","id":"1","timestamp":-1}]', "timestamp"),
        (b'[{"traceId":"1","id":"1","duration":"5"}]', "duration"),
        (b'[{"traceId":"1","id":"1","kind":"SERVANT"}]', "SERVANT"),
        (b'[{"traceId":"1","id":"1","tags":[1]}]', "tags"),
        (b'[{"traceId":"1","id":"1","tags":{"a":5}}]', "tags.a"),
        (b'[{"traceId":"1","id":"1","annotations":[{"timestamp":"x"}]}]', "annotations[0].timestamp"),
        (b'[{"traceId":"1","id":"1","localEndpoint":"x"}]', "localEndpoint"),
        (b"[" * 100_000, "no JSON"),
        (b'[{"traceId":"\xff"}]', "no JSON"),
    ],
)
def test_what_is_no_span_is_told_with_its_place(body, told):
    with pytest.raises(InvalidError, match=r"span|JSON|list") as refused:
        read_spans(body, NOW_US)
    assert told in str(refused.value)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**65), 2**64 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def spoilt(draw) -> bytes:
    document = [copy.deepcopy(CLIENT), copy.deepcopy(SERVER)]
    target = draw(st.sampled_from(document))
    for name in draw(st.lists(st.sampled_from(sorted(CLIENT)), max_size=3)):
        target[name] = draw(ANYTHING)
    body = orjson.dumps(document) if _fits(document) else b"[]"
    return body[: draw(st.integers(0, len(body)))] if draw(st.booleans()) else body


def _fits(document: object) -> bool:
    try:
        orjson.dumps(document)
    except TypeError:
        return False
    return True


@settings(max_examples=300)
@given(spoilt() | st.binary(max_size=200))
def test_whatever_comes_is_spans_or_refused(body):
    try:
        columns = read_spans(body, NOW_US)
    except InvalidError:
        return
    assert len(list(columns)) == len(columns)
