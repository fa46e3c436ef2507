"""Delta points are summed, each once, whatever is sent twice, late or refused by the store."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.arrivals import KeepingSink
from fixtures.otlp import NOW_MS, NOW_NS, SECOND, counter, point, request
from holdfast.kernel.errors import BusyError
from holdfast.telemetry.metrics.histograms import Buckets
from holdfast.telemetry.metrics.otlp import OtlpMetrics, OtlpMetricsSettings


def delta(value: float, at_s: int, start_s: int | None = None, **more: Any) -> Any:
    start = at_s - 1 if start_s is None else start_s
    return request(counter("hits", point(value, at_s=at_s, start_s=start, **more), temporality=1))


@pytest.fixture
def sink() -> KeepingSink:
    return KeepingSink()


@pytest.fixture
def door(sink: KeepingSink) -> OtlpMetrics:
    return OtlpMetrics(sink)


def totals(sink: KeepingSink) -> list[float]:
    return [value for _, _, value in sink.book("t").samples]


async def test_points_are_added_up_since_the_first(door: OtlpMetrics, sink: KeepingSink) -> None:
    for second, value in enumerate((5.0, 0.0, 2.5)):
        await door.export("t", delta(value, second))
    assert sink.book("t").samples == [
        ((("__name__", "hits_total"), ("job", "shop")), NOW_MS + 1000 * second, total)
        for second, total in enumerate((5.0, 5.0, 7.5))
    ]
    assert sink.book("t").starts == [NOW_MS - 1000] * 3


async def test_a_point_that_comes_twice_or_late_counts_once(door: OtlpMetrics, sink: KeepingSink) -> None:
    await door.export("t", delta(5.0, 3))
    for late in (delta(5.0, 3), delta(1.0, 2), delta(1.0, 5, start_s=2)):
        rejected = await door.export("t", late)
        assert (rejected.count, "out_of_order" in rejected.message) == (1, True)
    await door.export("t", delta(1.0, 7, start_s=3))
    assert totals(sink) == [5.0, 6.0]


async def test_a_point_that_the_store_did_not_take_may_come_again(door: OtlpMetrics, sink: KeepingSink) -> None:
    await door.export("t", delta(5.0, 1))
    sink.failure = BusyError("full")
    with pytest.raises(BusyError):
        await door.export("t", delta(2.0, 2))
    sink.failure = None
    await door.export("t", delta(2.0, 2))
    assert totals(sink) == [5.0, 7.0]


async def test_requests_at_once_are_added_one_after_the_other(door: OtlpMetrics, sink: KeepingSink) -> None:
    await asyncio.gather(*(door.export("t", delta(1.0, second)) for second in range(20)))
    assert totals(sink) == [float(number) for number in range(1, 21)]


async def test_streams_are_told_apart_by_resource_and_attributes(door: OtlpMetrics, sink: KeepingSink) -> None:
    attribute = [{"key": "a", "value": {"stringValue": "b"}}]
    await door.export("t", delta(1.0, 1))
    await door.export("t", delta(10.0, 1, attributes=attribute))
    other = request(counter("hits", point(100.0, at_s=1, start_s=0), temporality=1), service__name="other")
    await door.export("t", other)
    await door.export("u", delta(1000.0, 1))
    await door.export("t", delta(1.0, 2))
    assert totals(sink) == [1.0, 10.0, 100.0, 2.0]
    assert [value for _, _, value in sink.book("u").samples] == [1000.0]


async def test_sums_are_kept_when_the_book_forgets_series(door: OtlpMetrics, sink: KeepingSink) -> None:
    await door.export("t", delta(1.0, 1))
    sink.book("t").forget()
    await door.export("t", delta(1.0, 2))
    assert totals(sink)[-1] == 2.0


async def test_sums_stay_those_of_their_senders_when_the_book_forgets_series(
    door: OtlpMetrics, sink: KeepingSink
) -> None:
    def of(service: str, value: float, at_s: int) -> Any:
        points = point(value, at_s=at_s, start_s=at_s - 1)
        return request(counter("hits", points, temporality=1), service__name=service)

    await door.export("t", of("one", 5.0, 1))
    await door.export("t", of("two", 700.0, 1))
    sink.book("t").forget()
    await door.export("t", of("two", 1.0, 2))
    await door.export("t", of("one", 1.0, 2))
    assert totals(sink) == [5.0, 700.0, 701.0, 6.0]


async def test_streams_are_bounded_and_quiet_ones_forgotten(sink: KeepingSink, fake_clock: Any) -> None:
    settings = OtlpMetricsSettings(delta_streams=100, delta_idle=60.0)
    door = OtlpMetrics(sink, settings=settings, clock=fake_clock)
    points = [
        point(1.0, at_s=1, start_s=0, attributes=[{"key": "a", "value": {"intValue": str(number)}}])
        for number in range(101)
    ]
    rejected = await door.export("t", request(counter("hits", *points, temporality=1)))
    assert (rejected.count, "otlp_metrics.delta_streams" in rejected.message) == (1, True)
    await fake_clock.advance(61)
    assert not (await door.export("t", request(counter("hits", points[100], temporality=1)))).count


async def test_delta_histograms_are_added_bucket_by_bucket(door: OtlpMetrics, sink: KeepingSink) -> None:
    for second in (1, 2):
        times = {
            "startTimeUnixNano": str(NOW_NS + (second - 1) * SECOND),
            "timeUnixNano": str(NOW_NS + second * SECOND),
        }
        plain = {**times, "count": "3", "sum": 1.5, "bucketCounts": ["1", "2"], "explicitBounds": [1]}
        fine = {
            **times,
            "count": "2",
            "sum": 3.0,
            "scale": second,
            "positive": {"offset": 0, "bucketCounts": ["1", "1"]},
        }
        metrics = [
            {"name": "h", "histogram": {"aggregationTemporality": 1, "dataPoints": [plain]}},
            {"name": "e", "exponentialHistogram": {"aggregationTemporality": 1, "dataPoints": [fine]}},
        ]
        await door.export("t", request(*metrics))
    assert totals(sink)[-4:] == [3.0, 6.0, 2.0, 6.0]
    histogram = sink.book("t").histograms[-1][2]
    assert (histogram.schema, histogram.count, histogram.sum) == (1, 4.0, 6.0)
    assert histogram.positive == Buckets(1, (3.0, 1.0))


async def test_delta_histograms_that_grow_apart_lose_resolution_and_no_counts(
    door: OtlpMetrics, sink: KeepingSink
) -> None:
    for second, offset in enumerate((-9000, 9000, -9000), start=1):
        times = {
            "startTimeUnixNano": str(NOW_NS + (second - 1) * SECOND),
            "timeUnixNano": str(NOW_NS + second * SECOND),
        }
        data = {**times, "count": "1", "sum": 1.0, "scale": 8, "positive": {"offset": offset, "bucketCounts": ["1"]}}
        metric = {"name": "e", "exponentialHistogram": {"aggregationTemporality": 1, "dataPoints": [data]}}
        assert not (await door.export("t", request(metric))).count
    found = [(each.schema, each.count, sum(each.positive.counts)) for _, _, each, _ in sink.book("t").histograms]
    assert found == [(8, 1.0, 1.0), (7, 2.0, 2.0), (7, 3.0, 3.0)]


@given(values=st.lists(st.integers(0, 100), min_size=1, max_size=20), repeats=st.lists(st.integers(0, 19), max_size=10))
async def test_the_last_sum_is_the_sum_of_all_points(values: list[int], repeats: list[int]) -> None:
    sink = KeepingSink()
    door = OtlpMetrics(sink)
    for second, value in enumerate(values):
        await door.export("t", delta(float(value), second))
        if second in repeats:
            await door.export("t", delta(float(value), second))
    assert totals(sink)[-1] == sum(values)
