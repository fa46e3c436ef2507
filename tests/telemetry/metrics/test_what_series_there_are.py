"""The store's browser: series, labels, families, exemplars and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator

import numpy as np
import pytest

from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import Store
from holdfast.telemetry import SCHEMA, Matcher, MatchOp, MetricSink, MetricSource
from holdfast.telemetry.metrics import MetricBrowser
from holdfast.telemetry.metrics.arrivals import Arrival, Exemplar, MetricMetadata
from holdfast.telemetry.metrics.browsing import Count, FoundExemplar, Scope
from holdfast.telemetry.metrics.labels import labels_of

HOUR_MS = 3_600_000
A = labels_of({"__name__": "hits", "host": "a", "job": "web"})
B = labels_of({"__name__": "hits", "host": "b", "job": "web"})
UP = labels_of({"__name__": "up", "job": "db"})
HITS = (Matcher("__name__", MatchOp.EQUAL, "hits"),)


@pytest.fixture
async def browser(store: Store) -> AsyncIterator[MetricBrowser]:
    await store.register(SCHEMA)
    sink = MetricSink(store)
    source = MetricSource(store, feed=sink.feed)
    book = sink.book(DEFAULT_TENANT)
    refs = [book.ref(labels, origin="test") for labels in (A, B, UP)]
    said = (MetricMetadata("up", "gauge", "Is it up?"), MetricMetadata("hits", "counter", "How often.", "1"))
    arrival = Arrival(
        book.generation,
        np.array(refs),
        np.array([1000, 10 * HOUR_MS, 2000]),
        np.ones(3),
        exemplars=(Exemplar(refs[0], 900, 0.5, (("trace_id", "x"),)), Exemplar(refs[1], 10 * HOUR_MS, 0.7, ())),
        metadata=said,
    )
    await sink.append(DEFAULT_TENANT, arrival)
    yield MetricBrowser(store, source.index)
    await sink.close()


async def test_series_that_match_any_selector_and_live_then(browser: MetricBrowser):
    up = (Matcher("job", MatchOp.EQUAL, "db"),)
    assert await browser.series(DEFAULT_TENANT, Scope()) == [A, B, UP]
    assert await browser.series(DEFAULT_TENANT, Scope((HITS, HITS))) == [A, B]
    assert await browser.series(DEFAULT_TENANT, Scope((HITS, up), end_ms=5 * HOUR_MS)) == [A, UP]
    assert await browser.series(DEFAULT_TENANT, Scope(start_ms=5 * HOUR_MS)) == [B]
    assert await browser.series(DEFAULT_TENANT, Scope(limit=1)) == [A]


async def test_label_names_and_values(browser: MetricBrowser):
    assert await browser.label_names(DEFAULT_TENANT, Scope()) == ["__name__", "host", "job"]
    assert await browser.label_names(DEFAULT_TENANT, Scope(((Matcher("job", MatchOp.EQUAL, "db"),),))) == [
        "__name__",
        "job",
    ]
    assert await browser.label_values(DEFAULT_TENANT, "job", Scope()) == ["db", "web"]
    assert await browser.label_values(DEFAULT_TENANT, "__name__", Scope()) == ["hits", "up"]
    assert await browser.label_values(DEFAULT_TENANT, "host", Scope((HITS,), end_ms=HOUR_MS)) == ["a"]
    assert await browser.label_values(DEFAULT_TENANT, "host", Scope(limit=1)) == ["a"]
    assert await browser.label_values(DEFAULT_TENANT, "nothing", Scope()) == []


async def test_what_is_said_of_families(browser: MetricBrowser):
    assert await browser.metadata(DEFAULT_TENANT) == [
        MetricMetadata("hits", "counter", "How often.", "1"),
        MetricMetadata("up", "gauge", "Is it up?"),
    ]
    assert [one.family for one in await browser.metadata(DEFAULT_TENANT, "up")] == ["up"]


async def test_exemplars_by_series_and_time(browser: MetricBrowser):
    first, second = FoundExemplar(900, 0.5, (("trace_id", "x"),)), FoundExemplar(10 * HOUR_MS, 0.7, ())
    assert await browser.exemplars(DEFAULT_TENANT, Scope((HITS,))) == [(A, [first]), (B, [second])]
    assert await browser.exemplars(DEFAULT_TENANT, Scope((HITS,), 0, 900)) == [(A, [first])]
    assert await browser.exemplars(DEFAULT_TENANT, Scope(((Matcher("job", MatchOp.EQUAL, "db"),),))) == []


async def test_where_the_series_come_from(browser: MetricBrowser):
    stats = await browser.stats(DEFAULT_TENANT, 2)
    assert (stats.series, stats.samples, stats.min_ms, stats.max_ms) == (3, 3, 1000, 10 * HOUR_MS)
    assert stats.metrics == (Count("hits", 2), Count("up", 1))
    assert stats.pairs > len(stats.label_pairs) == 2
    assert {count.value for count in stats.label_values} == {2}
    assert set(stats.label_pairs) == {Count("__name__=hits", 2), Count("job=web", 2)}
    assert stats.label_bytes[0] == Count("__name__", 10)


async def test_counts_by_label_are_those_of_the_label_sets(store: Store):
    """Also where a label's name has an equals sign, text is no ASCII, and a series has no name."""
    await store.register(SCHEMA)
    sink = MetricSink(store)
    book = sink.book(DEFAULT_TENANT)
    rows = [
        {"__name__": "hits", "a=b": "c", "zone": "Zürich"},
        {"__name__": "hits", "a": "b=c", "zone": "Zürich"},
        {"__name__": "größe", "a": "b=c"},
        {"a": "b=c", "zone": ""},
    ]
    series = [labels_of(row) for row in rows]
    refs = np.array([book.ref(labels, origin="test") for labels in series])
    await sink.append(DEFAULT_TENANT, Arrival(book.generation, refs, np.full(4, 1000), np.ones(4)))
    pairs = Counter(pair for labels in series for pair in labels)
    sizes: Counter[str] = Counter()
    for (name, value), count in pairs.items():
        sizes[name] += len(value.encode()) * count
    stats = await MetricBrowser(store, MetricSource(store).index).stats(DEFAULT_TENANT, 100)
    assert (stats.series, stats.pairs) == (4, len(pairs))
    assert dict(stats.metrics) == {"hits": 2, "größe": 1}
    assert dict(stats.label_values) == Counter(name for name, _ in pairs)
    assert sorted(stats.label_pairs) == sorted((f"{name}={value}", count) for (name, value), count in pairs.items())
    assert dict(stats.label_bytes) == sizes
    await sink.close()
