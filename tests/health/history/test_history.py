"""Results in the store and what it says of them: runs, latency, uptime with coverage."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from holdfast.health.engine import Result
from holdfast.health.history import SCHEMA, Held, History, Recorder, Uptimes
from holdfast.health.metrics import HealthMetrics
from holdfast.health.probes import Phases
from holdfast.health.verdict import Verdict
from holdfast.kernel.clock import FakeClock
from holdfast.kernel.errors import StorageFullError

UP, DEGRADED, DOWN, UNKNOWN = Verdict.UP, Verdict.DEGRADED, Verdict.DOWN, Verdict.UNKNOWN
# The engine drops what has expired by its own clock, so the past of these tests is a recent one.
START = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=5)
DAY = timedelta(days=1)


def result(second: float, verdict: Verdict = UP, held: Verdict = UP, held_s: float = 10.0, **fields) -> Result:
    plain = {"check": "a", "kind": "http", "service": "shop", "labels": {}, "attempts": 1, "duration_s": 0.1}
    at = START + timedelta(seconds=second)
    return Result(
        at=at,
        verdict=verdict,
        observed=verdict,
        message=f"at {second}",
        held_verdict=held,
        held_s=held_s,
        **{**plain, **fields},
    )


@pytest.fixture
async def clock():
    return FakeClock(START)


@pytest.fixture
async def recorder(store, clock):
    await store.register(SCHEMA)
    return Recorder(store, clock, HealthMetrics(CollectorRegistry()))


@pytest.fixture
def history(store, recorder):
    return History(store)


async def record(recorder, *results):
    for one in results:
        recorder.add(one)
    await recorder.flush()


async def test_a_run_comes_back_as_it_was(recorder, history):
    full = result(
        5,
        DEGRADED,
        phases=Phases(0.1, 0.2, None, 0.4, 0.5),
        facts={"status": 200, "tls": True, "version": "1.2"},
        blocked_by="gateway",
        attempts=3,
    )
    await record(recorder, result(0), full, result(10, check="b"))
    newest, oldest = await history.runs("a", START, START + DAY, limit=10)
    assert (newest.at, newest.verdict, newest.message, newest.attempts) == (full.at, DEGRADED, "at 5", 3)
    assert (newest.phases, newest.facts, newest.blocked_by) == (full.phases, full.facts, "gateway")
    assert oldest.at == START


async def test_runs_are_narrowed_by_time_verdict_and_limit(recorder, history):
    await record(recorder, *(result(10 * number, DOWN if number % 3 == 0 else UP) for number in range(30)))
    down = await history.runs("a", START, START + DAY, limit=4, verdicts=[DOWN])
    assert [run.at.second + 60 * run.at.minute for run in down] == [270, 240, 210, 180]
    assert len(await history.runs("a", START, START + DAY, limit=100, verdicts=[DOWN, UP])) == 30
    some = await history.runs("a", START + timedelta(seconds=20), START + timedelta(seconds=40), limit=100)
    assert len(some) == 2


async def test_latency_has_percentiles_of_answers_and_counts_of_all(recorder, history):
    answers = [result(number, duration_s=number / 100, phases=Phases(connect_s=0.5)) for number in range(100)]
    await record(recorder, *answers, result(50.5, DOWN, duration_s=30.0), result(51.5, UNKNOWN, attempts=0))
    first, second = await history.latency("a", START, START + timedelta(seconds=100), 50)
    assert (first.at, second.at) == (START, START + timedelta(seconds=50))
    assert first.percentiles.p50_s == pytest.approx(0.245)
    assert second.percentiles.max_s == pytest.approx(0.99)
    assert second.counts == {UP: 50, DEGRADED: 0, DOWN: 1, UNKNOWN: 0}
    assert first.phases == Phases(connect_s=0.5)
    overall = await history.percentiles("a", START, START + DAY)
    assert overall.p99_s == pytest.approx(0.9801)


async def test_without_answers_there_are_no_percentiles(recorder, history):
    await record(recorder, result(0, DOWN))
    assert (await history.percentiles("a", START, START + DAY)).p50_s is None
    assert (await history.latency("a", START, START + DAY, 3600))[0].percentiles.max_s is None
    assert await history.latency("nobody", START, START + DAY, 3600) == []


async def test_short_buckets_split_the_time_exactly(recorder, history):
    await record(
        recorder,
        result(60, DOWN, held=UP, held_s=60),
        result(150, UP, held=DOWN, held_s=90),
        result(300, UP, held=UNKNOWN, held_s=100),
    )
    buckets = await history.held("a", START, START + timedelta(seconds=300), 3)
    assert [bucket.seconds for bucket in buckets] == [
        {UP: 60.0, DEGRADED: 0.0, DOWN: 40.0, UNKNOWN: 0.0},
        {UP: 0.0, DEGRADED: 0.0, DOWN: 50.0, UNKNOWN: 0.0},
        {UP: 0.0, DEGRADED: 0.0, DOWN: 0.0, UNKNOWN: 100.0},
    ]


async def test_long_buckets_come_from_the_hours(recorder, history):
    hourly = [result(3600 * hour + 60, held=DOWN if hour == 30 else UP, held_s=3600) for hour in range(48)]
    await record(recorder, *hourly)
    first, second = await history.held("a", START, START + 2 * DAY, 2)
    assert (first.seconds[UP], first.seconds[DOWN]) == (24 * 3600, 0)
    assert (second.seconds[UP], second.seconds[DOWN]) == (23 * 3600, 3600)


async def test_uptime_of_all_checks_is_one_query_and_unknown_counts_for_neither(recorder, history, clock):
    hours = [result(3600 * hour, held=UP, held_s=3600) for hour in range(1, 24)]
    hours[3] = result(3600 * 4, held=DOWN, held_s=3600)
    hours[4] = result(3600 * 5, held=UNKNOWN, held_s=3600)
    hours[5] = result(3600 * 6, held=DEGRADED, held_s=3600)
    await record(recorder, *hours, result(0, check="b", held_s=60))
    await clock.advance(86_400)
    known = await Uptimes(history, clock).read()
    assert known["a"]["d1"].ratio == pytest.approx(21 / 22)
    assert known["a"]["d1"].coverage == pytest.approx(22 / 24)
    assert known["a"]["d7"].coverage == pytest.approx(22 / 24 / 7)
    assert known["b"]["d1"].ratio == 1.0
    assert "c" not in known


async def test_the_hour_at_the_edge_counts_by_its_share(recorder, history):
    await record(recorder, result(1800, held_s=1800), result(5400, held=DOWN, held_s=1800))
    now = START + DAY + timedelta(minutes=30)
    held = (await history.uptimes(now, {"d1": DAY}))["a"]["d1"]
    assert (held.seconds[UP], held.seconds[DOWN]) == (900.0, 1800.0)


async def test_uptimes_are_read_anew_after_half_a_minute(recorder, history, clock):
    uptimes = Uptimes(history, clock)
    assert await uptimes.read() == {}
    await record(recorder, result(0))
    assert set(await uptimes.read()) == {"a"}, "that nothing was known is not kept"
    await record(recorder, result(10, check="b"))
    assert set(await uptimes.read()) == {"a"}
    await clock.advance(31)
    assert set(await uptimes.read()) == {"a"}, "nobody waits for what is read anew"
    while set(await uptimes.read()) != {"a", "b"}:  # noqa: ASYNC110 -- it reads as the console would
        await asyncio.sleep(0.01)


def test_nothing_known_is_no_uptime():
    assert Held(60).ratio is None
    assert Held(60, {UNKNOWN: 60}).ratio is None
    assert Held(60, {UNKNOWN: 60}).coverage == 0.0
    assert Held(60, {DOWN: 60}).ratio == 0.0


async def test_the_last_runs_of_every_check_come_back_after_a_restart(recorder, history):
    await record(recorder, *(result(number, check=name) for number in range(50) for name in ("a", "b")))
    recent = await history.recent(START, 40)
    assert set(recent) == {"a", "b"}
    assert [point.at.second for point in recent["a"]] == list(range(10, 50))


async def test_while_the_store_refuses_results_wait_and_then_arrive(recorder, history, store, monkeypatch):
    def refuse(_):
        raise StorageFullError("the disk is full")

    with monkeypatch.context() as full:
        full.setattr(store, "writer", refuse)
        recorder.add(result(0))
        with pytest.raises(StorageFullError):
            await recorder.flush()
    await recorder.flush()
    assert len(await history.runs("a", START, START + DAY, limit=10)) == 1


async def test_beyond_its_bound_the_oldest_results_are_given_up_and_counted(store, clock):
    registry = CollectorRegistry()
    await store.register(SCHEMA)
    recorder = Recorder(store, clock, HealthMetrics(registry), queue=3)
    await record(recorder, *(result(number) for number in range(5)))
    runs = await History(store).runs("a", START, START + DAY, limit=10)
    assert [run.at.second for run in runs] == [4, 3, 2]
    assert registry.get_sample_value("holdfast_health_results_dropped_total") == 2
