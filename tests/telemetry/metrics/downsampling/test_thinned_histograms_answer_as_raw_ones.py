"""Native histograms are thinned to some of themselves, over which rates are what they are over all, resets and all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from holdfast.kernel.clock import FakeClock
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import Store
from holdfast.telemetry import SCHEMA, MetricSink, MetricSource
from holdfast.telemetry.metrics import Deletion, MetricsSettings, Rolling
from holdfast.telemetry.metrics.arrivals import STALE_BITS, Arrival, HistogramSample
from holdfast.telemetry.metrics.histograms import CUSTOM_SCHEMA, Buckets, Histogram, ResetHint
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.promql import Engine, parse_matchers
from holdfast.telemetry.metrics.settings import RollupSettings
from holdfast.telemetry.metrics.tables import HISTOGRAMS

HOUR_MS = 3_600_000
HOURS = 6
START_MS = (int(datetime.now(UTC).timestamp() * 1000) // (2 * HOUR_MS) - 5) * 2 * HOUR_MS
END_MS = START_MS + HOURS * HOUR_MS
NOW = datetime.fromtimestamp((END_MS + 3 * HOUR_MS) / 1000, UTC)
STALE = float(np.array(STALE_BITS, np.uint64).view(np.float64))
QUERIES = (
    "rate(h[{r}])",
    "increase(h[{r}])",
    "histogram_quantile(0.9, rate(h[{r}]))",
    "histogram_quantile(0.5, sum(increase(h{{kind!~'custom|gauge'}}[{r}])))",
    "histogram_count(increase(h[{r}]))",
    "histogram_sum(rate(h[{r}]))",
    "histogram_avg(h)",
    "h",
    "last_over_time(h[{r}])",
    "first_over_time(h[{r}])",
    "count_over_time(h[{r}])",
    "present_over_time(h[{r}])",
    "delta(h{{kind='gauge'}}[{r}])",
    "sum_over_time(h[{r}])",
    "avg_over_time(h[{r}])",
    "max_over_time(h[{r}])",
    "resets(h[{r}])",
    "irate(h[{r}])",
)
EXACT = QUERIES[:12]


def history(counts: np.ndarray, ts_ms: np.ndarray, **more: object) -> list[tuple[int, Histogram]]:
    """A histogram per row of counts, of which the first is that of the zero bucket."""
    made = []
    for at, row in zip(ts_ms.tolist(), counts.tolist(), strict=True):
        last = max((place for place, count in enumerate(row) if count), default=0)
        filled = tuple(row[1 : last + 1])  # as long as it must be: layouts grow
        whole = Histogram(1, sum(row), sum(row) * 1.5, 0.001, row[0], Buckets(-2, filled))
        made.append((at, replace(whole, **more)))
    return made


def shapes() -> dict[str, list[tuple[int, Histogram]]]:
    """Histograms with whatever happens to them."""
    random = np.random.default_rng(5)
    ts_ms = np.arange(START_MS, END_MS, 30_000)
    steps = random.poisson(np.linspace(0.05, 2, 6), (len(ts_ms), 6)).astype(float)
    counter = np.cumsum(steps, axis=0)
    resets = counter.copy()
    for at in (50, 51, 300, 301, 302, 480):
        resets[at:] -= resets[at] * 0.999
        resets[at:] = np.maximum(resets[at:].round(), 0)
    jitter = np.sort(ts_ms + random.integers(-9_000, 9_000, len(ts_ms)))
    bent = history(counter, ts_ms)
    bent[200:] = history(counter[200:], ts_ms[200:], schema=0)
    bent[400:] = history(counter[400:], ts_ms[400:], schema=2, zero_threshold=0.002)
    ended = history(counter, ts_ms)
    for at in (100, 339, 500):
        ended[at] = (ended[at][0], Histogram(sum=STALE))
    custom = history(counter, ts_ms, schema=CUSTOM_SCHEMA, zero_threshold=0.0, custom_values=(1.0, 2.0, 4.0, 8.0))
    custom = [(at, replace(one, zero_count=0.0, positive=Buckets(0, one.positive.counts))) for at, one in custom]
    rare = np.arange(0, len(ts_ms), 17)
    return {
        "counter": history(counter, ts_ms),
        "resets": history(resets, jitter),
        "bent": bent,
        "ended": ended,
        "custom": custom,
        "rare": history(resets[rare], ts_ms[rare]),
        "gauge": history(random.poisson(3, (len(ts_ms), 6)).astype(float), ts_ms, hint=ResetHint.GAUGE),
        "late": history(counter[250:], jitter[250:]),
    }


class Room:
    def __init__(self, store: Store, settings: RollupSettings | None = None) -> None:
        self.store = store
        self.clock = FakeClock(NOW)
        rollups = settings or RollupSettings(least_samples=0)
        never = MetricsSettings(rollups=replace(rollups, least_samples=10**15))
        self.sink = MetricSink(store, clock=self.clock)
        self.source = MetricSource(
            store, clock=self.clock, feed=self.sink.feed, settings=MetricsSettings(rollups=rollups)
        )
        self.raw = MetricSource(store, clock=self.clock, settings=never)
        self.rolling = Rolling(store, self.source.rolled, rollups, self.clock)
        self.deletion = Deletion(store, self.sink, self.source)

    async def put(self, kind: str, samples: list[tuple[int, Histogram]], *, start_ms: int = 0) -> None:
        book = self.sink.book(DEFAULT_TENANT)
        ref = book.ref(labels_of({"__name__": "h", "kind": kind}), origin="x")
        native = [HistogramSample(ref, at, one, start_ms) for at, one in samples]
        nothing = np.zeros(0, np.int64)
        arrival = Arrival(book.generation, nothing, nothing, np.zeros(0), histograms=native)
        await self.sink.append(DEFAULT_TENANT, arrival)

    async def ask(self, source: MetricSource, query: str, step_ms: int, end_ms: int = END_MS) -> dict[str, list]:
        start_ms = end_ms - (HOURS - 1) * HOUR_MS // step_ms * step_ms
        grid = (await Engine(source).range(DEFAULT_TENANT, query, start_ms, end_ms, step_ms)).grid
        found = {}
        for row, labels in enumerate(grid.labels):
            cells = None if grid.histograms is None else grid.histograms[row]
            found[dict(labels).get("kind", "")] = [
                None if not there else value if cells is None or cells[at] is None else told(cells[at])
                for at, (value, there) in enumerate(zip(grid.values[row], grid.present[row], strict=True))
            ]
        return found

    async def is_same(self, query: str, step_ms: int) -> None:
        mine, theirs = await self.ask(self.source, query, step_ms), await self.ask(self.raw, query, step_ms)
        assert mine.keys() == theirs.keys(), query
        for kind, values in mine.items():
            assert [v is None for v in values] == [v is None for v in theirs[kind]], (query, kind)
            for at, (one, other) in enumerate(zip(values, theirs[kind], strict=True)):
                if one is not None:
                    place = query, kind, at
                    assert one == pytest.approx(other, rel=1e-9, abs=1e-9, nan_ok=True), place

    async def count(self, table: str) -> int:
        sql = f"SELECT count() AS n FROM {table} WHERE tenant = {{tenant:String}}"
        return int((await self.store.query(sql, tenant=DEFAULT_TENANT)).to_pylist()[0]["n"])


def told(histogram: Histogram) -> list[float]:
    """All that a histogram holds, with buckets from one fixed place on."""
    buckets = np.zeros(40)
    for place, count in enumerate(histogram.positive.counts, histogram.positive.first + 10):
        buckets[place] = count
    plain = [histogram.schema, histogram.count, histogram.sum, histogram.zero_threshold, histogram.zero_count]
    return [*plain, *histogram.custom_values, *buckets.tolist()]


@pytest.fixture
async def room(store: Store) -> AsyncIterator[Room]:
    await store.register(SCHEMA)
    made = Room(store)
    yield made
    await made.sink.close()


@pytest.fixture
async def full(room: Room) -> Room:
    for kind, samples in shapes().items():
        await room.put(kind, samples)
    assert await room.rolling.roll(DEFAULT_TENANT) in {3, 4}
    assert await room.rolling.roll(DEFAULT_TENANT) == 0
    return room


async def test_aligned_windows_answer_the_same(full: Room):
    for query in QUERIES:
        for step_ms, window in ((600_000, "10m"), (HOUR_MS, "1h")):
            await full.is_same(query.format(r=window), step_ms)


async def test_thinned_ones_are_what_is_read_and_are_far_fewer(full: Room):
    assert await full.count("metric_histogram_rollups") < await full.count("metric_histograms") * 0.6
    aligned = [query.format(r="1h").replace("h[", "h{kind!='gauge'}[") for query in EXACT]
    before = [await full.ask(full.source, query, HOUR_MS) for query in aligned]
    await full.store.delete(HISTOGRAMS, "1", tenant=DEFAULT_TENANT)
    full.source.reader.forget(DEFAULT_TENANT)
    assert [await full.ask(full.source, query, HOUR_MS) for query in aligned] == before
    assert await full.ask(full.source, "sum_over_time(h[1h])", HOUR_MS) == {}
    assert await full.ask(full.source, "resets(h[1h])", HOUR_MS) == {}


async def test_a_late_one_is_seen_at_once_and_thinned_with_the_next_round(full: Room):
    query = "count_over_time(h{kind='counter'}[1h])"
    before = await full.ask(full.source, query, HOUR_MS)
    await full.put("counter", [(START_MS + 2 * HOUR_MS + 1, Histogram(1, 1e6, 1.0, 0.001, 1e6))])
    after = await full.ask(full.source, query, HOUR_MS)
    assert sum(after["counter"]) == sum(before["counter"]) + 1
    assert await full.rolling.roll(DEFAULT_TENANT) >= 1
    for each in (query, *(one.format(r="1h") for one in QUERIES[:4])):
        await full.is_same(each, HOUR_MS)
    await full.store.delete(HISTOGRAMS, "1", tenant=DEFAULT_TENANT)
    assert await full.ask(full.source, query, HOUR_MS) == after
    await full.put("counter", [(START_MS + 2 * HOUR_MS + 2, Histogram(1, 1e6, 1.0, 0.001, 1e6))])
    await full.rolling.roll(DEFAULT_TENANT)  # of one that is left of many
    assert await full.ask(full.source, query, HOUR_MS) == after


async def test_what_is_deleted_leaves_the_thinned_ones_too(full: Room):
    matchers = parse_matchers("h{kind='counter'}")
    await full.deletion.delete(DEFAULT_TENANT, [matchers], START_MS + HOUR_MS + 90_000, START_MS + 3 * HOUR_MS)
    await full.is_same("count_over_time(h[1h])", HOUR_MS)
    await full.rolling.roll(DEFAULT_TENANT)
    await full.is_same("count_over_time(h[1h])", HOUR_MS)
    await full.is_same("increase(h[1h])", HOUR_MS)


async def test_long_ago_they_are_all_that_is_left_and_quantiles_stay(full: Room):
    exact = "histogram_quantile(0.9, rate(h{kind=~'counter|resets'}[%s]))"
    rates = "histogram_count(rate(h{kind=~'counter|resets'}[%s]))"
    end_ms = END_MS - 7 * 60_000 - 13
    raw = {text: await full.ask(full.raw, text % "1h", HOUR_MS, end_ms) for text in (exact, rates)}
    await full.store.delete(HISTOGRAMS, "1", tenant=DEFAULT_TENANT)
    for keep_5m in (365.0 * 86_400, 86_400.0):
        settings = MetricsSettings(rollups=RollupSettings(keep_5m=keep_5m))
        source = MetricSource(full.store, clock=FakeClock(NOW + timedelta(days=100)), settings=settings)
        for window in ("1h", "5m") if keep_5m > 86_400 else ("2h", "1h"):
            for text in (exact, rates):
                found = await full.ask(source, text % window, HOUR_MS, end_ms)
                assert found.keys() == raw[text].keys()
                for kind, values in found.items():
                    assert None not in values[1:]
                    mean, expected = np.mean(values[1:]), np.mean(raw[text][kind][1:])
                    assert mean == pytest.approx(expected, rel=0.25), (keep_5m, window, text, kind)
        averages = (await full.ask(source, "histogram_avg(h{kind='counter'})", HOUR_MS, end_ms))["counter"]
        assert None not in averages[1:]


async def test_since_when_a_counter_counts_is_not_lost_while_raw_ones_are_there(room: Room):
    await room.put("counter", shapes()["counter"], start_ms=START_MS - 1)
    await room.rolling.roll(DEFAULT_TENANT)
    await room.is_same("rate(h[1h])", HOUR_MS)
