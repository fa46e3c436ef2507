"""After a start the labels of a tenant with few series are read in the background, so that no query waits for them."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import Store
from holdfast.telemetry import SCHEMA, MetricSink, MetricSource
from holdfast.telemetry.metrics import MetricBrowser, source
from holdfast.telemetry.metrics.arrivals import Arrival
from holdfast.telemetry.metrics.browsing import Scope
from holdfast.telemetry.metrics.labels import labels_of

EVER = Scope((), 0, 2**60)


async def write(sink: MetricSink, *instances: str) -> None:
    book = sink.book(DEFAULT_TENANT)
    for instance in instances:
        ref = book.ref(labels_of({"__name__": "up", "instance": instance}), origin="test")
        await sink.append(DEFAULT_TENANT, Arrival(book.generation, np.array([ref]), np.array([1_000]), np.ones(1)))


@pytest.mark.parametrize(("most", "is_warm"), [(20_000, True), (1, False)])
async def test_few_series_are_read_ahead_and_many_only_when_asked_for(
    store: Store, monkeypatch: pytest.MonkeyPatch, most: int, is_warm: bool
):
    monkeypatch.setattr(source, "WARMED_SERIES", most)
    await store.register(SCHEMA)
    sink = MetricSink(store)
    await write(sink, "a", "b")
    metrics = MetricSource(store, feed=sink.feed)
    await metrics.warm(DEFAULT_TENANT)
    asked: list[str] = []
    query = store.query

    async def noted(sql: str, *args: object, **kwargs: object) -> object:
        asked.append(sql)
        return await query(sql, *args, **kwargs)

    monkeypatch.setattr(store, "query", noted)
    browser = MetricBrowser(store, metrics.index)
    assert await browser.label_values(DEFAULT_TENANT, "instance", EVER) == ["a", "b"]
    assert bool(asked) is not is_warm
    await write(sink, "c")
    assert await browser.label_values(DEFAULT_TENANT, "instance", EVER) == ["a", "b", "c"]
    await sink.close()
