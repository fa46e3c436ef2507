"""After a start the labels of a tenant with few series are read, and the newest samples, so that no query waits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from holdfast.kernel.clock import SystemClock
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import Store
from holdfast.telemetry import SCHEMA, MetricSink, MetricSource
from holdfast.telemetry.metrics import MetricBrowser, MetricsSettings
from holdfast.telemetry.metrics.arrivals import Arrival, HistogramSample
from holdfast.telemetry.metrics.browsing import Scope
from holdfast.telemetry.metrics.cardinality import Usage
from holdfast.telemetry.metrics.histograms import Histogram
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.samples import Matcher, MatchOp
from holdfast.telemetry.metrics.selection import Selection, SeriesColumns
from holdfast.telemetry.metrics.storing import ANNOUNCE_EVERY_MS
from holdfast.telemetry.metrics.tables import SLOT_MS

EVER = Scope((), 0, 2**60)
EDGE_MS = int(SystemClock().now().timestamp() * 1000) // SLOT_MS * SLOT_MS - 2 * SLOT_MS  # where a slot began


async def write(sink: MetricSink, *instances: str, name: str = "up", at_ms: Sequence[int] = (1_000,)) -> None:
    """Write a sample of each instance at each time, a seventh of the time as its value."""
    book = sink.book(DEFAULT_TENANT)
    refs = [book.ref(labels_of({"__name__": name, "instance": each}), origin="test") for each in instances]
    ts_ms = np.tile(np.array(at_ms), len(refs))
    arrival = Arrival(book.generation, np.repeat(np.array(refs), len(at_ms)), ts_ms, ts_ms / 7)
    await sink.append(DEFAULT_TENANT, arrival)


async def ask(metrics: MetricSource, name: str, start_ms: int, end_ms: int) -> SeriesColumns:
    selection = Selection((Matcher("__name__", MatchOp.EQUAL, name),), start_ms, end_ms)
    return (await metrics.select(DEFAULT_TENANT, [selection]))[0]


@pytest.fixture
def asked(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the store is asked from now on."""
    statements: list[str] = []
    query = store.query

    async def noted(sql: str, *args: object, **kwargs: object) -> object:
        statements.append(sql)
        return await query(sql, *args, **kwargs)

    monkeypatch.setattr(store, "query", noted)
    return statements


@pytest.mark.parametrize(("most", "is_warm"), [(20_000, True), (1, False)])
async def test_few_series_are_read_ahead_and_many_only_when_asked_for(
    store: Store, asked: list[str], most: int, is_warm: bool
):
    await store.register(SCHEMA)
    sink = MetricSink(store)
    await write(sink, "a", "b")
    metrics = MetricSource(store, feed=sink.feed)
    assert await metrics.warm(DEFAULT_TENANT, most) is is_warm
    asked.clear()
    browser = MetricBrowser(store, metrics.index)
    assert await browser.label_values(DEFAULT_TENANT, "instance", EVER) == ["a", "b"]
    assert bool(asked) is not is_warm
    await write(sink, "c")
    assert await browser.label_values(DEFAULT_TENANT, "instance", EVER) == ["a", "b", "c"]
    await sink.close()


async def test_the_newest_hour_is_answered_from_memory_and_goes_on_growing(store: Store, asked: list[str]):
    await store.register(SCHEMA)
    sink = MetricSink(store)
    for name in ("up", "down"):
        await write(sink, "a", "b", name=name, at_ms=(EDGE_MS - 60_000, EDGE_MS - 1, EDGE_MS, EDGE_MS + 60_000))
    metrics = MetricSource(store, feed=sink.feed)
    await metrics.warm(DEFAULT_TENANT)
    asked.clear()
    for name in ("up", "down"):
        found = await ask(metrics, name, EDGE_MS - 60_000, EDGE_MS + 60_000)
        assert found.ts_ms.tolist() == [EDGE_MS - 1, EDGE_MS, EDGE_MS + 60_000] * 2
        assert found.values.tolist() == [at_ms / 7 for at_ms in found.ts_ms.tolist()]
    await write(sink, "a", at_ms=[EDGE_MS + 75_000])
    found = await ask(metrics, "up", EDGE_MS, EDGE_MS + 80_000)
    assert sorted(found.ts_ms.tolist()) == [EDGE_MS + 60_000, EDGE_MS + 60_000, EDGE_MS + 75_000]
    assert asked == []
    await sink.close()


async def test_what_was_written_while_it_was_read_is_there_once(store: Store, monkeypatch: pytest.MonkeyPatch):
    await store.register(SCHEMA)
    sink = MetricSink(store)
    await write(sink, "a", at_ms=[EDGE_MS])
    metrics = MetricSource(store, feed=sink.feed)
    fetch = metrics.reader._fetcher.fetch

    async def slow(*args: object) -> object:
        await write(sink, "a", at_ms=[EDGE_MS + 1000])
        found = await fetch(*args)
        await write(sink, "a", at_ms=[EDGE_MS + 2000])
        return found

    monkeypatch.setattr(metrics.reader._fetcher, "fetch", slow)
    await metrics.warm(DEFAULT_TENANT)
    monkeypatch.setattr(metrics.reader._fetcher, "fetch", fetch)
    found = await ask(metrics, "up", EDGE_MS - 1, EDGE_MS + 60_000)
    assert found.ts_ms.tolist() == [EDGE_MS, EDGE_MS + 1000, EDGE_MS + 2000]
    await sink.close()


@pytest.mark.parametrize("is_noted", [True, False])
async def test_where_not_all_fits_the_metrics_that_were_queried_last_are_read(
    store: Store, asked: list[str], is_noted: bool
):
    await store.register(SCHEMA)
    sink = MetricSink(store)
    for name in ("a", "z"):
        await write(sink, "x", name=name, at_ms=range(EDGE_MS, EDGE_MS + 600_000, 15_000))
    usage = Usage(store, SystemClock())
    if is_noted:
        usage.note(DEFAULT_TENANT, ["z"])
    metrics = MetricSource(store, feed=sink.feed, usage=usage, settings=MetricsSettings(warm=8 * 40))
    await metrics.warm(DEFAULT_TENANT)
    asked.clear()
    read, unread = ("z", "a") if is_noted else ("a", "z")
    assert len((await ask(metrics, read, EDGE_MS - 1, EDGE_MS + 600_000)).values) == 40
    assert asked == []
    assert len((await ask(metrics, unread, EDGE_MS - 1, EDGE_MS + 600_000)).values) == 40
    assert asked != []
    await sink.close()


@pytest.mark.parametrize("last_ms", [EDGE_MS + ANNOUNCE_EVERY_MS - 1, EDGE_MS + SLOT_MS - 1])
async def test_series_that_live_longer_than_was_announced_are_read_to_their_end(
    store: Store, asked: list[str], last_ms: int
):
    await store.register(SCHEMA)
    sink = MetricSink(store)
    await write(sink, "a", at_ms=[EDGE_MS])
    await write(sink, "a", at_ms=[last_ms])
    metrics = MetricSource(store, feed=sink.feed)
    await metrics.warm(DEFAULT_TENANT)
    asked.clear()
    assert (await ask(metrics, "up", last_ms - 300_000, last_ms)).ts_ms.tolist() == [last_ms]
    assert asked == []
    await sink.close()


async def test_that_there_are_no_native_histograms_is_asked_once_until_one_comes(store: Store, asked: list[str]):
    await store.register(SCHEMA)
    sink = MetricSink(store)
    await write(sink, "a", at_ms=[EDGE_MS])
    metrics = MetricSource(store, feed=sink.feed)
    for since_ms in (1, 2):
        await ask(metrics, "up", EDGE_MS - since_ms, EDGE_MS + 1000)
    assert sum("metric_histograms" in sql for sql in asked) == 1
    book = sink.book(DEFAULT_TENANT)
    ref = book.ref(labels_of({"__name__": "native"}), origin="test")
    nothing = np.zeros(0, np.int64)
    native = [HistogramSample(ref, EDGE_MS, Histogram(count=3.0, sum=4.0))]
    await sink.append(DEFAULT_TENANT, Arrival(book.generation, nothing, nothing, np.zeros(0), histograms=native))
    found = await ask(metrics, "native", EDGE_MS - 1, EDGE_MS + 1000)
    assert found.histograms is not None
    assert found.histograms[0].count == 3.0
    await sink.close()


async def fill_slots(sink: MetricSink, *names: str, slots: int) -> None:
    """Write forty samples at the end of each of the newest slots."""
    for name in names:
        for slot in range(slots):
            end_ms = EDGE_MS + SLOT_MS - slot * SLOT_MS
            await write(sink, "x", name=name, at_ms=range(end_ms - 600_000, end_ms, 15_000))


@pytest.mark.parametrize(
    ("most", "slots"),
    [
        (2**20, 13),  # all that a panel about a day looks at
        (3000, 3),  # the newest ones that fit, beside what says whose they are
    ],
)
async def test_what_room_the_newest_hour_leaves_is_for_the_day_before_it(
    store: Store, asked: list[str], most: int, slots: int
):
    await store.register(SCHEMA)
    sink = MetricSink(store)
    await fill_slots(sink, "a", slots=14)
    metrics = MetricSource(store, feed=sink.feed, settings=MetricsSettings(warm=most))
    await metrics.warm(DEFAULT_TENANT)
    asked.clear()
    begin_ms = EDGE_MS + SLOT_MS - slots * SLOT_MS
    wish = Selection((Matcher("__name__", MatchOp.EQUAL, "a"),), begin_ms, EDGE_MS + SLOT_MS, needs_starts=True)
    found = (await metrics.select(DEFAULT_TENANT, [wish]))[0]
    assert (len(found.values), asked) == (40 * slots, [])
    await ask(metrics, "a", EDGE_MS - 13 * SLOT_MS, EDGE_MS + SLOT_MS)
    assert asked != []
    await sink.close()


async def test_where_not_all_of_the_newest_hour_fits_nothing_older_is_read(store: Store, asked: list[str]):
    await store.register(SCHEMA)
    sink = MetricSink(store)
    await fill_slots(sink, "a", "b", slots=3)
    metrics = MetricSource(store, feed=sink.feed, settings=MetricsSettings(warm=60 * 8))
    await metrics.warm(DEFAULT_TENANT)
    asked.clear()
    assert len((await ask(metrics, "a", EDGE_MS, EDGE_MS + SLOT_MS)).values) == 40
    assert asked == []
    await ask(metrics, "a", EDGE_MS - SLOT_MS, EDGE_MS + SLOT_MS)
    assert asked != []
    await sink.close()
