"""How series grow over time, and what one metric's series are made of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from holdfast.kernel.clock import FakeClock
from holdfast.kernel.errors import InvalidError
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId
from holdfast.store import Store
from holdfast.telemetry import SCHEMA, MetricSink, MetricsSettings
from holdfast.telemetry.metrics import Cardinality, SeriesLimits, Usage
from holdfast.telemetry.metrics.arrivals import Arrival
from holdfast.telemetry.metrics.cardinality.growth import MOST_POINTS, Window
from holdfast.telemetry.metrics.labels import labels_of

HOUR = timedelta(hours=1)


async def filled(store: Store, clock: FakeClock) -> tuple[Cardinality, MetricSink, datetime]:
    await store.register(SCHEMA)
    limits, usage = SeriesLimits(MetricsSettings(), clock, CollectorRegistry()), Usage(store, clock)
    sink = MetricSink(store, clock=clock, admission=limits)
    own = sink.book(DEFAULT_TENANT)
    now = clock.now().replace(minute=0, second=0, microsecond=0)
    refs, ages = [], []
    for number, hours in enumerate((9, 8, 4, 4, 1)):  # one sample each, so long ago
        labels = labels_of({"__name__": "hits", "user": f"u{number}", "zone": "ab"[number % 2]})
        refs.append(own.ref(labels, origin=f"scrape:web/{number % 2}"))
        ages.append(hours)
    refs.append(own.ref(labels_of({"__name__": "other"}), origin="otlp:x"))
    ages.append(1)
    now_ms = int(now.timestamp() * 1000)
    ts_ms = now_ms - np.array(ages) * 3_600_000
    await sink.append(DEFAULT_TENANT, Arrival(own.generation, np.array(refs), ts_ms, np.ones(len(refs))))
    return Cardinality(store, sink, limits, usage, clock), sink, now


async def test_series_are_counted_while_they_live_and_where_they_begin(store: Store):
    cardinality, sink, now = await filled(store, FakeClock(datetime.now(UTC)))
    window = Window(now - 6 * HOUR, now, HOUR)
    all_of_it = await cardinality.growth(DEFAULT_TENANT, window)
    assert [one.at for one in all_of_it] == [now - hours * HOUR for hours in range(6, -1, -1)]
    # An hour longer than the last sample, as far as lives are known.
    assert [one.active for one in all_of_it] == [0, 0, 2, 2, 0, 2, 2]
    assert [one.new for one in all_of_it] == [0, 0, 2, 0, 0, 2, 0]
    hits = await cardinality.growth(DEFAULT_TENANT, Window(now - 8 * HOUR, now, 2 * HOUR), "hits")
    assert [(one.active, one.new) for one in hits] == [(2, 0), (0, 0), (2, 2), (0, 0), (1, 1)]
    assert not any(one.active for one in await cardinality.growth(TenantId("other"), window))
    await sink.close()


@pytest.mark.parametrize(("length", "step"), [(-HOUR, HOUR), (HOUR, timedelta(0)), (HOUR * MOST_POINTS, HOUR)], ids=str)
async def test_a_window_that_is_none_is_refused(length: timedelta, step: timedelta):
    now = datetime.now(UTC)
    with pytest.raises(InvalidError, match=r"window is none|at most 1000"):
        _ = Window(now, now + length, step).points


async def test_a_metric_is_made_of_senders_labels_and_values(store: Store):
    cardinality, sink, _ = await filled(store, FakeClock(datetime.now(UTC)))
    made = await cardinality.makeup(DEFAULT_TENANT, "hits")
    assert (made.name, made.active) == ("hits", 5)
    assert [(one.origin, one.active) for one in made.origins] == [("scrape:web/0", 3), ("scrape:web/1", 2)]
    assert [(one.name, one.values) for one in made.labels] == [("user", 5), ("zone", 2)]
    assert [(one.value, one.series) for one in made.labels[1].most] == [("a", 3), ("b", 2)]
    assert len((await cardinality.makeup(DEFAULT_TENANT, "hits", 1)).labels) == 1
    nobody = await cardinality.makeup(TenantId("other"), "hits")
    assert (nobody.active, nobody.origins, nobody.labels) == (0, (), ())
    await sink.close()
