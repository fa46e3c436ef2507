"""Samples go in by the sink and come out by the source, on the real engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from holdfast.kernel.errors import InvalidError
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId
from holdfast.store import Store
from holdfast.telemetry import SCHEMA, Matcher, MatchOp, MetricSink, MetricSource, Sample

NOW = datetime.now(UTC).replace(microsecond=0)
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def sink(store: Store) -> AsyncIterator[MetricSink]:
    await store.register(SCHEMA)
    made = MetricSink(store)
    yield made
    await made.close()


@pytest.fixture
def source(sink: MetricSink, store: Store) -> MetricSource:
    return MetricSource(store)


def up(host: str, value: float, at: datetime = NOW) -> Sample:
    return Sample("up", {"host": host, "zone": "a"}, at, value)


async def test_the_latest_value_of_every_series(sink: MetricSink, source: MetricSource):
    await sink.write(DEFAULT_TENANT, [up("a", 0, NOW - MINUTE), up("a", 1), up("b", 0)])
    found = await source.latest(DEFAULT_TENANT, "up", at=NOW)
    assert [(series.labels["host"], series.last) for series in found] == [("a", (NOW, 1)), ("b", (NOW, 0))]


async def test_a_value_older_than_the_lookback_is_not_current(sink: MetricSink, source: MetricSource):
    await sink.write(DEFAULT_TENANT, [up("a", 1, NOW - 6 * MINUTE)])
    assert await source.latest(DEFAULT_TENANT, "up", at=NOW) == []
    assert await source.latest(DEFAULT_TENANT, "up", at=NOW, lookback=10 * MINUTE)


@pytest.mark.parametrize(
    ("matcher", "hosts"),
    [
        (Matcher("host", MatchOp.EQUAL, "a"), ["a"]),
        (Matcher("host", MatchOp.NOT_EQUAL, "a"), ["ab", "b"]),
        (Matcher("host", MatchOp.MATCHES, "a.*"), ["a", "ab"]),
        (Matcher("host", MatchOp.MATCHES, "a|zzz"), ["a"]),
        (Matcher("host", MatchOp.NOT_MATCHES, "a.*"), ["b"]),
        (Matcher("missing", MatchOp.EQUAL, ""), ["a", "ab", "b"]),
        (Matcher("zone", MatchOp.EQUAL, "' OR 1=1 --"), []),
    ],
)
async def test_matchers_choose_series_as_in_prometheus(
    sink: MetricSink, source: MetricSource, matcher: Matcher, hosts: list[str]
):
    await sink.write(DEFAULT_TENANT, [up(host, 1) for host in ("a", "ab", "b")])
    found = await source.latest(DEFAULT_TENANT, "up", [matcher], at=NOW)
    assert [series.labels["host"] for series in found] == hosts


async def test_a_range_gives_the_newest_value_at_every_step(sink: MetricSink, source: MetricSource):
    start = NOW - 10 * MINUTE
    await sink.write(DEFAULT_TENANT, [up("a", n, start + timedelta(seconds=30 * n)) for n in range(8)])
    [series] = await source.range(DEFAULT_TENANT, "up", start=start, end=NOW, step=MINUTE, lookback=2 * MINUTE)
    assert [point.value for point in series.points] == [0, 2, 4, 6, 7, 7]
    assert [point.at for point in series.points] == [start + n * MINUTE for n in range(6)]


async def test_a_range_sees_what_came_shortly_before_it(sink: MetricSink, source: MetricSource):
    await sink.write(DEFAULT_TENANT, [up("a", 5, NOW - 3 * MINUTE)])
    [series] = await source.range(DEFAULT_TENANT, "up", start=NOW, end=NOW + 5 * MINUTE, step=MINUTE)
    assert [point.at for point in series.points] == [NOW, NOW + MINUTE]


async def test_a_range_of_too_many_points_is_refused(source: MetricSource):
    with pytest.raises(InvalidError, match="11000"):
        await source.range(DEFAULT_TENANT, "up", start=NOW, end=NOW + timedelta(days=30), step=timedelta(seconds=1))


async def test_tenants_do_not_see_each_others_series(sink: MetricSink, source: MetricSource):
    await sink.write(TenantId("one"), [up("a", 1)])
    assert await source.latest(TenantId("two"), "up", at=NOW) == []


async def test_recorded_values_are_there_after_closing(sink: MetricSink, source: MetricSource):
    for number in range(100):
        sink.record(DEFAULT_TENANT, "load", {"core": str(number)}, NOW, number)
    await sink.close()
    assert len(await source.latest(DEFAULT_TENANT, "load", at=NOW)) == 100


async def test_a_series_is_announced_once_an_hour(sink: MetricSink, store: Store):
    for second in range(3):
        await sink.write(DEFAULT_TENANT, [up("a", 1, NOW + timedelta(seconds=second))])
    rows = await store.query(
        "SELECT count() AS n FROM metric_series WHERE tenant = {tenant:String}", tenant=DEFAULT_TENANT
    )
    assert rows["n"].to_pylist() == [1]


async def test_live_samples_are_found_after_an_import_of_old_ones(sink: MetricSink, source: MetricSource):
    for at in (NOW - 10 * timedelta(days=1), NOW, NOW - 20 * timedelta(days=1)):
        await sink.write(DEFAULT_TENANT, [up("a", 1, at)])
    assert await source.latest(DEFAULT_TENANT, "up", at=NOW)
    assert await source.latest(DEFAULT_TENANT, "up", at=NOW - 20 * timedelta(days=1))


async def test_a_series_outlives_its_samples(sink: MetricSink, store: Store):
    await sink.write(DEFAULT_TENANT, [up("a", 1), up("a", 1, NOW + timedelta(minutes=59))])
    sql = "SELECT toUnixTimestamp(max(expires_at)) AS s FROM {} WHERE tenant = {{tenant:String}}"
    lives = [
        (await store.query(sql.format(table), tenant=DEFAULT_TENANT))["s"].to_pylist()[0]
        for table in ("metric_series", "metric_points")
    ]
    assert lives[0] >= lives[1]


async def test_a_sample_without_a_time_zone_is_refused(sink: MetricSink):
    with pytest.raises(InvalidError, match="aware"):
        await sink.write(DEFAULT_TENANT, [up("a", 1, datetime(2026, 1, 1))])  # noqa: DTZ001 -- on purpose
