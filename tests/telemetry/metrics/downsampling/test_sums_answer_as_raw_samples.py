"""Over windows whose edges are edges of buckets, sums answer as raw samples do; where these are gone, nearly so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from holdfast.kernel.clock import FakeClock
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import Store
from holdfast.telemetry import SCHEMA, MetricSink, MetricSource
from holdfast.telemetry.metrics import Deletion, KeepRules, MetricsSettings, Rolling
from holdfast.telemetry.metrics.arrivals import STALE_BITS, Arrival, HistogramSample
from holdfast.telemetry.metrics.histograms import Histogram
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.promql import Engine, parse_matchers
from holdfast.telemetry.metrics.settings import KeepRule, RollupSettings
from holdfast.telemetry.metrics.tables import POINTS

HOUR_MS = 3_600_000
START_MS = (
    (int(datetime.now(UTC).timestamp() * 1000) // (2 * HOUR_MS) - 8) * 2 * HOUR_MS
)  # the engine drops what is old
END_MS = START_MS + 12 * HOUR_MS
NOW = datetime.fromtimestamp((END_MS + 3 * HOUR_MS) / 1000, UTC)
STALE = float(np.array(STALE_BITS, np.uint64).view(np.float64))
FUNCTIONS = (
    "max_over_time(m[{r}])",
    "min_over_time(m[{r}])",
    "sum_over_time(m[{r}])",
    "count_over_time(m[{r}])",
    "avg_over_time(m[{r}])",
    "last_over_time(m[{r}])",
    "first_over_time(m[{r}])",
    "present_over_time(m[{r}])",
    "rate(m[{r}])",
    "increase(m[{r}])",
    "delta(m[{r}])",
    "m",
    "timestamp(m)",
    "sum(m)",
    "sum by (kind) (rate(m[{r}]))",
    "absent_over_time(m[{r}])",
    "stddev_over_time(m[{r}])",
    "irate(m[{r}])",
    "increase(m[{r}] anchored)",
    "rate(m[{r}] smoothed)",
    "max_over_time(rate(m[{r}])[2h:1h])",
    "max_over_time(m[{r}] offset 1h)",
)


def shapes() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Counters and gauges with whatever happens to them."""
    random = np.random.default_rng(7)
    ts_ms = np.arange(START_MS, END_MS, 15_000)
    steps = random.integers(0, 9, len(ts_ms)).astype(float)
    counter = np.cumsum(steps)
    resets = counter.copy()
    for at in (100, 101, 700, 1200, 1219, 1220, 2000):
        resets[at:] -= resets[at]
    jitter = np.sort(ts_ms + random.integers(-6_000, 6_000, len(ts_ms)))
    gaps = (np.arange(len(ts_ms)) // 90) % 4 != 1
    ended = np.sin(np.arange(len(ts_ms)) / 50) * 10
    ended[[200, 1000, 1001, 2500]] = STALE
    with_nan = ended.copy()
    with_nan[300:345] = np.nan
    rare = np.arange(0, len(ts_ms), 31)
    return {
        "counter": (ts_ms, counter),
        "resets": (jitter, resets),
        "gaps": (ts_ms[gaps], resets[gaps]),
        "gauge": (jitter, random.normal(size=len(ts_ms))),
        "ended": (ts_ms, ended),
        "nan": (ts_ms, with_nan),
        "rare": (ts_ms[rare], resets[rare]),
        "late": (ts_ms[1500:], counter[1500:] + 5),
    }


class Waking(FakeClock):
    """Wakes who sleeps so many times."""

    def __init__(self, times: int) -> None:
        super().__init__(NOW)
        self.times = times

    async def sleep(self, seconds: float) -> None:
        if not self.times:
            raise EOFError(seconds)
        self.times -= 1


class Room:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = FakeClock(NOW)
        settings = MetricsSettings(rollups=RollupSettings(least_samples=0))
        never = MetricsSettings(rollups=replace(settings.rollups, least_samples=10**15))
        self.sink = MetricSink(store, clock=self.clock)
        self.source = MetricSource(store, clock=self.clock, feed=self.sink.feed, settings=settings)
        self.raw = MetricSource(store, clock=self.clock, settings=never)
        self.rolling = Rolling(store, self.source.rolled, settings.rollups, self.clock)
        self.deletion = Deletion(store, self.sink, self.source)
        self.asked: list[int] = []

    async def put(self, kind: str, ts_ms: np.ndarray, values: np.ndarray, starts: np.ndarray | None = None) -> None:
        book = self.sink.book(DEFAULT_TENANT)
        ref = book.ref(labels_of({"__name__": "m", "kind": kind}), origin="x")
        refs = np.full(len(ts_ms), ref)
        await self.sink.append(DEFAULT_TENANT, Arrival(book.generation, refs, ts_ms, values, starts_ms=starts))

    async def roll(self) -> int:
        return await self.rolling.roll(DEFAULT_TENANT)

    async def ask(
        self, source: MetricSource, query: str, step_ms: int, end_ms: int = END_MS
    ) -> dict[str, list[float | None]]:
        start_ms = end_ms - 10 * HOUR_MS // step_ms * step_ms
        answer = await Engine(source).range(DEFAULT_TENANT, query, start_ms, end_ms, step_ms)
        return rows_of(answer.grid)

    async def at(self, source: MetricSource, query: str, at_ms: int) -> dict[str, list[float | None]]:
        return rows_of((await Engine(source).instant(DEFAULT_TENANT, query, at_ms)).grid)

    async def count(self, table: str) -> int:
        sql = f"SELECT count() AS n FROM {table} FINAL WHERE tenant = {{tenant:String}}"
        return int((await self.store.query(sql, tenant=DEFAULT_TENANT)).to_pylist()[0]["n"])


def rows_of(grid) -> dict[str, list[float | None]]:
    return {
        dict(labels).get("kind", ""): [value if there else None for value, there in zip(*row, strict=True)]
        for labels, row in zip(grid.labels, zip(grid.values.tolist(), grid.present.tolist(), strict=True), strict=True)
    }


def is_same(one: dict[str, list[float | None]], other: dict[str, list[float | None]]) -> None:
    assert one.keys() == other.keys()
    for kind, values in one.items():
        assert [v is None for v in values] == [v is None for v in other[kind]], kind
        mine = [v for v in values if v is not None]
        assert mine == pytest.approx([v for v in other[kind] if v is not None], rel=1e-9, abs=1e-9, nan_ok=True), kind


@pytest.fixture
async def room(store: Store) -> AsyncIterator[Room]:
    await store.register(SCHEMA)
    made = Room(store)
    yield made
    await made.sink.close()


@pytest.fixture
async def full(room: Room) -> Room:
    for kind, (ts_ms, values) in shapes().items():
        await room.put(kind, ts_ms, values)
    assert await room.roll() in {6, 7}
    assert await room.roll() == 0
    return room


async def test_aligned_windows_answer_the_same(full: Room):
    for query in FUNCTIONS:
        for step_ms, window in ((600_000, "10m"), (HOUR_MS, "1h")):
            text = query.format(r=window)
            is_same(await full.ask(full.source, text, step_ms), await full.ask(full.raw, text, step_ms))


async def test_one_window_of_any_edges_answers_the_same(full: Room):
    for query in FUNCTIONS[:11:2]:
        for window, at_ms in (("5h", END_MS - 1_234_567), ("47m", END_MS - 2 * HOUR_MS - 1), ("9h13m", END_MS)):
            text = query.format(r=window)
            is_same(await full.at(full.source, text, at_ms), await full.at(full.raw, text, at_ms))


async def test_sums_are_what_is_read(full: Room):
    await full.store.delete(POINTS, "1", tenant=DEFAULT_TENANT)
    found = await full.ask(full.source, "count_over_time(m[1h])", HOUR_MS)
    assert found["counter"] == [240.0] * 10 + [239.0]
    full.source.reader.forget(DEFAULT_TENANT)
    assert await full.ask(full.source, "stddev_over_time(m[1h])", HOUR_MS) == {}


async def test_a_late_sample_is_seen_at_once_and_summed_up_with_the_next_round(full: Room):
    query = "count_over_time(m{kind='counter'}[1h])"
    late_ms = START_MS + 5 * HOUR_MS + 1
    before = await full.ask(full.source, query, HOUR_MS)
    await full.put("counter", np.array([late_ms]), np.array([1.0]))
    after = await full.ask(full.source, query, HOUR_MS)
    assert sum(after["counter"]) == sum(before["counter"]) + 1
    assert await full.roll() >= 1
    assert await full.ask(full.source, query, HOUR_MS) == after
    assert await full.roll() == 0
    await full.store.delete(POINTS, "1", tenant=DEFAULT_TENANT)
    assert await full.ask(full.source, query, HOUR_MS) == after


async def test_a_late_sample_is_seen_at_once_after_a_start_too(full: Room):
    other = Room(full.store)  # which has not read yet what is summed up
    await other.put("counter", np.array([START_MS + 5 * HOUR_MS + 1]), np.array([1e9]))
    query = "max_over_time(m{kind='counter'}[1h])"
    assert max((await other.ask(other.source, query, HOUR_MS))["counter"]) == 1e9
    await other.sink.close()


@pytest.mark.parametrize("keep_s", [86_400.0, 5 * 365 * 86_400.0])
async def test_a_late_sample_is_summed_up_though_others_have_left_and_settings_changed(room: Room, keep_s: float):
    ts_ms = np.arange(START_MS + 15_000, START_MS + 6 * HOUR_MS, 15_000)
    for kind in ("dev", "live"):
        await room.put(kind, ts_ms, np.ones(len(ts_ms)))
    await room.roll()
    book = room.sink.book(DEFAULT_TENANT)
    dev = book.ids.live[book.ref(labels_of({"__name__": "m", "kind": "dev"}), origin="x")]
    await room.store.delete(POINTS, f"series_id = {dev}", tenant=DEFAULT_TENANT)  # by a rule that keeps it less long
    await room.put("live", np.array([START_MS + 3 * HOUR_MS + 1]), np.array([1e9]))
    settings = RollupSettings(keep_5m=keep_s, keep_1h=keep_s)
    assert await Rolling(room.store, room.source.rolled, settings, room.clock).roll(DEFAULT_TENANT)
    assert await room.roll() == 0
    found = await room.ask(room.source, "max_over_time(m[1h])", HOUR_MS)
    assert max(filter(None, found["live"])) == 1e9
    assert [value for value in found["dev"] if value] == [1.0] * 5


async def test_what_was_summed_up_while_the_clock_was_ahead_is_read_raw_until_it_is_closed(room: Room):
    ts_ms = np.arange(END_MS - 2 * HOUR_MS + 15_000, END_MS, 15_000)
    await room.put("a", ts_ms[::2], np.ones(len(ts_ms[::2])))
    await room.roll()
    room.clock = FakeClock(NOW - timedelta(hours=2.75))
    room.rolling = Rolling(room.store, room.source.rolled, RollupSettings(), room.clock)
    await room.put("a", ts_ms[1::2], np.ones(len(ts_ms[1::2])))
    for _ in range(2):
        assert await room.roll() == 0
        is_same(*[await room.ask(each, "count_over_time(m[1h])", HOUR_MS) for each in (room.source, room.raw)])


async def test_what_one_process_left_to_do_the_next_does_though_nobody_sends(full: Room):
    await full.put("counter", np.array([START_MS + 5 * HOUR_MS + 1]), np.array([1e9]))
    query = "max_over_time(m{kind='counter'}[1h])"
    await full.sink.close()
    for rounds in range(2):
        other = Room(full.store)
        other.rolling = Rolling(full.store, other.source.rolled, RollupSettings(), Waking(rounds))
        with pytest.raises(EOFError):
            await other.rolling.keep_rolled((), bool)
        assert max((await other.ask(other.source, query, HOUR_MS))["counter"]) == 1e9
        await other.sink.close()
    assert await other.roll() == 0


async def test_another_process_goes_on_where_one_stopped(full: Room):
    rows = await full.count("metric_rollups")
    other = Room(full.store)
    assert await other.roll() == 0
    book = other.sink.book(DEFAULT_TENANT)
    ref = book.ref(labels_of({"__name__": "m", "kind": "new"}), origin="x")
    arrival = Arrival(book.generation, np.array([ref]), np.array([START_MS + HOUR_MS]), np.ones(1))
    await other.sink.append(DEFAULT_TENANT, arrival)
    assert await full.roll() in {1, 2}  # and the slot before, if there is one
    assert await full.count("metric_rollups") == rows + 2
    await other.sink.close()


async def test_what_is_deleted_leaves_the_sums_too(full: Room):
    matchers = parse_matchers("m{kind='counter'}")
    begin, end = START_MS + 3 * HOUR_MS + 90_000, START_MS + 6 * HOUR_MS
    await full.deletion.delete(DEFAULT_TENANT, [matchers], begin, end)
    query = "count_over_time(m[1h])"
    is_same(await full.ask(full.source, query, HOUR_MS), await full.ask(full.raw, query, HOUR_MS))
    await full.roll()
    is_same(await full.ask(full.source, query, HOUR_MS), await full.ask(full.raw, query, HOUR_MS))
    await full.deletion.delete(DEFAULT_TENANT, [matchers])
    await full.roll()
    assert "counter" not in await full.ask(full.source, query, HOUR_MS)


async def test_what_is_written_again_after_a_deletion_is_summed_up(full: Room):
    await full.deletion.delete(DEFAULT_TENANT, [parse_matchers("m{kind='counter'}")])
    await full.roll()
    ts_ms, values = shapes()["counter"]
    await full.put("counter", ts_ms[::4], values[::4])
    await full.roll()
    query = "count_over_time(m{kind='counter'}[1h])"
    assert (await full.ask(full.source, query, HOUR_MS))["counter"][:-1] == [60.0] * 10
    is_same(await full.ask(full.source, query, HOUR_MS), await full.ask(full.raw, query, HOUR_MS))


async def test_a_deletion_at_times_of_which_only_sums_are_left_takes_no_other_series(full: Room):
    await full.store.delete(POINTS, "1", tenant=DEFAULT_TENANT)
    await full.roll()
    query = "count_over_time(m{kind='resets'}[1h])"
    before = await full.ask(full.source, query, HOUR_MS)
    begin, end = START_MS + 3 * HOUR_MS + 90_000, START_MS + 6 * HOUR_MS + 5
    await full.deletion.delete(DEFAULT_TENANT, [parse_matchers("m{kind='counter'}")], begin, end)
    assert before["resets"]
    assert await full.ask(full.source, query, HOUR_MS) == before
    await full.roll()
    assert await full.ask(full.source, query, HOUR_MS) == before


async def test_nothing_is_deleted_while_samples_are_summed_up(full: Room):
    matchers = parse_matchers("m{kind='counter'}")
    async with full.rolling.finished([]):
        deletion = asyncio.create_task(full.deletion.delete(DEFAULT_TENANT, [matchers]))
        await asyncio.sleep(0.2)
        assert not deletion.done()
        assert "counter" in await full.ask(full.source, "m", HOUR_MS)
    assert await deletion == 1


async def test_a_counter_below_zero_that_loses_nothing_in_all_rises_as_its_raw_samples_do(room: Room):
    ts_ms = START_MS + 3 * HOUR_MS + np.arange(60_000, 360_000, 60_000)
    await room.put("a", ts_ms, np.array([-1.0, 2.0, -2.0, -3.0, -3.0]))
    await room.roll()
    query = "increase(m[5m])"
    is_same(await room.ask(room.source, query, 300_000), await room.ask(room.raw, query, 300_000))


async def test_sums_are_read_where_raw_samples_left_sooner_than_the_settings_now_say(full: Room):
    await full.store.delete(POINTS, "1", tenant=DEFAULT_TENANT)
    await full.roll()
    found = await full.ask(full.source, "count_over_time(m{kind='counter'}[1h])", 700_000)
    assert found["counter"][3:-3] == pytest.approx([240.0] * (len(found["counter"]) - 6), abs=20)


async def test_history_that_was_imported_is_read_raw_while_it_is_there_and_its_sums_stay_after_it(room: Room):
    begin_ms = START_MS - 6 * 4380 * 2 * HOUR_MS  # six years
    ts_ms = np.arange(begin_ms, begin_ms + 8 * HOUR_MS, 15_000)
    values = np.sin(np.arange(len(ts_ms)))
    await room.put("a", ts_ms, values)
    assert await room.roll() in {4, 5}
    assert await room.roll() == 0
    grid = await Engine(room.source).range(DEFAULT_TENANT, "m", begin_ms, begin_ms + 7 * HOUR_MS, 700_000)
    at = np.arange(begin_ms, begin_ms + 7 * HOUR_MS + 1, 700_000)
    assert rows_of(grid.grid)["a"] == values[(at - begin_ms) // 15_000].tolist()
    assert await room.count("metric_rolled") in {4, 5}
    sql = """SELECT min(dateDiff('day', now(), expires_at)) AS days FROM metric_series FINAL
        WHERE tenant = {tenant:String}"""
    (row,) = (await room.store.query(sql, tenant=DEFAULT_TENANT)).to_pylist()
    assert row["days"] >= 5 * 365
    await room.store.delete(POINTS, "1", tenant=DEFAULT_TENANT)
    await room.roll()
    grid = await Engine(room.source).range(
        DEFAULT_TENANT, "count_over_time(m[1h])", begin_ms + HOUR_MS, begin_ms + 7 * HOUR_MS, HOUR_MS
    )
    assert rows_of(grid.grid)["a"] == [240.0] * 7


async def test_long_ago_sums_are_all_that_is_left_and_curves_stay(full: Room):
    await full.store.delete(POINTS, "1", tenant=DEFAULT_TENANT)
    (_, values) = shapes()["counter"]
    for keep_5m, most_ms in ((365.0 * 86_400, 300_000), (86_400.0, HOUR_MS)):
        settings = MetricsSettings(rollups=RollupSettings(keep_5m=keep_5m))
        later = FakeClock(NOW + timedelta(days=100))
        source = MetricSource(full.store, clock=later, settings=settings)
        end_ms = END_MS - 7 * 60_000 - 13
        found = (await full.ask(source, "m", HOUR_MS, end_ms))["counter"]
        for place, value in enumerate(found):
            at_ms = end_ms - 10 * HOUR_MS + place * HOUR_MS
            around = [(at_ms - most_ms - START_MS) // 15_000, (at_ms - START_MS) // 15_000]
            assert values[max(around[0], 0)] <= value <= values[around[1]]
        rates = (await full.ask(source, "rate(m[1h])", HOUR_MS, end_ms))["counter"]
        assert rates == pytest.approx([4 / 15] * 11, rel=0.2)
        resets = (await full.ask(source, "rate(m[1h])", HOUR_MS, end_ms))["resets"]
        assert resets == pytest.approx([4 / 15] * 11, rel=0.2)
        assert (await full.ask(source, "stddev_over_time(m[1h])", HOUR_MS, end_ms)) == {}


async def test_long_ago_windows_of_whole_buckets_answer_as_raw_samples_did(full: Room):
    ts_ms = np.arange(START_MS + 15_000, END_MS, 15_000)
    infinite = np.arange(len(ts_ms)).astype(float)
    infinite[1000] = np.inf
    await full.put("huge", ts_ms, np.arange(len(ts_ms)) * 1e18)
    await full.put("infinite", ts_ms, infinite)
    await full.roll()
    queries = [query.format(r=window) for query in FUNCTIONS[:15] for window in ("1h", "30m")]
    at_ms = END_MS - 2 * HOUR_MS

    async def ask_all(source: MetricSource) -> list[dict[str, list[float | None]]]:
        spans = [await full.ask(source, query, 600_000) for query in queries]
        whole = [await full.at(source, query.format(r="10h"), at_ms) for query in FUNCTIONS[:11]]
        return [*spans, *whole]

    before = await ask_all(full.raw)
    around = await full.ask(full.raw, "rate(m[1h])", HOUR_MS, END_MS - 1_000)
    await full.store.delete(POINTS, "1", tenant=DEFAULT_TENANT)
    source = MetricSource(full.store, clock=FakeClock(NOW + timedelta(days=100)))
    for one, other in zip(await ask_all(source), before, strict=True):
        is_same(one, other)
    nearly = await full.ask(source, "rate(m[1h])", HOUR_MS, END_MS - 1_000)
    for kind in ("counter", "resets", "late"):
        assert [v for v in nearly[kind] if v] == pytest.approx([v for v in around[kind] if v], rel=0.15), kind


async def test_what_a_rule_keeps_longer_than_the_rest_is_read_raw_as_long(room: Room):
    rules = KeepRules([KeepRule('{kind="kept"}', 365 * 86_400)], room.store)
    room.sink = MetricSink(room.store, clock=room.clock, keep_s=rules.seconds)
    for kind in ("kept", "others"):
        await room.put(kind, *shapes()["ended"])
    await room.roll()
    book = room.sink.book(DEFAULT_TENANT)
    others = book.ids.live[book.ref(labels_of({"__name__": "m", "kind": "others"}), origin="x")]
    query = "avg_over_time(m{kind=~'kept|K'}[7m])"
    before = await room.ask(room.raw, query, 60_000)
    source = MetricSource(room.store, clock=FakeClock(NOW + timedelta(days=100)))
    rolling = Rolling(room.store, source.rolled, RollupSettings(), FakeClock(NOW + timedelta(days=100)))
    for _ in range(2):
        await rolling.notice(DEFAULT_TENANT)
        is_same(await room.ask(source, query, 60_000), before)
        await room.store.delete(POINTS, f"series_id = {others}", tenant=DEFAULT_TENANT)
    found = await room.ask(source, "count_over_time(m{kind='others'}[1h])", HOUR_MS)
    assert sum(filter(None, found["others"])) > 2000


async def test_switched_off_sums_are_read_only_where_raw_samples_have_gone(full: Room):
    off = MetricsSettings(rollups=RollupSettings(enabled=False, least_samples=0))
    query = "count_over_time(m{kind='counter'}[1h])"
    source = MetricSource(full.store, clock=full.clock, settings=off)
    await full.put("counter", np.array([START_MS + 5 * HOUR_MS + 1]), np.array([1.0]))  # nobody sums it up
    is_same(await full.ask(source, query, HOUR_MS), await full.ask(full.raw, query, HOUR_MS))
    await full.store.delete(POINTS, "1", tenant=DEFAULT_TENANT)
    source = MetricSource(full.store, clock=FakeClock(NOW + timedelta(days=100)), settings=off)
    assert (await full.ask(source, query, HOUR_MS))["counter"] == [240.0] * 10 + [239.0]


async def test_since_when_a_counter_counts_is_not_lost_while_raw_samples_are_there(room: Room):
    ts_ms = np.arange(START_MS, END_MS, 15_000)
    await room.put("a", ts_ms, np.arange(len(ts_ms)).astype(float), np.full(len(ts_ms), START_MS - 1))
    await room.roll()
    is_same(await room.ask(room.source, "rate(m[1h])", HOUR_MS), await room.ask(room.raw, "rate(m[1h])", HOUR_MS))


async def test_series_with_native_histograms_are_read_raw(room: Room):
    ts_ms = np.arange(START_MS, END_MS, 60_000)
    await room.put("a", ts_ms, np.ones(len(ts_ms)))
    book = room.sink.book(DEFAULT_TENANT)
    ref = book.ref(labels_of({"__name__": "m", "kind": "h"}), origin="x")
    native = [HistogramSample(ref, int(at), Histogram(count=float(n), sum=1.0)) for n, at in enumerate(ts_ms)]
    nothing = np.zeros(0, np.int64)
    arrival = Arrival(book.generation, nothing, nothing, np.zeros(0), histograms=native)
    await room.sink.append(DEFAULT_TENANT, arrival)
    await room.roll()
    for query in ("count_over_time(m[1h])", "histogram_count(rate(m[1h]))"):
        is_same(await room.ask(room.source, query, HOUR_MS), await room.ask(room.raw, query, HOUR_MS))


async def test_sums_and_labels_outlive_raw_samples_but_no_rule(store: Store):
    await store.register(SCHEMA)
    room = Room(store)
    rules = KeepRules([KeepRule('{kind="dev"}', 7 * 86_400)], store)
    room.sink = MetricSink(store, clock=room.clock, keep_s=rules.seconds)
    for kind in ("dev", "live"):
        await room.put(kind, np.array([START_MS + 1]), np.ones(1))
    await room.roll()
    sql = """SELECT kind, resolution, toInt64(round((toUnixTimestamp(leaves) - {start:Int64}) / 86400)) AS days FROM (
        SELECT labels['kind'] AS kind, resolution, leaves FROM
        (SELECT series_id, resolution_ms AS resolution, max(expires_at) AS leaves FROM metric_rollups
          WHERE tenant = {tenant:String} GROUP BY series_id, resolution
         UNION ALL SELECT series_id, 0, max(expires_at) FROM metric_series WHERE tenant = {tenant:String}
          GROUP BY series_id) AS a
        JOIN (SELECT series_id, anyLast(labels) AS labels FROM metric_series WHERE tenant = {tenant:String}
          GROUP BY series_id) AS b ON a.series_id = b.series_id)"""
    table = await store.query(sql, {"start": START_MS // 1000}, tenant=DEFAULT_TENANT)
    days = {(row["kind"], row["resolution"] // 60_000): row["days"] for row in table.to_pylist()}
    assert days["dev", 5] == days["dev", 60] == pytest.approx(8, abs=1)
    assert days["live", 5] == pytest.approx(366, abs=1)
    assert days["live", 60] == pytest.approx(5 * 365 + 1, abs=1)
    # The sums are made a moment after the labels were written, which may be on the other side of half a day.
    assert days["live", 0] >= days["live", 60] - 1
    assert days["dev", 0] == pytest.approx(8, abs=1)
    await room.sink.close()
