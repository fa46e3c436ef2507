"""Native histograms with custom buckets come in by remote write 2.0, are kept, and answer every function over them."""

from __future__ import annotations

import time

import numpy as np
import pytest

from fixtures.remote_write import encode2
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import Store
from holdfast.telemetry import SCHEMA, MetricSink, MetricSource, snappy
from holdfast.telemetry.metrics.promql import Engine
from holdfast.telemetry.metrics.remote import Protocol, RemoteWriter

NOW_MS = int(time.time()) // 60 * 60_000
STEP_MS = 15_000
EXPECTED = {
    "histogram_count(h)": {"a": 60.0, "b": 60.0},
    "histogram_sum(h)": {"a": 45.0, "b": 45.0},
    "histogram_avg(h)": {"a": 0.75, "b": 0.75},
    "histogram_quantile(0.5, h)": {"a": 1.0, "b": 1.0},
    "histogram_fraction(0, 1, h)": {"a": 0.5, "b": 0.5},
    "histogram_count(rate(h[1m]))": {"a": 0.4, "b": 0.4},
    "histogram_quantile(0.5, rate(h[1m]))": {"a": 1.0, "b": 1.0},
    "histogram_count(increase(h[1m]))": {"a": 24.0, "b": 24.0},
    "histogram_count(sum(h))": {"": 120.0},
    "histogram_quantile(0.5, sum(rate(h[1m])))": {"": 1.0},
    "histogram_count(avg_over_time(h[1m]))": {"a": 51.0, "b": 51.0},
    "histogram_count(h * 2)": {"a": 120.0, "b": 120.0},
    "histogram_count(last_over_time(h[1m]))": {"a": 60.0, "b": 60.0},
    "resets(h[2m])": {"a": 0.0, "b": 0.0},
}


async def filled(store: Store) -> Engine:
    """Write ten histograms of two series, whose bounds differ, and give an engine over what is stored."""
    await store.register(SCHEMA)
    sink = MetricSink(store)
    request = encode2([({"__name__": "h", "s": "a"}, []), ({"__name__": "h", "s": "b"}, [])])
    for series, bounds in zip(request.timeseries, ([1.0, 2.0], [0.5, 1.0, 2.0]), strict=True):
        for number in range(1, 11):
            at_ms = NOW_MS - (10 - number) * STEP_MS
            one = series.histograms.add(count_int=6 * number, sum=4.5 * number, schema=-53, timestamp=at_ms)
            one.custom_values.extend(bounds)
            one.positive_spans.add(offset=len(bounds) - 2, length=2)
            one.positive_deltas.extend([3 * number, 0])
    body = snappy.compress(request.SerializeToString())
    taken = await RemoteWriter(sink).take(DEFAULT_TENANT, body, Protocol.V2, origin="test", is_plain=False)
    assert taken.written.histograms == 20
    assert not taken.refusals
    await sink.close()
    return Engine(MetricSource(store))


@pytest.mark.parametrize("query", EXPECTED)
async def test_functions_over_them_answer_from_the_store(store: Store, query: str) -> None:
    engine = await filled(store)
    grid = (await engine.instant(DEFAULT_TENANT, query, NOW_MS)).grid
    found = {dict(labels).get("s", ""): value for labels, value in zip(grid.labels, grid.values[:, 0], strict=True)}
    assert found.keys() == EXPECTED[query].keys()
    for series, value in EXPECTED[query].items():
        np.testing.assert_allclose(found[series], value)


async def test_bounds_and_counts_come_out_as_they_came_in(store: Store) -> None:
    engine = await filled(store)
    grid = (await engine.instant(DEFAULT_TENANT, "h", NOW_MS)).grid
    assert grid.histograms is not None
    found = {dict(labels)["s"]: value for labels, value in zip(grid.labels, grid.histograms[:, 0], strict=True)}
    assert {series: (value.schema, value.custom_values) for series, value in found.items()} == {
        "a": (-53, (1.0, 2.0)),
        "b": (-53, (0.5, 1.0, 2.0)),
    }
    assert [value.positive.counts for value in found.values()] == [(30.0, 30.0), (30.0, 30.0)]
