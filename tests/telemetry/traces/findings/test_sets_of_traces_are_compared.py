"""What sets some traces apart from others is found in the engine, with its counts, and chance is told from cause."""

from __future__ import annotations

from dataclasses import replace
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.traces import MS, NOW_NS, Row, spans
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry.traces import SCHEMA, SpanKind, SpanStatus, TraceSink
from holdfast.telemetry.traces.findings import SpanCounts, TraceComparison, the_rest
from holdfast.telemetry.traces.findings.significance import tail_of


def shop(traces: int, slow: int) -> list[Row]:
    """Give traces of a shop; the first ones are slow, for version 2 of the cart asks its database again and again."""
    rows = []
    for trace in range(1, traces + 1):
        version = "2" if trace <= slow else "1"
        length = 300 if trace <= slow else 40
        cart = {"service.version": version}
        base = trace * 100
        rows += [
            Row(trace, base, 0, "shop", "GET /cart", trace, length, attributes={"user": str(trace), "region": "eu"}),
            Row(trace, base + 1, base, "cart", "load", trace + 5, length - 10, resource=cart),
            Row(trace, base + 2, base + 1, "cart", "SELECT", trace + 6, length - 30, SpanKind.CLIENT, resource=cart),
        ]
    return rows


@pytest.fixture
async def comparison(stored):
    return TraceComparison(await stored(shop(200, 50)))


async def test_what_the_slow_share_comes_first_and_is_significant(comparison, search):
    slow = search(service="shop", operation="GET /cart", min_ns=200 * MS)
    found = await comparison.compare(DEFAULT_TENANT, slow, the_rest(slow))
    assert (found.chosen.traces, found.others.traces) == (50, 150)
    assert (found.chosen.sampled, found.chosen.spans) == (50, 150)
    assert (found.chosen.p50_ns, found.others.p50_ns) == (300 * MS, 40 * MS)
    first, *more = found.contrasts
    assert (first.name, first.value, first.chosen, first.others) == ("service.version", "2", 50, 0)
    assert first.chosen_share == pytest.approx(1)
    assert (first.others_share, first.lift) == (0, None)
    assert first.is_significant
    assert more == []  # the region is everybody's, and a user is met once


async def test_the_operation_that_takes_the_time_is_named(comparison, search):
    slow = search(service="shop", min_ns=200 * MS)
    found = await comparison.compare(DEFAULT_TENANT, slow, the_rest(slow))
    (growth,) = found.growths
    assert (growth.service, growth.operation) == ("cart", "SELECT")
    assert growth.chosen_self_ns == pytest.approx(270 * MS)
    assert growth.others_self_ns == pytest.approx(10 * MS)
    assert growth.growth_ns == pytest.approx(260 * MS)
    assert growth.chosen_calls == pytest.approx(1)


async def test_children_at_once_count_once_in_self_times(stored, search):
    def trace(number: int, length: int) -> list[Row]:
        base = number * 100
        below = [Row(number, base + n, base, "shop", "call", 10, length - 20, SpanKind.CLIENT) for n in (1, 2)]
        return [Row(number, base, 0, "shop", "GET /", 0, length), *below]

    counts = await stored([row for n in range(1, 5) for row in trace(n, 100)] + trace(9, 60))
    found = await TraceComparison(counts).compare(DEFAULT_TENANT, search(min_ns=100 * MS), search())
    assert [(each.operation, each.growth_ns) for each in found.growths] == [("call", pytest.approx(80 * MS))]


async def test_samples_are_bounded_and_told(comparison, search):
    slow = search(service="shop", min_ns=200 * MS)
    found = await comparison.compare(DEFAULT_TENANT, slow, the_rest(slow), most=20)
    assert (found.chosen.traces, found.chosen.sampled) == (50, 20)
    assert (found.others.traces, found.others.sampled) == (150, 20)
    again = await comparison.compare(DEFAULT_TENANT, slow, the_rest(slow), most=20)
    assert again == found


async def test_a_span_that_was_sent_twice_is_compared_once(stored, search):
    rows = shop(20, 10)
    await stored(rows)
    counts = await stored(rows)
    slow = search(service="shop", min_ns=200 * MS)
    found = await TraceComparison(counts).compare(DEFAULT_TENANT, slow, the_rest(slow))
    assert (found.chosen.traces, found.chosen.spans) == (10, 30)
    assert [each.growth_ns for each in found.growths] == [pytest.approx(260 * MS)]


async def test_failed_operations_and_other_times_are_compared_too(stored, search):
    failed = [Row(n, n * 10, 0, "shop", "pay", n, 10, status=SpanStatus.ERROR) for n in range(1, 11)]
    good = [Row(n, n * 10, 0, "shop", "pay", n, 10, status=SpanStatus.OK) for n in range(11, 31)]
    comparison = TraceComparison(await stored(failed + good))
    found = await comparison.compare(DEFAULT_TENANT, search(status=SpanStatus.ERROR), search())
    assert [(each.name, each.value) for each in found.contrasts] == [("failed operation", "shop: pay")]
    now = replace(search(), start_ns=NOW_NS + 11 * MS)
    before = replace(search(), end_ns=NOW_NS + 11 * MS)
    found = await comparison.compare(DEFAULT_TENANT, before, now)
    assert (found.chosen.traces, found.others.traces) == (10, 20)
    assert found.contrasts[0].name == "failed operation"


async def test_traces_count_as_many_times_as_they_stand_for(open_store, store_url, search):
    store = await open_store(store_url, SCHEMA)
    rows = [Row(n, n, 0, "shop", "pay", n, 500 if n <= 10 else 10, attributes={"in": "eu"}) for n in range(1, 21)]
    rows += [Row(n, n, 0, "shop", "pay", n, 10, attributes={"in": "us"}) for n in range(21, 31)]
    weights = np.array([1.0] * 20 + [9.0] * 10)
    await TraceSink(store).append(DEFAULT_TENANT, replace(spans(rows), weights=weights))
    comparison = TraceComparison(SpanCounts(store))
    found = await comparison.compare(DEFAULT_TENANT, search(min_ns=400 * MS), search())
    (first,) = found.contrasts
    assert (first.value, first.chosen, first.others) == ("eu", 10, 10)
    assert (first.chosen_share, first.others_share) == (pytest.approx(1), pytest.approx(0.1))
    assert first.lift == pytest.approx(10)


async def test_where_a_side_is_empty_nothing_is_said(comparison, search):
    nobody = search(service="nobody")
    found = await comparison.compare(DEFAULT_TENANT, nobody, the_rest(nobody))
    assert (found.chosen.traces, found.contrasts, found.growths) == (0, [], [])
    everybody = search()
    found = await comparison.compare(DEFAULT_TENANT, everybody, the_rest(everybody))
    assert (found.chosen.traces, found.others.traces, found.contrasts) == (200, 0, [])


@given(st.integers(0, 30), st.integers(1, 30), st.integers(0, 30), st.integers(1, 30))
def test_chance_is_what_counting_all_ways_gives(bearing, chosen, beside, others):
    bearing, beside = min(bearing, chosen), min(beside, others)
    borne = bearing + beside
    ways = sum(comb(chosen, n) * comb(others, borne - n) for n in range(bearing, min(borne, chosen) + 1))
    assert tail_of(bearing, chosen, beside, others) == pytest.approx(ways / comb(chosen + others, borne), rel=1e-9)
