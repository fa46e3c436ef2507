"""Spans are counted by time and duration; whatever is chosen on the map is found by a search with its bounds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixtures.traces import MS, NOW_NS, Row
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry.traces import SpanStatus
from holdfast.telemetry.traces.findings import map_latency

MINUTE_MS = 60_000


async def test_cells_hold_every_span_and_their_bounds_find_them_again(stored, search):
    lengths = [1, 2, 3, 9, 10, 11, 50, 400, 401, 90_000]
    counts = await stored([Row(n, n, 0, start_ms=n * MINUTE_MS, length_ms=took) for n, took in enumerate(lengths, 1)])
    found = await map_latency(counts, DEFAULT_TENANT, search(), 60)
    assert sum(found.spans) == found.total == len(lengths)
    assert found.columns >= 60
    for time, row, spans in zip(found.times, found.rows, found.spans, strict=True):
        start_ns = found.start_ns + time * found.step_ns
        part = replace(
            search(min_ns=found.bounds_ns[row], max_ns=found.bounds_ns[row + 1] - 1),
            start_ns=start_ns,
            end_ns=start_ns + found.step_ns,
        )
        assert (await counts.select(DEFAULT_TENANT, part)).spans == spans
    assert list(found.bounds_ns) == sorted(found.bounds_ns)
    assert found.bounds_ns[0] <= MS


async def test_failed_spans_and_percentiles_are_told(stored, search):
    rows = [Row(n, n, 0, length_ms=n) for n in range(1, 101)]
    rows[99] = rows[99]._replace(status=SpanStatus.ERROR)
    found = await map_latency(await stored(rows), DEFAULT_TENANT, search(), 10)
    assert (found.total, found.total_failed) == (100, 1)
    assert [round(ns / MS) for ns in found.percentiles_ns] == pytest.approx([50, 95, 99], abs=1)


async def test_traces_of_a_single_span_are_left_out_unless_they_failed(stored, search):
    rows = [Row(1, 1), Row(1, 2, 1, length_ms=5), Row(2, 1, length_ms=3), Row(3, 1, length_ms=3)]
    rows[3] = rows[3]._replace(status=SpanStatus.ERROR)
    counts = await stored(rows)
    roots = replace(search(), is_root=True)
    every = await map_latency(counts, DEFAULT_TENANT, roots, 10)
    found = await map_latency(counts, DEFAULT_TENANT, roots, 10, has_singles=False)
    assert (every.total, found.total, found.total_failed) == (3, 2, 1)


async def test_columns_stay_where_they_are_while_time_goes_on(stored, search):
    counts = await stored([Row(1, 1)])
    first = await map_latency(counts, DEFAULT_TENANT, search(), 60)
    later = replace(search(), start_ns=search().start_ns + 7 * 10**9, end_ns=search().end_ns + 7 * 10**9)
    second = await map_latency(counts, DEFAULT_TENANT, later, 60)
    assert first.step_ns == second.step_ns
    assert (second.start_ns - first.start_ns) % first.step_ns == 0


@pytest.mark.parametrize("length_ms", [0, 10**9])
async def test_the_shortest_and_the_longest_have_a_row(stored, search, length_ms):
    counts = await stored([Row(1, 1, length_ms=length_ms)])
    found = await map_latency(counts, DEFAULT_TENANT, search(), 60)
    assert found.bounds_ns[found.rows[0]] <= length_ms * MS < found.bounds_ns[found.rows[0] + 1]


async def test_nothing_is_an_empty_map(stored, search):
    found = await map_latency(await stored([]), DEFAULT_TENANT, search(service="nobody"), 60)
    assert (found.total, list(found.spans), list(found.bounds_ns), found.percentiles_ns) == (0, [], [], None)
    assert found.start_ns <= NOW_NS
