"""Past a limit new series are refused, known ones go on, and the report names the label and the sender."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from holdfast.kernel.clock import FakeClock
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId
from holdfast.store import Store
from holdfast.telemetry import SCHEMA, Matcher, MatchOp, MetricSink, MetricSource, MetricsSettings
from holdfast.telemetry.metrics import Cardinality, SeriesLimits, Usage
from holdfast.telemetry.metrics.arrivals import REFUSED, Arrival
from holdfast.telemetry.metrics.cardinality.sketch import DistinctSketch
from holdfast.telemetry.metrics.labels import Labels, labels_of
from holdfast.telemetry.metrics.selection import Selection
from holdfast.telemetry.metrics.storing import Book


def series(name: str, number: int, **labels: str) -> Labels:
    return labels_of({"__name__": name, "user": f"u{number}", **labels})


def book(limits: SeriesLimits, tenant: TenantId = DEFAULT_TENANT) -> Book:
    return Book(tenant, limits, lambda *_: 60)


def limits(**settings: object) -> SeriesLimits:
    return SeriesLimits(MetricsSettings(**settings), FakeClock(), CollectorRegistry())


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"max_series": 10}, "series_per_tenant"),
        ({"max_series_of": {"default": 10}}, "series_per_tenant"),
        ({"max_series_per_metric": 10}, "series_per_metric"),
        ({"max_series_per_origin": 10}, "series_per_origin"),
    ],
)
def test_new_series_past_a_limit_are_refused_and_known_ones_go_on(settings: dict[str, object], reason: str):
    by = limits(**settings)
    own = book(by)
    refs = [own.ref(series("hits", n), origin="scrape:a") for n in range(15)]
    assert refs == [*range(10), *[REFUSED] * 5]
    assert own.ref(series("hits", 3), origin="scrape:a") == 3
    assert by.refusals == {DEFAULT_TENANT: {reason: 5}}
    assert own.ref(series("own", 1), origin="holdfast") == 10


def test_a_limit_of_one_tenant_is_not_that_of_another():
    by = limits(max_series_of={"small": 2})
    assert [book(by, TenantId("small")).ref(series("a", n), origin="x") for n in (1,)] == [0]
    other = book(by, TenantId("big"))
    assert [other.ref(series("a", n), origin="x") for n in range(5)] == list(range(5))


def test_a_bomb_leaves_nothing_behind_but_who_and_which_label():
    by = limits(max_series=100)
    own = book(by)
    for n in range(100):
        own.ref(series("good", n, job="web"), origin="scrape:good")
    tracemalloc.start()
    for n in range(50_000):
        assert own.ref(series("bad", n, job="web", pod=f"p{n % 7}"), origin="scrape:bad") == REFUSED
    current, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert current < 100_000
    (culprit,) = by.explosions.of(DEFAULT_TENANT)
    label, values = culprit.exploded()
    assert (culprit.metric, culprit.origin, label) == ("bad", "scrape:bad", "user")
    assert 0.75 * 50_000 / 16 < values < 1.25 * 50_000 / 16
    assert abs(culprit.refused - 50_000) <= 32


def test_many_culprits_are_remembered_to_a_bound():
    by = limits(max_series=1)
    own = book(by)
    for n in range(20_000):
        own.ref(series(f"m{n}", n), origin=f"o{n}")
    assert len(by.explosions) == 64


@given(st.integers(0, 5000))
def test_a_sketch_counts_to_within_a_third(count: int):
    sketch = DistinctSketch()
    for n in range(count):
        sketch.add(f"value-{n}")
        sketch.add(f"value-{n // 2}")
    assert abs(sketch.estimate() - count) <= max(3, 0.33 * count)


async def test_a_report_names_metrics_labels_senders_and_what_nobody_uses(store: Store):
    await store.register(SCHEMA)
    clock = FakeClock(datetime.now(UTC))
    by, usage = SeriesLimits(MetricsSettings(max_series=8), clock, CollectorRegistry()), Usage(store, clock)
    sink = MetricSink(store, clock=clock, admission=by)
    source = MetricSource(store, clock=clock, feed=sink.feed, usage=usage)
    cardinality = Cardinality(store, sink, by, usage, clock)
    own = sink.book(DEFAULT_TENANT)
    refs = [own.ref(series("hits", n), origin=f"scrape:{n % 2}") for n in range(5)]
    refs += [own.ref(series(name, 0), origin="otlp") for name in ("asked", "drawn", "idle")]
    refs += [own.ref(series("hits", n), origin="scrape:0") for n in range(100, 104)]
    now_ms = int(clock.now().timestamp() * 1000)
    ages = np.array([0, 0, 2, 2, 48, 0, 0, 0, 0, 0, 0, 0]) * 3_600_000
    written = await sink.append(DEFAULT_TENANT, Arrival(own.generation, np.array(refs), now_ms - ages, np.ones(12)))
    assert written.refused == {"limit": 4}
    await source.select(DEFAULT_TENANT, [Selection((Matcher("__name__", MatchOp.EQUAL, "asked"),), 0, now_ms)])

    class Dashboards:
        async def metric_names(self, tenant: TenantId) -> set[str]:
            return {"drawn"} if tenant == DEFAULT_TENANT else set()

    cardinality.consider(Dashboards())
    for _ in range(2):
        report = await cardinality.report(DEFAULT_TENANT, 2)
        assert (report.active, report.limit, report.kept) == (8, 8, 8)
        assert report.refused == {"series_per_tenant": 4}
        first = report.metrics[0]
        assert (first.name, first.active, first.kept, first.new_in_hour, first.new_in_day) == ("hits", 5, 5, 2, 4)
        assert (report.labels[0].name, report.labels[0].values, report.labels[0].series) == ("user", 5, 8)
        assert [(one.origin, one.active) for one in report.origins] == [("scrape:0", 3), ("otlp", 3)]
        assert [(one.metric, one.label, one.origin) for one in report.explosions] == [("hits", "user", "scrape:0")]
        assert (report.metric_limit, report.origin_limit) == (200_000, 200_000)
        assert [(one.name, one.series, one.active) for one in report.unused] == [("hits", 5, 5), ("idle", 1, 1)]
        assert (report.unused_total.metrics, report.unused_total.series, report.unused_total.active) == (2, 6, 6)
        await usage.write()
    await sink.close()
