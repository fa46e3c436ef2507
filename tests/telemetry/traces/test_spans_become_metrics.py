"""Calls, errors and durations of spans become series with the names of OpenTelemetry's connectors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fixtures.traces import Row, spans, trace_id
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry.metrics.memory import MemorySink, MemorySource
from holdfast.telemetry.traces import MemoryTraces, SpanKind, SpanStatus
from holdfast.telemetry.traces.red import RedFollower
from holdfast.telemetry.traces.settings import SpanMetricsSettings

ROWS = [
    Row(1, 11, name="GET /cart", length_ms=120),
    Row(1, 12, 11, "shop", "call", 10, 90, SpanKind.CLIENT),
    Row(1, 13, 12, "cart", "load", 20, 50, SpanKind.SERVER, SpanStatus.ERROR),
    Row(1, 14, 13, "cart", "SELECT", 25, 3, SpanKind.CLIENT, attributes={"db.system": "mysql", "db.name": "carts"}),
    Row(1, 15, 13, "cart", "pay", 25, 7, SpanKind.CLIENT, attributes={"peer.service": "bank"}),
]


@pytest.fixture
def source() -> MemorySource:
    return MemorySource()


@pytest.fixture
def following(source, fake_clock):
    def follow(**settings) -> tuple[MemoryTraces, RedFollower]:
        traces = MemoryTraces()
        follower = RedFollower(MemorySink(source), SpanMetricsSettings(**settings), fake_clock)
        traces.feed.follow(follower)
        return traces, follower

    return follow


def last(source: MemorySource) -> dict[str, float]:
    found = {}
    for labels, samples in source.tenant(DEFAULT_TENANT).series.items():
        pairs = dict(labels)
        name = pairs.pop("__name__")
        text = ",".join(f"{key}={value}" for key, value in sorted(pairs.items()))
        found[f"{name}{{{text}}}"] = samples.between(0, 2**62)[-1].value
    return found


def first(source: MemorySource) -> set[float]:
    return {samples.between(0, 2**62)[0].value for samples in source.tenant(DEFAULT_TENANT).series.values()}


async def test_operations_are_counted(source, following):
    traces, follower = following()
    for _ in range(2):
        await traces.append(DEFAULT_TENANT, spans(ROWS))
    await follower.write()
    told = last(source)
    load = "service_name=cart,span_kind=SPAN_KIND_SERVER,span_name=load,status_code=STATUS_CODE_ERROR"
    assert told[f"traces_span_metrics_calls_total{{{load}}}"] == 2
    assert told[f"traces_span_metrics_duration_milliseconds_sum{{{load}}}"] == 100
    assert told[f"traces_span_metrics_duration_milliseconds_count{{{load}}}"] == 2
    bucket = "traces_span_metrics_duration_milliseconds_bucket{le=%s," + load + "}"
    assert [told[bucket % bound] for bound in ("10.0", "50.0", "100.0", "+Inf")] == [0, 2, 2, 2]
    assert first(source) == {0.0}  # what came before the first writing is an increase, too


async def test_edges_are_counted_whichever_end_comes_first(source, following, fake_clock):
    for rows in (ROWS, ROWS[::-1]):
        source.clear(DEFAULT_TENANT)
        traces, follower = following(pair_wait=5.0)
        for row in rows:
            await traces.append(DEFAULT_TENANT, spans([row]))
        await fake_clock.advance(6)
        await follower.write()
        told = last(source)
        requests = {
            name: value for name, value in told.items() if name.startswith("traces_service_graph_request_total")
        }
        assert requests == {
            "traces_service_graph_request_total{client=shop,server=cart}": 1,
            "traces_service_graph_request_total{client=cart,connection_type=database,server=mysql/carts}": 1,
            "traces_service_graph_request_total{client=cart,connection_type=virtual_node,server=bank}": 1,
        }
        assert told["traces_service_graph_request_failed_total{client=shop,server=cart}"] == 1
        assert told["traces_service_graph_request_client_seconds_sum{client=shop,server=cart}"] == pytest.approx(0.09)
        assert told["traces_service_graph_request_server_seconds_sum{client=shop,server=cart}"] == pytest.approx(0.05)
        assert told["traces_service_graph_request_server_seconds_bucket{client=shop,le=0.05,server=cart}"] == 1


async def test_a_message_that_many_take_is_an_edge_to_each(source, following):
    traces, follower = following()
    rows = [
        Row(1, 1, service="shop", kind=SpanKind.PRODUCER),
        Row(1, 2, 1, "mail", kind=SpanKind.CONSUMER),
        Row(1, 3, 1, "stock", kind=SpanKind.CONSUMER),
    ]
    await traces.append(DEFAULT_TENANT, spans(rows))
    await follower.write()
    told = last(source)
    for server in ("mail", "stock"):
        labels = f"client=shop,connection_type=messaging_system,server={server}"
        assert told[f"traces_service_graph_request_total{{{labels}}}"] == 1


async def test_the_slowest_span_of_each_is_the_exemplar(source, following):
    traces, follower = following()
    rows = [Row(number, number, length_ms=number) for number in (3, 30, 7)]
    await traces.append(DEFAULT_TENANT, spans(rows))
    await follower.write()
    (found,) = source.tenant(DEFAULT_TENANT).exemplars
    labels, exemplar = found
    assert dict(labels)["le"] == "50.0"
    assert dict(exemplar.labels)["trace_id"] == trace_id(30)
    assert exemplar.value == 30
    await follower.write()
    assert len(source.tenant(DEFAULT_TENANT).exemplars) == 1


async def test_a_span_counts_as_many_as_it_stands_for(source, following):
    traces, follower = following()
    columns = spans([Row(1, 1, length_ms=10)])
    await traces.append(DEFAULT_TENANT, replace(columns, weights=np.array([4.0])))
    await follower.write()
    labels = "service_name=shop,span_kind=SPAN_KIND_SERVER,span_name=GET /,status_code=STATUS_CODE_UNSET"
    assert last(source)[f"traces_span_metrics_calls_total{{{labels}}}"] == 4


async def test_series_are_bounded_and_idle_ones_make_room(source, following, fake_clock):
    traces, follower = following(max_operations=2, max_edges=1, forget_idle=60.0)
    await traces.append(DEFAULT_TENANT, spans([Row(1, number, name=f"op{number}") for number in range(1, 11)]))
    await follower.write()
    told = last(source)
    assert told["traces_span_metrics_calls_total{otel_metric_overflow=true,service_name=shop}"] == 8
    assert sum(name.startswith("traces_span_metrics_calls_total") for name in told) == 3
    await fake_clock.advance(120)
    await follower.write()
    await traces.append(DEFAULT_TENANT, spans([Row(1, 99, name="op99")]))
    await follower.write()
    assert any("span_name=op99" in name for name in last(source))
