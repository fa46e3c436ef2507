"""The host's past as curves: from a scripted source, and from the real store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from holdfast.health.host.series import HostHistory, HostMetric
from holdfast.kernel.errors import InvalidError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry import SCHEMA, MetricSink, MetricSource, Point, Sample, Series

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


class Source:
    """Gives what a test says, by the metric's name."""

    def __init__(self, **points: list[tuple[float, float]]) -> None:
        self.points, self.asked = points, []

    async def range(self, _tenant, name, matchers=(), *, start, end, step, lookback=None):
        self.asked.append((name, start, end, step))
        points = self.points.get(name.removeprefix("holdfast_host_"))
        labels = {"interface": "eth0", "mode": "user", "mount": "/", "window": "1m", "device": "vda", "sensor": "s"}
        return [Series(name, labels, tuple(Point(at(when), value) for when, value in points))] if points else []


async def chart(source, metric, *, seconds=60.0, step_s=10.0):
    return await HostHistory(source, 10.0).chart(HostMetric(metric), "web-1", START, at(seconds), step_s)


async def test_shares_are_drawn_in_percent():
    drawn = await chart(Source(cpu_busy_ratio=[(0, 0.5), (10, 0.25)]), "cpu")
    assert drawn.unit == "percent"
    assert [(curve.label, curve.points) for curve in drawn.series] == [
        ("busy", [(at(0).timestamp(), 50.0), (at(10).timestamp(), 25.0)])
    ]


async def test_counters_are_drawn_as_growth_and_neither_resets_nor_gaps_are_growth():
    source = Source(network_received_bytes_total=[(-10, 0), (0, 1000), (10, 3000), (20, 100), (50, 500), (60, 600)])
    (curve,) = (await chart(source, "network")).series
    assert curve.label == "eth0 received"
    assert curve.points == [
        (at(0).timestamp(), 100.0),
        (at(10).timestamp(), 200.0),
        (at(20).timestamp(), None),
        (at(60).timestamp(), 10.0),
    ]


async def test_a_gap_is_one_null_so_that_no_line_crosses_it():
    (curve,) = (await chart(Source(fds_used=[(0, 1), (10, 2), (40, 3)]), "fds")).series
    assert [value for _, value in curve.points] == [1, 2, None, 3]


async def test_without_a_step_there_are_some_hundred_points_and_never_more_than_readings():
    source = Source()
    history = HostHistory(source, 10.0)
    assert (await history.chart(HostMetric.FDS, "h", START, at(86_400))).step_s == 360
    assert (await history.chart(HostMetric.FDS, "h", START, at(600))).step_s == 10
    assert (await history.chart(HostMetric.FDS, "h", START, at(600), step_s=1)).step_s == 10


@pytest.mark.parametrize("years", [(2, 2026), (1969, 2026), (1970, 9999)])
async def test_times_of_which_no_host_can_tell_are_refused(years):
    start, end = (datetime(year, 6, 1, tzinfo=UTC) for year in years)
    with pytest.raises(InvalidError):
        await HostHistory(Source(), 10.0).chart(HostMetric.NETWORK, "h", start, end)


@pytest.mark.parametrize("start", [datetime(1970, 1, 1, tzinfo=UTC), datetime(9990, 1, 1, tzinfo=UTC)])
async def test_a_step_is_never_longer_than_the_range(start):
    history = HostHistory(Source(network_received_bytes_total=[(0, 1)]), 10.0)
    drawn = await history.chart(HostMetric.NETWORK, "h", start, start + timedelta(days=1), step_s=1e300)
    assert drawn.step_s == 86_400


@pytest.mark.parametrize(("seconds", "step_s"), [(0, 10), (-60, 10), (86_400 * 90, 10)])
async def test_a_grid_without_sense_is_refused(seconds, step_s):
    with pytest.raises(InvalidError):
        await chart(Source(), "cpu", seconds=seconds, step_s=step_s)


async def test_every_chart_can_be_drawn_when_nothing_was_measured():
    for metric in HostMetric:
        assert (await chart(Source(), metric)).series == []


async def test_what_was_recorded_comes_back_from_the_real_store(store):
    await store.register(SCHEMA)
    sink = MetricSink(store)
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
    samples = []
    for number in range(7):
        when = start + timedelta(seconds=10 * number)
        for host, factor in (("web-1", 1), ("web-2", 5)):
            samples.append(Sample("holdfast_host_cpu_busy_ratio", {"host": host}, when, 0.1 * factor))
            labels = {"host": host, "interface": "eth0"}
            samples.append(Sample("holdfast_host_network_sent_bytes_total", labels, when, 1000.0 * number * factor))
        for mode in ("user", "idle"):
            labels = {"host": "web-1", "mode": mode}
            samples.append(Sample("holdfast_host_cpu_mode_ratio", labels, when, 0.05))
    await sink.write(DEFAULT_TENANT, samples)
    history = HostHistory(MetricSource(store), 10.0)
    cpu = await history.chart(HostMetric.CPU, "web-1", start, start + timedelta(seconds=60), 10)
    assert sorted(curve.label for curve in cpu.series) == ["busy", "user"]
    assert {round(value, 6) for curve in cpu.series for _, value in curve.points} == {10.0, 5.0}
    network = await history.chart(HostMetric.NETWORK, "web-1", start, start + timedelta(seconds=60), 10)
    assert [(curve.label, {value for _, value in curve.points}) for curve in network.series] == [("eth0 sent", {100.0})]
    await sink.close()
