"""The in-memory twins answer as the store does."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.kernel.errors import ConflictError, LimitError
from holdfast.kernel.ids import TenantId
from holdfast.telemetry.metrics.arrivals import REFUSED, Arrival, HistogramSample
from holdfast.telemetry.metrics.histograms import Histogram
from holdfast.telemetry.metrics.memory import MemorySink, MemorySource
from holdfast.telemetry.metrics.samples import Matcher, MatchOp
from holdfast.telemetry.metrics.selection import Selection, SelectionLimits

TENANT = TenantId("default")
WEB = (("__name__", "up"), ("job", "web"))
DB = (("__name__", "up"), ("job", "db"))


def selection(start_ms: int = 0, end_ms: int = 1000, *, needs_starts: bool = False) -> Selection:
    return Selection((Matcher("__name__", MatchOp.EQUAL, "up"),), start_ms, end_ms, needs_starts=needs_starts)


def arrival(generation: int, refs: list[int], ts_ms: list[int], values: list[float], *, start_ms: int = 0) -> Arrival:
    return Arrival(
        generation,
        np.array(refs, np.int64),
        np.array(ts_ms, np.int64),
        np.array(values, np.float64),
        np.full(len(refs), start_ms, np.int64),
    )


async def test_a_window_is_open_on_its_left() -> None:
    source = MemorySource()
    source.add(TENANT, WEB, [(300, 3.0), (100, 1.0), (200, 2.0)])
    [columns] = await source.select(TENANT, [selection(100, 300)])
    assert columns.labels == [WEB]
    assert columns.ts_ms.tolist() == [200, 300]
    assert columns.values.tolist() == [2.0, 3.0]
    assert columns.offsets.tolist() == [0, 2]
    assert columns.histograms is None


async def test_what_comes_later_for_the_same_time_wins() -> None:
    source = MemorySource()
    source.add(TENANT, WEB, [(100, 1.0)])
    source.add(TENANT, WEB, [(100, 2.0)])
    [columns] = await source.select(TENANT, [selection()])
    assert columns.values.tolist() == [2.0]


async def test_tenants_and_other_series_are_not_seen() -> None:
    source = MemorySource()
    source.add(TENANT, WEB, [(100, 1.0)])
    source.add(TENANT, (("__name__", "down"),), [(100, 1.0)])
    assert [len(each.labels) for each in await source.select(TenantId("other"), [selection()])] == [0]
    assert [len(each.labels) for each in await source.select(TENANT, [selection(), selection(100)])] == [1, 0]
    source.clear(TENANT)
    assert [len(each.labels) for each in await source.select(TENANT, [selection()])] == [0]


async def test_a_sink_writes_floats_histograms_and_starts() -> None:
    source = MemorySource()
    sink = MemorySink(source)
    book = sink.book(TENANT)
    web, db = book.ref(WEB, origin="test"), book.ref(DB, origin="test")
    assert book.ref(WEB, origin="test") == web
    written = await sink.append(TENANT, arrival(book.generation, [web, web], [100, 200], [1.0, 2.0], start_ms=50))
    assert (written.samples, written.refused) == (2, {})
    histogram = Histogram(count=4.0, sum=2.0)
    empty = arrival(book.generation, [], [], [])
    both = Arrival(
        empty.generation, empty.refs, empty.ts_ms, empty.values, histograms=[HistogramSample(db, 100, histogram)]
    )
    assert (await sink.append(TENANT, both)).histograms == 1
    [columns] = await source.select(TENANT, [selection(needs_starts=True)])
    assert columns.histograms is not None
    assert columns.histograms.tolist() == [None, None, histogram]
    assert columns.starts_ms is not None
    assert columns.starts_ms.tolist() == [50, 50, 0]


async def test_series_over_the_limit_are_refused_and_counted() -> None:
    sink = MemorySink(MemorySource(), max_series=1)
    book = sink.book(TENANT)
    assert book.ref(WEB, origin="test") == 0
    assert book.ref(DB, origin="test") == REFUSED
    written = await sink.append(TENANT, arrival(book.generation, [0, REFUSED], [100, 100], [1.0, 1.0]))
    assert (written.samples, written.refused) == (1, {"limit": 1})


async def test_references_of_another_generation_are_refused() -> None:
    sink = MemorySink(MemorySource())
    book = sink.book(TENANT)
    ref = book.ref(WEB, origin="test")
    before = book.generation
    book.forget()
    with pytest.raises(ConflictError):
        await sink.append(TENANT, arrival(before, [ref], [100], [1.0]))


async def test_a_query_over_the_limits_names_the_selector_and_its_cost() -> None:
    source = MemorySource()
    source.add(TENANT, WEB, [(100, 1.0), (200, 2.0)])
    source.add(TENANT, DB, [(100, 1.0), (200, 2.0)])
    with pytest.raises(LimitError, match=r'more than 3 samples .*__name__="up".* to 4'):
        await source.select(TENANT, [selection()], SelectionLimits(max_samples=3))
    with pytest.raises(LimitError, match="more than 1 series"):
        await source.select(TENANT, [selection()], SelectionLimits(max_series=1))


async def test_histograms_are_told_to_go_on_as_a_store_tells_it() -> None:
    source = MemorySource()
    counts = [1.0, 2.0, 1.0, 3.0]
    samples = [(100 * place, Histogram(count=count)) for place, count in enumerate(counts, start=1)]
    source.add(TENANT, WEB, [*samples, (450, 1.0), (500, Histogram(count=4.0))])
    [columns] = await source.select(TENANT, [selection()])
    assert columns.histograms is not None
    hints = [None if histogram is None else histogram.hint.value for histogram in columns.histograms]
    assert hints == ["unknown", "not_reset", "unknown", "not_reset", None, "unknown"]
