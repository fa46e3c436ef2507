"""Arrivals of doors go into the store as columns, and come out as PromQL selects them."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from holdfast.kernel.clock import FakeClock
from holdfast.kernel.errors import ConflictError, InvalidError, LimitError
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId
from holdfast.store import Store
from holdfast.telemetry import SCHEMA, Matcher, MatchOp, MetricSink, MetricSource
from holdfast.telemetry.metrics.arrivals import (
    REFUSED,
    STALE_BITS,
    Arrival,
    HistogramSample,
    MetricMetadata,
    RefusedSeries,
)
from holdfast.telemetry.metrics.histograms import Buckets, Histogram, ResetHint
from holdfast.telemetry.metrics.labels import Labels, labels_of
from holdfast.telemetry.metrics.selection import Selection, SelectionLimits, SeriesColumns
from holdfast.telemetry.metrics.storing import Book, Everybody, Tally

NOW_MS = int(datetime.now(UTC).timestamp()) * 1000
STALE = struct.unpack("<d", struct.pack("<Q", STALE_BITS))[0]


def series(name: str = "hits", **labels: str) -> Labels:
    return labels_of({"__name__": name, **labels})


def named(name: str = "hits", **labels: str) -> tuple[Matcher, ...]:
    return tuple(Matcher(label, MatchOp.EQUAL, value) for label, value in {"__name__": name, **labels}.items())


def arrival(book: Book, samples: list[tuple[Labels, int, float]], **more) -> Arrival:
    refs = [book.ref(labels, origin="test") for labels, _, _ in samples]
    return Arrival(
        book.generation,
        np.array(refs, np.int64),
        np.array([ts_ms for _, ts_ms, _ in samples], np.int64),
        np.array([value for _, _, value in samples], np.float64),
        **more,
    )


def contents(columns: SeriesColumns) -> dict[Labels, list[tuple[int, float]]]:
    return {
        labels: list(zip(columns.ts_ms[first:last].tolist(), columns.values[first:last].tolist(), strict=True))
        for labels, first, last in zip(columns.labels, columns.offsets[:-1], columns.offsets[1:], strict=True)
    }


@pytest.fixture
async def sink(store: Store) -> AsyncIterator[MetricSink]:
    await store.register(SCHEMA)
    made = MetricSink(store)
    yield made
    await made.close()


@pytest.fixture
def source(sink: MetricSink, store: Store) -> MetricSource:
    return MetricSource(store, feed=sink.feed)


async def select(source: MetricSource, matchers, start_ms: int = 0, end_ms: int = NOW_MS + 10**6, **hints):
    limits = hints.pop("limits", None)
    return (await source.select(DEFAULT_TENANT, [Selection(matchers, start_ms, end_ms, **hints)], limits))[0]


async def put(sink: MetricSink, samples: list[tuple[Labels, int, float]], **more):
    return await sink.append(DEFAULT_TENANT, arrival(sink.book(DEFAULT_TENANT), samples, **more))


async def test_what_a_door_appends_is_what_promql_selects(sink: MetricSink, source: MetricSource):
    one, other = series(host="a"), series(host="b")
    written = await put(sink, [(one, 2000, 2.0), (other, 1000, 5.0), (one, 1000, 1.0), (one, 3000, STALE)])
    assert (written.samples, written.refused) == (4, {})
    found = await select(source, named())
    assert contents(found)[other] == [(1000, 5.0)]
    assert contents(found)[one][:2] == [(1000, 1.0), (2000, 2.0)]
    ended = contents(await select(source, named(host="a"), 2000))[one]
    assert [(ts_ms, struct.pack("<d", value)) for ts_ms, value in ended] == [(3000, struct.pack("<Q", STALE_BITS))]


async def test_a_span_is_open_at_its_start_and_closed_at_its_end(sink: MetricSink, source: MetricSource):
    await put(sink, [(series(), ts_ms, float(ts_ms)) for ts_ms in (1000, 2000, 3000, 4000)])
    for _ in range(2):  # from the engine, then from memory
        assert contents(await select(source, named(), 1000, 3000)) == {series(): [(2000, 2000.0), (3000, 3000.0)]}


async def test_timestamps_of_1970_and_before_are_kept(sink: MetricSink, source: MetricSource):
    await put(sink, [(series(), 0, 1.0), (series(), -7_200_001, 0.5), (series(), 15_000, 2.0)])
    found = await select(source, named(), -(10**9), 10**6)
    assert contents(found) == {series(): [(-7_200_001, 0.5), (0, 1.0), (15_000, 2.0)]}


async def test_the_last_write_wins(sink: MetricSink, source: MetricSource, store: Store):
    for value in (1.0, 2.0, 3.0):
        await put(sink, [(series(), 1000, value), (series(), 2000, value)])
        assert contents(await select(source, named())) == {series(): [(1000, value), (2000, value)]}
    assert contents(await select(MetricSource(store), named())) == {series(): [(1000, 3.0), (2000, 3.0)]}


async def test_series_of_one_scrape_share_a_clock(sink: MetricSink, source: MetricSource):
    rows = [(series(n=str(n)), ts_ms + (n % 2), 1.0) for n in range(6) for ts_ms in range(0, 10_000_000, 15_000)]
    await put(sink, rows)
    found = await select(source, named())
    clocks = dict(zip((labels[1][1] for labels in found.labels), found.clocks.tolist(), strict=True))
    assert len({clocks[str(n)] for n in (0, 2, 4)}) == len({clocks[str(n)] for n in (1, 3, 5)}) == 1
    assert clocks["0"] != clocks["1"]


async def test_a_refused_series_loses_its_samples_and_they_are_counted(sink: MetricSink, source: MetricSource):
    book = sink.book(DEFAULT_TENANT)
    good = arrival(book, [(series(), 1000, 1.0), (series(n="2"), 1000, 1.0), (series(), 2**62, 1.0)])
    refs = good.refs.copy()
    refs[1] = REFUSED
    written = await sink.append(DEFAULT_TENANT, replace(good, refs=refs))
    assert (written.samples, written.refused) == (1, {"limit": 1, "out_of_range": 1})
    assert contents(await select(source, named())) == {series(): [(1000, 1.0)]}


async def test_references_of_another_generation_are_refused(sink: MetricSink):
    old = arrival(sink.book(DEFAULT_TENANT), [(series(), 1000, 1.0)])
    sink.book(DEFAULT_TENANT).forget_all()
    with pytest.raises(ConflictError, match="generation"):
        await sink.append(DEFAULT_TENANT, old)


async def test_idle_series_are_forgotten_and_come_back(store: Store):
    await store.register(SCHEMA)
    clock = FakeClock(datetime.now(UTC))
    sink = MetricSink(store, clock=clock)
    source = MetricSource(store, clock=clock, feed=sink.feed)
    rows = [(series(n=str(n)), 1000, 1.0) for n in range(2000)]
    await put(sink, rows)
    await clock.advance(7200)
    await put(sink, rows[:10])
    sink.forget_idle()
    assert (len(sink.book(DEFAULT_TENANT)), sink.book(DEFAULT_TENANT).generation) == (10, 2)
    assert sink.book(DEFAULT_TENANT).tally.total == 10
    await put(sink, [(labels, 2000, 2.0) for labels, _, _ in rows])
    assert contents(await select(source, named())) == {labels: [(1000, 1.0), (2000, 2.0)] for labels, _, _ in rows}
    await sink.close()


async def test_native_histograms_stand_among_the_samples(sink: MetricSink, source: MetricSource, store: Store):
    histogram = Histogram(
        schema=3, count=7.0, sum=3.5, zero_threshold=0.1, zero_count=1.0, positive=Buckets(-2, (1.0, 2.0)),
        negative=Buckets(4, (3.0,)), hint=ResetHint.GAUGE,
    )  # fmt: skip
    custom = Histogram(schema=-53, count=3.0, sum=1.0, positive=Buckets(0, (1.0, 2.0)), custom_values=(0.5,))
    ref = sink.book(DEFAULT_TENANT).ref(series("h"), origin="test")
    native = [HistogramSample(ref, 2000, histogram, 500), HistogramSample(ref, 3000, custom)]
    written = await put(sink, [(series("h"), 1000, 1.5), (series(), 1000, 9.0)], histograms=native)
    assert (written.samples, written.histograms) == (2, 2)
    for reader in (source, source, MetricSource(store)):
        found = await select(reader, named("h"))
        assert found.ts_ms.tolist() == [1000, 2000, 3000]
        assert found.histograms.tolist() == [None, histogram, custom]
        assert found.values.tolist() == [1.5, 0.0, 0.0]
        assert (await select(reader, named("h"), needs_starts=True)).starts_ms.tolist() == [0, 500, 0]
    await put(sink, [], histograms=[HistogramSample(ref, 4000, custom)])
    going_on = replace(custom, hint=ResetHint.NOT_RESET)
    assert (await select(source, named("h"))).histograms.tolist() == [None, histogram, custom, going_on]


async def test_start_times_come_when_they_are_asked_for(sink: MetricSink, source: MetricSource):
    await put(sink, [(series(), 1000, 1.0), (series(), 2000, 2.0)], starts_ms=np.array([700, 700]))
    assert (await select(source, named())).starts_ms is None
    assert (await select(source, named(), needs_starts=True)).starts_ms.tolist() == [700, 700]
    await put(sink, [(series(), 3000, 1.0)], starts_ms=np.array([2500]))
    assert (await select(source, named(), needs_starts=True)).starts_ms.tolist() == [700, 700, 2500]


async def test_what_is_said_of_a_family_is_written_once_a_day(sink: MetricSink, store: Store):
    said = (MetricMetadata("hits", "counter", "How often.", ""), MetricMetadata("hits", "gauge"))
    for _ in range(2):
        await put(sink, [], metadata=said)
    rows = await store.query("SELECT type FROM metric_families WHERE tenant = {tenant:String}", tenant=DEFAULT_TENANT)
    assert sorted(rows["type"].to_pylist()) == ["counter", "gauge"]


@pytest.mark.parametrize(
    ("matcher", "hosts"),
    [
        (Matcher("host", MatchOp.MATCHES, "a|b"), {"a", "b"}),
        (Matcher("host", MatchOp.MATCHES, "a.*"), {"a", "ab"}),
        (Matcher("host", MatchOp.MATCHES, ".*b"), {"ab", "b"}),
        (Matcher("host", MatchOp.MATCHES, "(?i)A"), {"a"}),
        (Matcher("host", MatchOp.NOT_MATCHES, "a|"), {"ab", "b"}),
        (Matcher("host", MatchOp.MATCHES, ".+"), {"a", "ab", "b"}),
        (Matcher("host", MatchOp.MATCHES, "|b"), {"b", ""}),
        (Matcher("host", MatchOp.EQUAL, ""), {""}),
        (Matcher("host", MatchOp.NOT_EQUAL, ""), {"a", "ab", "b"}),
        (Matcher("nothing", MatchOp.MATCHES, ".*"), {"a", "ab", "b", ""}),
        (Matcher("__name__", MatchOp.MATCHES, "h.ts"), {"a", "ab", "b", ""}),
        (Matcher("__name__", MatchOp.NOT_EQUAL, "hits"), set()),
    ],
)
async def test_a_missing_label_is_an_empty_one(sink: MetricSink, source: MetricSource, matcher: Matcher, hosts: set):
    await put(sink, [(series(host=host), 1000, 1.0) for host in ("a", "ab", "b", "")])
    found = await select(source, (*named(), matcher) if matcher.label != "__name__" else (matcher,))
    assert {dict(labels).get("host", "") for labels in found.labels} == hosts


async def test_an_expression_that_is_none_of_re2_is_refused(sink: MetricSink, source: MetricSource):
    await put(sink, [(series(), 1000, 1.0)])
    with pytest.raises(InvalidError, match="error parsing regexp"):
        await select(source, (*named(), Matcher("host", MatchOp.MATCHES, "(?=a)")))


async def test_a_query_that_fetches_too_much_names_the_selector(sink: MetricSink, source: MetricSource):
    await put(sink, [(series(n=str(n)), ts_ms, 1.0) for n in range(5) for ts_ms in range(10)])
    with pytest.raises(LimitError, match=r'__name__="hits".* 5 series'):
        await select(source, named(), limits=SelectionLimits(max_series=4))
    with pytest.raises(LimitError, match=r'__name__="hits".* samples'):
        await select(source, named(), limits=SelectionLimits(max_samples=44))


async def test_tenants_have_series_of_their_own(sink: MetricSink, source: MetricSource):
    await put(sink, [(series(), 1000, 1.0)])
    other = TenantId("other")
    assert (await source.select(other, [Selection(named(), 0, 2000)]))[0].labels == ()
    await sink.append(other, arrival(sink.book(other), [(series(x="y"), 1000, 2.0)]))
    assert (await source.select(other, [Selection(named(), 0, 2000)]))[0].labels == [series(x="y")]


async def test_series_that_appear_later_are_found_in_what_is_remembered(sink: MetricSink, source: MetricSource):
    await put(sink, [(series(n="1"), NOW_MS, 1.0)])
    assert len((await select(source, named())).labels) == 1
    await put(sink, [(series(n="2"), NOW_MS + 1, 1.0), (series("other"), NOW_MS, 1.0)])
    assert len((await select(source, named())).labels) == 2
    everything = (Matcher("n", MatchOp.MATCHES, ".*"),)
    assert len((await select(source, everything)).labels) == 3
    await put(sink, [(series("third"), NOW_MS, 1.0)])
    assert len((await select(source, everything)).labels) == 4


async def test_samples_leave_by_their_own_time_only_where_the_settings_say_so(sink: MetricSink, store: Store):
    await put(sink, [(series(), 0, 1.0), (series(), NOW_MS, 1.0)])
    rows = await store.query(
        "SELECT ts_ms, toUnixTimestamp(expires_at) AS s FROM metric_points WHERE tenant = {tenant:String}",
        tenant=DEFAULT_TENANT,
    )
    keep_s = store.settings.retention
    assert all(keep_s <= s - NOW_MS / 1000 <= keep_s + 2 * 86_400 for s in rows["s"].to_pylist())


def test_two_series_of_one_id_are_told_apart(monkeypatch: pytest.MonkeyPatch):
    told = []

    class Listening(Everybody):
        def refused(self, tenant, refused):
            told.append(refused)

    monkeypatch.setattr("holdfast.telemetry.metrics.storing.book.series_id", lambda _: 7)
    book = Book(DEFAULT_TENANT, Listening(), lambda *_: 60)
    assert book.ref(series(n="1"), origin="a") == 0
    assert book.ref(series(n="2"), origin="b") == REFUSED
    assert told == [RefusedSeries("hits", "b", "id_collision", 1, (series(n="2"),))]
    assert book.tally == Tally(1, {"hits": 1}, {"a": 1})


async def test_a_life_is_announced_again_after_an_hour_of_arrivals(store: Store):
    await store.register(SCHEMA)
    clock = FakeClock(datetime.now(UTC))
    sink = MetricSink(store, clock=clock)
    count = "SELECT count() AS n FROM metric_series WHERE tenant = {tenant:String}"
    for seconds in (0, 1, timedelta(hours=1).total_seconds()):
        await clock.advance(seconds)
        await put(sink, [(series(), 5000, 1.0)])
    assert (await store.query(count, tenant=DEFAULT_TENANT))["n"].to_pylist()[0] in {1, 2}  # merged or not yet
    assert sink.book(DEFAULT_TENANT).announced_s.live.tolist() == [int(clock.now().timestamp())]
    await sink.close()


async def test_patient_samples_go_with_the_first_impatient_ones(sink: MetricSink, store: Store):
    book = sink.book(DEFAULT_TENANT)
    for name in ("patient", "impatient"):  # whose series the store knows
        await sink.append(DEFAULT_TENANT, arrival(book, [(series(name), NOW_MS, 1.0)]))
    later = arrival(book, [(series("patient"), NOW_MS + 1000, 2.0)], patience_s=3600.0)
    patient = asyncio.create_task(sink.append(DEFAULT_TENANT, later))
    await asyncio.sleep(0)
    await sink.append(DEFAULT_TENANT, arrival(book, [(series("impatient"), NOW_MS + 1000, 2.0)]))
    assert (await patient).samples == 1
    sql = "SELECT count() AS n FROM metric_points WHERE tenant = {tenant:String} AND value = 2"
    assert (await store.query(sql, tenant=DEFAULT_TENANT)).to_pylist() == [{"n": 2}]


async def test_a_sender_that_goes_away_leaves_samples_that_all_queries_see(sink: MetricSink, store: Store):
    book, source = sink.book(DEFAULT_TENANT), MetricSource(store, feed=sink.feed)
    await sink.append(DEFAULT_TENANT, arrival(book, [(series(), NOW_MS, 1.0)]))
    assert contents(await select(source, named(), NOW_MS - 60_000, NOW_MS + 60_000)) == {series(): [(NOW_MS, 1.0)]}
    later = arrival(book, [(series(), NOW_MS + 1000, 2.0)], patience_s=3600.0)
    sender = asyncio.create_task(sink.append(DEFAULT_TENANT, later))
    await asyncio.sleep(0)
    sender.cancel()
    await asyncio.gather(sender, return_exceptions=True)
    await sink.append(DEFAULT_TENANT, arrival(book, [(series(), NOW_MS + 2000, 3.0)]))
    seen = contents(await select(source, named(), NOW_MS - 60_000, NOW_MS + 60_000))
    assert seen == {series(): [(NOW_MS, 1.0), (NOW_MS + 1000, 2.0), (NOW_MS + 2000, 3.0)]}


def test_memory_holds_a_pair_of_many_series_once(sink: MetricSink):
    book = sink.book(DEFAULT_TENANT)
    refs = [book.ref(series(method="GET", path=f"/{number}"), origin="test") for number in range(3)]
    shared = {id(pair) for ref in refs for pair in book.labels[ref] if pair[0] != "path"}
    assert len(shared) == 2
    book.forget_all()
    assert book.ref(series(method="GET", path="/0"), origin="test") == 0
    assert book.labels == [series(method="GET", path="/0")]
