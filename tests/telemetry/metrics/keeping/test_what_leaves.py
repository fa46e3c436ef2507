"""Deletion takes samples, series, histograms and exemplars, and what is remembered; rules say how long series stay."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest
from structlog.testing import capture_logs

from holdfast.kernel.errors import InvalidError
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId
from holdfast.store import Store
from holdfast.telemetry import SCHEMA, Matcher, MatchOp, MetricSink, MetricSource
from holdfast.telemetry.metrics import Deletion, KeepRules, MetricBrowser
from holdfast.telemetry.metrics.arrivals import Arrival, Exemplar, HistogramSample
from holdfast.telemetry.metrics.browsing import Scope
from holdfast.telemetry.metrics.histograms import Histogram
from holdfast.telemetry.metrics.labels import Labels, labels_of
from holdfast.telemetry.metrics.selection import Selection
from holdfast.telemetry.metrics.settings import KeepRule

HOUR_MS = 3_600_000
ALL = (Matcher("__name__", MatchOp.EQUAL, "hits"),)
OTHER = TenantId("other")


def series(host: str) -> Labels:
    return labels_of({"__name__": "hits", "host": host})


def only(host: str) -> tuple[Matcher, ...]:
    return (*ALL, Matcher("host", MatchOp.EQUAL, host))


class Room:
    def __init__(self, store: Store) -> None:
        self.sink = MetricSink(store)
        self.source = MetricSource(store, feed=self.sink.feed)
        self.browser = MetricBrowser(store, self.source.index)
        self.deletion = Deletion(store, self.sink, self.source)

    async def fill(self, tenant: TenantId = DEFAULT_TENANT) -> None:
        book = self.sink.book(tenant)
        refs = np.array([book.ref(series(host), origin="x") for host in "aabb"])
        ts_ms = np.array([1, 10, 1, 10]) * HOUR_MS
        native = [HistogramSample(int(refs[0]), 2 * HOUR_MS, Histogram(count=1.0))]
        exemplars = [Exemplar(int(refs[0]), HOUR_MS, 1.0, (("trace_id", "t"),))]
        arrival = Arrival(book.generation, refs, ts_ms, np.arange(4.0), histograms=native, exemplars=exemplars)
        await self.sink.append(tenant, arrival)

    async def left(self, tenant: TenantId = DEFAULT_TENANT) -> dict[str, list[int]]:
        (found,) = await self.source.select(tenant, [Selection(ALL, 0, 100 * HOUR_MS)])
        bounds = zip(found.labels, found.offsets[:-1], found.offsets[1:], strict=True)
        return {labels[1][1]: (found.ts_ms[a:b] // HOUR_MS).tolist() for labels, a, b in bounds}


@pytest.fixture
async def room(store: Store) -> AsyncIterator[Room]:
    await store.register(SCHEMA)
    made = Room(store)
    await made.fill()
    yield made
    await made.sink.close()


async def test_a_series_is_deleted_with_all_that_belongs_to_it(room: Room):
    await room.fill(OTHER)
    assert await room.left() == {"a": [1, 2, 10], "b": [1, 10]}
    assert await room.deletion.delete(DEFAULT_TENANT, [only("a")]) == 1
    assert await room.left() == {"b": [1, 10]}
    assert await room.browser.series(DEFAULT_TENANT, Scope()) == [series("b")]
    assert await room.browser.exemplars(DEFAULT_TENANT, Scope()) == []
    assert await room.left(OTHER) == {"a": [1, 2, 10], "b": [1, 10]}
    await room.fill()
    assert await room.left() == {"a": [1, 2, 10], "b": [1, 10]}


async def test_the_other_series_keep_their_places_among_the_active_ones(room: Room):
    book = room.sink.book(DEFAULT_TENANT)
    before = book.generation
    await room.deletion.delete(DEFAULT_TENANT, [only("a")])
    assert (book.labels, book.tally.total, dict(book.tally.by_origin)) == ([series("b")], 1, {"x": 1})
    assert book.renumbered(np.array([0, 1]), before).tolist() == [0]
    await room.deletion.delete(DEFAULT_TENANT, [only("b")], 0, 5 * HOUR_MS)
    assert book.labels == [series("b")]
    await room.fill()
    assert await room.left() == {"a": [1, 2, 10], "b": [1, 10]}
    assert await room.browser.series(DEFAULT_TENANT, Scope()) == [series("a"), series("b")]


async def test_a_span_is_deleted_and_the_series_stays(room: Room):
    assert await room.left() == {"a": [1, 2, 10], "b": [1, 10]}
    assert await room.deletion.delete(DEFAULT_TENANT, [ALL], 0, 5 * HOUR_MS) == 2
    assert await room.left() == {"a": [10], "b": [10]}
    assert await room.browser.series(DEFAULT_TENANT, Scope()) == [series("a"), series("b")]


async def test_the_log_tells_what_is_deleted(room: Room):
    await room.fill()
    with capture_logs() as lines:
        await room.deletion.delete(DEFAULT_TENANT, [only("a"), ALL], 0, 5)
    (line,) = [line for line in lines if line["event"] == "metrics.deletion"]
    assert (line["log_level"], line["tenant"], line["actor"]) == ("info", DEFAULT_TENANT, "")  # nobody asked by HTTP
    assert line["selectors"] == ['{__name__="hits", host="a"}', '{__name__="hits"}']
    assert (line["start_ms"], line["end_ms"]) == (0, 5)


async def test_nothing_is_deleted_where_nothing_matches(room: Room):
    assert await room.deletion.delete(DEFAULT_TENANT, [only("c")]) == 0
    assert await room.left() == {"a": [1, 2, 10], "b": [1, 10]}


async def test_the_first_rule_that_matches_says_how_long(store: Store):
    rules = KeepRules(
        [KeepRule('{host=~"a.*"}', 60, "other"), KeepRule('hits{host="a"}', 120), KeepRule('hits{nothing=""}', 180)],
        store,
    )
    assert rules.seconds(OTHER, series("ab")) == 60
    assert rules.seconds(DEFAULT_TENANT, series("a")) == 120
    assert rules.seconds(DEFAULT_TENANT, series("b")) == 180
    assert KeepRules([], store).seconds(DEFAULT_TENANT, series("b")) == store.settings.retention


@pytest.mark.parametrize("match", ["{", '{a=~"(?=x)"}', "rate(x[5m])"])
def test_a_rule_without_a_selector_is_refused(store: Store, match: str):
    with pytest.raises(InvalidError):
        KeepRules([KeepRule(match, 60)], store)


async def test_samples_of_a_rule_leave_when_it_says(store: Store):
    await store.register(SCHEMA)
    rules = KeepRules([KeepRule('{host="a"}', 3 * 86_400)], store)
    sink = MetricSink(store, keep_s=rules.seconds)
    book = sink.book(DEFAULT_TENANT)
    refs = np.array([book.ref(series(host), origin="x") for host in "ab"])
    await sink.append(DEFAULT_TENANT, Arrival(1, refs, np.array([1, 1]), np.ones(2)))
    sql = """SELECT toUInt32(round((toUnixTimestamp(min(expires_at)) - toUnixTimestamp(now())) / 86400)) AS least,
        toUInt32(round((toUnixTimestamp(max(expires_at)) - toUnixTimestamp(now())) / 86400)) AS most
        FROM metric_points WHERE tenant = {tenant:String}"""
    row = (await store.query(sql, tenant=DEFAULT_TENANT)).to_pylist()[0]
    assert row["least"] in {3, 4}
    assert row["most"] in {90, 91}
    await sink.close()
