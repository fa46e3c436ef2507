"""Queries that remember blocks give the same as queries that remember nothing, whatever is written in between."""

from __future__ import annotations

import asyncio
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import Store
from holdfast.telemetry import SCHEMA, Matcher, MatchOp, MetricSink, MetricSource, MetricsSettings
from holdfast.telemetry.metrics.arrivals import STALE_BITS, Arrival
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.reading.assembling import BEGINNING_MS, END_MS, assemble, joined, united
from holdfast.telemetry.metrics.reading.blocks import Block, Loose, block_of, narrowed
from holdfast.telemetry.metrics.reading.cache import BlockCache, Key
from holdfast.telemetry.metrics.reading.decoding import pick_rows
from holdfast.telemetry.metrics.reading.fetching import Fetcher
from holdfast.telemetry.metrics.selection import Selection, SeriesColumns
from holdfast.telemetry.metrics.tables import SLOT_MS

NOW_MS = int(datetime.now(UTC).timestamp() * 1000) // SLOT_MS * SLOT_MS

SAMPLES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 12), st.integers(0, 99)), max_size=60)
STALE = float(np.array([STALE_BITS], np.int64).view(np.float64)[0])
IDS = np.array([3, 5, 8, 13, 21], np.uint64)


def block(samples: list[tuple[int, int, int]]) -> Block:
    rows, ts_ms, values = np.array(samples, np.int64).reshape(-1, 3).T
    return block_of(IDS, Loose(rows, ts_ms, values.astype(np.float64)))


def expected(samples: list[tuple[int, int, int]], row: int, start: int, end: int) -> list[tuple[int, float]]:
    last = {ts: float(value) for of, ts, value in samples if of == row and start < ts <= end}
    return sorted(last.items())


@given(SAMPLES, st.integers(-1, 13), st.integers(-1, 13), st.permutations(range(5)), st.integers(1, 5))
def test_a_cut_of_blocks_holds_what_was_put_in(samples, start, end, order, count):
    early = block([one for one in samples if one[1] <= 5])
    late = block([one for one in samples if one[1] > 5])
    rows = sorted(order[:count])
    found = assemble([early, late], IDS[rows], start, end)
    for place, row in enumerate(rows):
        part = slice(found.offsets[place], found.offsets[place + 1])
        got = list(zip(found.ts_ms[part].tolist(), found.values[part].tolist(), strict=True))
        assert got == expected(samples, row, start, end)
    shared: dict[int, tuple[int, ...]] = {}
    for place, clock in enumerate(found.clocks.tolist()):
        times = tuple(found.ts_ms[found.offsets[place] : found.offsets[place + 1]].tolist())
        assert shared.setdefault(clock, times) == times


@given(SAMPLES)
def test_blocks_joined_hold_the_same(samples):
    parts = [block([one for one in samples if one[1] % 13 // 5 == number]) for number in range(3)]
    whole, pieces = assemble([joined(parts)], IDS, BEGINNING_MS, END_MS), assemble(parts, IDS, BEGINNING_MS, END_MS)
    for column in ("offsets", "ts_ms", "values"):
        np.testing.assert_array_equal(getattr(whole, column), getattr(pieces, column))


@given(SAMPLES, st.integers(1, 4))
def test_blocks_of_other_series_become_one_whose_series_share_clocks(samples, cut):
    whole = block(samples)
    parts = [pick_rows(whole, np.arange(cut)), pick_rows(whole, np.arange(cut, 5))]
    (one,) = united(parts)
    found, wanted = assemble([one], IDS, BEGINNING_MS, END_MS), assemble(parts, IDS, BEGINNING_MS, END_MS)
    for column in ("offsets", "ts_ms", "values"):
        np.testing.assert_array_equal(getattr(found, column), getattr(wanted, column))
    times = {tuple(one.ts_ms()[a:b].tolist()) for a, b in pairwise(one.offsets.tolist())}
    assert len(set(one.clock_of.tolist())) == len(times)
    assert united([whole, whole]) == [whole, whole]  # the same series twice: the later ones may replace


NUMBERS = st.one_of(st.integers(-(2**40), 2**40).map(float), st.floats(), st.sampled_from([-0.0, STALE, 2.0**24 + 1]))


@given(st.lists(NUMBERS, max_size=20), st.sampled_from([1.0, 0.5, 1e9, 1 / 3]))
def test_values_are_narrowed_without_losing_a_bit(numbers, scale):
    with np.errstate(all="ignore"):
        values = np.array([0.0, *numbers]) * scale
    values[:1] = STALE if len(numbers) % 5 == 4 else 0.0
    count = len(values)
    offsets = np.array([0, count], np.int64)
    made = Block(IDS[:1], offsets, values, np.zeros(1, np.int32), offsets, np.arange(count))
    back = narrowed(made).values.astype(np.float64)
    assert back.view(np.int64).tolist() == values.view(np.int64).tolist()


@pytest.mark.parametrize(
    ("value", "kind"), [(3.0, np.int32), (2.5, np.float32), (0.1, np.float64), (STALE, np.float64)]
)
def test_whole_numbers_and_halves_take_half_the_memory(value, kind):
    made = block([(0, 1, 1), (1, 1, 2)])
    made.values[1] = value
    assert narrowed(made).values.dtype == kind


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("cache_bytes", [1_000_000, 20_000])
async def test_writes_between_queries_are_seen(store: Store, seed: int, cache_bytes: int):
    await store.register(SCHEMA)
    sink = MetricSink(store)
    remembering = MetricSource(store, feed=sink.feed, settings=MetricsSettings(cache=cache_bytes))
    forgetful = MetricSource(store)
    rng = np.random.default_rng(seed)
    end_ms = NOW_MS
    for _ in range(25):
        await write_some(sink, rng, end_ms)
        end_ms += int(rng.integers(1, SLOT_MS // 3))
        name = f"m{rng.integers(3)}"
        matchers = (
            Matcher("__name__", MatchOp.EQUAL if rng.random() < 0.8 else MatchOp.NOT_EQUAL, name),
            *((Matcher("n", MatchOp.MATCHES, f"[0-{rng.integers(10)}]"),) if rng.random() < 0.5 else ()),
        )
        start_ms = end_ms - int(rng.integers(1, (4 if rng.random() < 0.6 else 0.5) * SLOT_MS))
        wish = Selection(matchers, start_ms, end_ms, needs_starts=rng.random() < 0.4)
        # A write on its way while the query reads, as live data is.
        writing = asyncio.create_task(write_some(sink, rng, end_ms + 1000))
        await remembering.select(DEFAULT_TENANT, [wish])
        await writing
        first, second = [
            (await source.select(DEFAULT_TENANT, [wish]))[0] for source in (remembering, forgetful)
        ]  # fmt: skip
        assert list(first.labels) == list(second.labels)
        for column in ("offsets", "ts_ms", "values"):
            np.testing.assert_array_equal(getattr(first, column), getattr(second, column))
        np.testing.assert_array_equal(starts_of(first), starts_of(second))
    await sink.close()


@pytest.mark.parametrize("needs_starts", [False, True])
@pytest.mark.parametrize("has_starts", [False, True])
@pytest.mark.parametrize("is_known", [False, True])
async def test_what_is_written_as_a_query_reads_is_in_the_next_answer(
    store: Store, monkeypatch: pytest.MonkeyPatch, needs_starts: bool, has_starts: bool, is_known: bool
):
    await store.register(SCHEMA)
    sink = MetricSink(store)
    await write_series(sink, np.arange(NOW_MS - SLOT_MS, NOW_MS, 60_000), starts_ms=7)
    source, forgetful = MetricSource(store, feed=sink.feed), MetricSource(store)
    plain = Selection((Matcher("__name__", MatchOp.EQUAL, "m"),), NOW_MS - SLOT_MS, NOW_MS)
    if is_known:
        await source.select(DEFAULT_TENANT, [plain])
    wish = replace(plain, needs_starts=needs_starts)
    fetch = Fetcher.fetch

    async def overtaken(self: Fetcher, *args: Any) -> Any:
        found = await fetch(self, *args)
        late = np.array([NOW_MS - SLOT_MS + 90_000, NOW_MS - 1000])
        await write_series(sink, late, starts_ms=9 if has_starts else None)
        return found

    monkeypatch.setattr(Fetcher, "fetch", overtaken)
    await source.select(DEFAULT_TENANT, [wish])
    monkeypatch.setattr(Fetcher, "fetch", fetch)
    first, second = [(await one.select(DEFAULT_TENANT, [wish]))[0] for one in (source, forgetful)]
    for column in ("offsets", "ts_ms", "values"):
        np.testing.assert_array_equal(getattr(first, column), getattr(second, column))
    np.testing.assert_array_equal(starts_of(first), starts_of(second))
    await sink.close()


async def test_what_is_forgotten_as_a_query_reads_the_rest_is_in_its_answer_all_the_same(
    store: Store, monkeypatch: pytest.MonkeyPatch
):
    await store.register(SCHEMA)
    sink = MetricSink(store)
    for number in "01":
        await write_series(sink, np.arange(NOW_MS - SLOT_MS, NOW_MS, 60_000), n=number)
    source = MetricSource(store, feed=sink.feed)
    whole = Selection((Matcher("__name__", MatchOp.EQUAL, "m"),), NOW_MS - SLOT_MS, NOW_MS)
    half = replace(whole, matchers=(*whole.matchers, Matcher("n", MatchOp.EQUAL, "0")))
    await source.select(DEFAULT_TENANT, [half])
    fetch = Fetcher.fetch

    async def forgetting(self: Fetcher, *args: Any) -> Any:
        found = await fetch(self, *args)
        source.reader.forget(DEFAULT_TENANT)
        return found

    monkeypatch.setattr(Fetcher, "fetch", forgetting)
    (answer,) = await source.select(DEFAULT_TENANT, [whole])
    assert np.diff(answer.offsets).tolist() == [119, 119]  # the first is at the open end
    await sink.close()


def starts_of(columns: SeriesColumns) -> np.ndarray:
    return np.zeros(len(columns.values), np.int64) if columns.starts_ms is None else columns.starts_ms


def count_queries(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []
    query = store.query

    async def noted(sql: str, *args: object, **kwargs: object) -> object:
        asked.append(sql)
        return await query(sql, *args, **kwargs)

    monkeypatch.setattr(store, "query", noted)
    return asked


async def test_the_caches_tell_how_often_they_served(store: Store):
    await store.register(SCHEMA)
    sink, registry = MetricSink(store), CollectorRegistry()
    await write_series(sink, np.arange(NOW_MS - SLOT_MS, NOW_MS, 15_000))
    source = MetricSource(store, feed=sink.feed, settings=MetricsSettings(cache=1_000_000), metrics=registry)
    wish = Selection((Matcher("__name__", MatchOp.EQUAL, "m"),), NOW_MS - SLOT_MS, NOW_MS - 1)
    for _ in range(3):
        (answer,) = await source.select(DEFAULT_TENANT, [wish])

    def told(name: str) -> float:
        return registry.get_sample_value(f"holdfast_query_{name}") or 0.0

    blocks = "block_cache"
    first = (told(f"{blocks}_hits_total"), told(f"{blocks}_misses_total"))
    assert min(first) > 0
    assert 0 < told(f"{blocks}_bytes") <= told(f"{blocks}_max_bytes") == 1_000_000
    assert (told("label_cache_hits_total"), told("label_cache_misses_total")) == (2, 1)
    assert told("label_cache_series") == len(answer.labels)
    await source.select(DEFAULT_TENANT, [wish])
    assert told(f"{blocks}_hits_total") > first[0]
    assert told(f"{blocks}_misses_total") == first[1]
    await sink.close()


async def test_series_that_come_and_go_are_remembered_for_as_long_as_they_live(
    store: Store, monkeypatch: pytest.MonkeyPatch
):
    await store.register(SCHEMA)
    sink = MetricSink(store)
    for number in range(12):  # as pods do that a deploy replaces
        since_ms = NOW_MS - (12 - number) * SLOT_MS
        await write_series(sink, np.arange(since_ms, since_ms + SLOT_MS, 600_000), n=str(number))
    source = MetricSource(store, feed=sink.feed, settings=MetricsSettings(cache=250_000))
    wish = Selection((Matcher("__name__", MatchOp.EQUAL, "m"),), NOW_MS - 12 * SLOT_MS, NOW_MS - 1)
    await source.select(DEFAULT_TENANT, [wish])
    asked = count_queries(store, monkeypatch)
    (answer,) = await source.select(DEFAULT_TENANT, [wish])
    assert np.diff(answer.offsets).tolist() == [11, *[12] * 11]  # the first is at the open end
    assert not [sql for sql in asked if "metric_points" in sql]
    await sink.close()


async def test_a_glimpse_reads_no_more_than_it_needs_and_the_second_one_remembers(
    store: Store, monkeypatch: pytest.MonkeyPatch
):
    await store.register(SCHEMA)
    sink = MetricSink(store)
    await write_series(sink, np.arange(NOW_MS - SLOT_MS, NOW_MS, 15_000))
    source = MetricSource(store, feed=sink.feed)
    wish = Selection((Matcher("__name__", MatchOp.EQUAL, "m"),), NOW_MS - 300_000, NOW_MS - 1, needs_starts=True)
    asked = count_queries(store, monkeypatch)
    answers = [(await source.select(DEFAULT_TENANT, [wish]))[0]]
    (read,) = [sql for sql in asked if "FROM metric_points" in sql]
    assert f"ts_ms > {wish.start_ms}" in read
    answers += [(await source.select(DEFAULT_TENANT, [wish]))[0]]
    asked.clear()
    answers += [(await source.select(DEFAULT_TENANT, [wish]))[0]]
    assert asked == []  # remembered
    await write_series(sink, np.array([NOW_MS - 1]))
    answers += [(await source.select(DEFAULT_TENANT, [wish]))[0]]
    assert not [sql for sql in asked if "FROM metric_points" in sql]  # what is written is put behind
    assert [len(answer.values) for answer in answers] == [19, 19, 19, 20]
    await sink.close()


async def write_series(sink: MetricSink, ts_ms: np.ndarray, *, starts_ms: int | None = None, **labels: str) -> None:
    book = sink.book(DEFAULT_TENANT)
    ref = book.ref(labels_of({"__name__": "m", **labels}), origin="test")
    starts = None if starts_ms is None else np.full(len(ts_ms), starts_ms)
    arrival = Arrival(book.generation, np.full(len(ts_ms), ref), ts_ms, np.ones(len(ts_ms)), starts)
    await sink.append(DEFAULT_TENANT, arrival)


async def write_some(sink: MetricSink, rng: np.random.Generator, end_ms: int) -> None:
    book = sink.book(DEFAULT_TENANT)
    count = int(rng.integers(1, 40))
    refs = [
        book.ref(labels_of({"__name__": f"m{rng.integers(3)}", "n": str(rng.integers(12))}), origin="test")
        for _ in range(count)
    ]
    lateness = rng.integers(0, 3 * SLOT_MS if rng.random() < 0.3 else 20_000, count)
    starts_ms = rng.integers(1, 10**6, count) if rng.random() < 0.2 else None
    arrival = Arrival(book.generation, np.array(refs), end_ms - lateness, rng.random(count), starts_ms)
    await sink.append(DEFAULT_TENANT, arrival)


@pytest.mark.parametrize("is_told", [True, False])
def test_many_small_writes_stay_within_the_bound(is_told):
    cache, ids = BlockCache(8_000_000), np.arange(10, dtype=np.uint64)
    marks = cache.begin(DEFAULT_TENANT, [0], ids)
    cache.put(Key(DEFAULT_TENANT, 0, "f"), ids, [], marks[0])
    cache.end(DEFAULT_TENANT, [0])
    tracemalloc.start()
    try:
        for at in range(30_000):
            cache.note(DEFAULT_TENANT, ids[:1].copy(), np.array([at]), np.array([1.0]) if is_told else None)
            assert cache.nbytes <= 1_000_000
        used = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert used < 2_000_000


def test_blocks_that_are_asked_for_all_the_time_stay_however_much_is_written():
    """A metric with many writes was read anew from the store every few minutes, by queries that come each second."""
    cache, asked, ids = BlockCache(80_000), Key(DEFAULT_TENANT, 0, "asked"), np.arange(10, dtype=np.uint64)
    rare = Key(DEFAULT_TENANT, 0, "rare")
    marks = cache.begin(DEFAULT_TENANT, [0], ids)
    for key in (asked, rare):
        cache.put(key, ids, [], marks[0])
    cache.end(DEFAULT_TENANT, [0])
    for at in range(1_000):
        cache.note(DEFAULT_TENANT, ids, np.full(10, at), np.full(10, 1.0))
        if at % 3 == 0:
            entry = cache.get(asked)
            assert entry is not None
            assert sum(len(block.values) for block in entry.blocks) == 10 * (at + 1)
    assert cache.misses == 0
    assert cache.get(rare) is None
    cache.forget(DEFAULT_TENANT)
    assert cache.nbytes == 0
