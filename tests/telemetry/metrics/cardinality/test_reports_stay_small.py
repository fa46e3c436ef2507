"""Reports on very many series cost little memory, and leave nothing of them behind."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from holdfast.kernel.clock import FakeClock
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId
from holdfast.store import Store
from holdfast.telemetry import SCHEMA, MetricSink, MetricSource, MetricsSettings
from holdfast.telemetry.metrics import Cardinality, MetricBrowser, SeriesLimits, Usage
from holdfast.telemetry.metrics.browsing import Count
from holdfast.telemetry.metrics.cardinality.growth import Window
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.tables import SERIES

KEPT = 100_000
MIB = 1024 * 1024
# Written in two parts, the second half of the series in both.
MANY = """SELECT {tenant:String} AS tenant, 'bomb' AS name, sipHash64(number) AS series_id,
    map('job', 'careless', 'user', toString(number)) AS labels,
    now64(3) AS first_seen, now64(3) AS last_seen, now() AS heard_at, now() + 864000 AS expires_at FROM numbers(KEPT)"""


@dataclass(slots=True)
class Reports:
    """All that counts series."""

    cardinality: Cardinality
    browser: MetricBrowser
    source: MetricSource
    sink: MetricSink


@pytest.fixture
async def reports(store: Store) -> AsyncIterator[Reports]:
    await store.register(SCHEMA)
    clock, settings = FakeClock(datetime.now(UTC)), MetricsSettings()
    limits, usage = SeriesLimits(settings, clock, CollectorRegistry()), Usage(store, clock)
    sink = MetricSink(store, clock=clock, admission=limits)
    source = MetricSource(store, clock=clock, feed=sink.feed)
    made = Cardinality(store, sink, limits, usage, clock)
    yield Reports(made, MetricBrowser(store, source.index), source, sink)
    await sink.close()


async def fill(store: Store, tenant: TenantId) -> None:
    for numbers in (f"numbers({KEPT})", f"numbers({KEPT // 2}, {KEPT // 2})"):
        await store.derive(SERIES, MANY.replace("numbers(KEPT)", numbers), tenant=tenant)


async def test_the_engine_counts_series_without_a_table_of_them(
    reports: Reports, store: Store, monkeypatch: pytest.MonkeyPatch
):
    await fill(store, DEFAULT_TENANT)
    monkeypatch.setattr(store, "settings", replace(store.settings, query_memory=12 * MIB))
    report = await reports.cardinality.report(DEFAULT_TENANT)
    assert report.kept == KEPT
    assert [(one.name, one.kept, one.new_in_hour, one.new_in_day) for one in report.metrics] == [
        ("bomb", KEPT, KEPT, KEPT)
    ]
    now = datetime.now(UTC)
    grown = await reports.cardinality.growth(DEFAULT_TENANT, Window(now - timedelta(hours=1), now, timedelta(hours=1)))
    assert [(one.active, one.new) for one in grown] == [(0, 0), (KEPT, KEPT)]


async def test_counts_by_label_leave_no_series_in_memory(reports: Reports, store: Store):
    await fill(store, DEFAULT_TENANT)
    stats = await reports.browser.stats(DEFAULT_TENANT, 3)
    assert (stats.series, stats.pairs) == (KEPT, KEPT + 2)
    assert stats.label_values == (Count("user", KEPT), Count("__name__", 1), Count("job", 1))
    assert stats.label_pairs == (Count("__name__=bomb", KEPT), Count("job=careless", KEPT), Count("user=0", 1))
    sizes = {"job": 8 * KEPT, "user": len("".join(map(str, range(KEPT)))), "__name__": 4 * KEPT}
    assert {one.name: one.value for one in stats.label_bytes} == sizes
    assert reports.source.index.remembered == 0


async def test_labels_of_active_series_are_counted_without_gathering_them(reports: Reports):
    book = reports.sink.book(DEFAULT_TENANT)
    count = 50_000
    for number in range(count):
        book.ref(labels_of({"__name__": "bomb", "job": "a" if number % 2 else "b", "user": f"u{number}"}), origin="x")
    await reports.cardinality.report(DEFAULT_TENANT)  # imports and caches are paid for
    tracemalloc.start()
    report = await reports.cardinality.report(DEFAULT_TENANT)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [(one.name, one.values, one.series) for one in report.labels] == [("user", count, count), ("job", 2, count)]
    assert most < 24 * count  # a set of the values alone has 40 bytes for each
