"""Load shedding: who is refused first, when the door closes, and when it opens again."""

from __future__ import annotations

import asyncio

import pytest

from holdfast.resilience import LoadShed, Priority, current_priority, priority, shed
from holdfast.resilience.shedding import Pressure


def press(pressure, now_s, waited_s, *, intervals=1):
    """Let each of the next intervals see one wait."""
    for _ in range(intervals):
        pressure.observe(now_s, waited_s)
        now_s += pressure.interval_s
        pressure.refuses(Priority.CRITICAL, now_s)
    return now_s


def test_each_bad_interval_refuses_one_kind_more_and_never_the_critical_ones():
    pressure, now_s, refused = Pressure(target_s=0.1, interval_s=1), 100.0, []
    for _ in range(5):
        now_s = press(pressure, now_s, 0.5)
        refused.append([level.name for level in Priority if pressure.refuses(level, now_s)])
    assert refused[0] == ["BACKGROUND"]
    assert refused[1] == ["LOW", "BACKGROUND"]
    assert refused[2:] == [["NORMAL", "LOW", "BACKGROUND"]] * 3


def test_one_quick_call_in_an_interval_is_enough_to_call_it_good():
    pressure = Pressure(target_s=0.1, interval_s=1)
    now_s = press(pressure, 100.0, 0.5, intervals=2)
    pressure.observe(now_s, 0.9)
    pressure.observe(now_s, 0.05)
    press(pressure, now_s, 0.9)
    assert pressure.level == 1


def test_when_nobody_comes_any_more_the_door_opens():
    pressure = Pressure(target_s=0.1, interval_s=1)
    now_s = press(pressure, 100.0, 0.5, intervals=3)
    assert pressure.level == 3
    assert not pressure.refuses(Priority.BACKGROUND, now_s + 10)


def test_a_clock_that_goes_back_does_not_keep_the_door_closed():
    pressure = Pressure(target_s=0.1, interval_s=1)
    press(pressure, 100.0, 0.5)
    for now_s in (3.0, 4.1, 5.2):
        pressure.refuses(Priority.NORMAL, now_s)
    assert pressure.level == 0


async def test_calls_wait_in_order_of_priority_then_of_arrival(fake_clock):
    gate, order = shed(1, queue=10, timeout_s=60, clock=fake_clock), []

    @gate
    async def work(name):
        order.append((name, current_priority().name))
        await fake_clock.sleep(0.01)

    tasks = []
    for name, level in [("a", 3), ("b", 3), ("c", 0), ("d", 1), ("e", 0)]:
        with priority(Priority(level)):
            tasks.append(asyncio.ensure_future(work(name)))
    await fake_clock.advance(1)
    await asyncio.gather(*tasks)
    assert [name for name, _ in order] == ["a", "c", "e", "d", "b"]
    assert order[1] == ("c", "CRITICAL")


async def test_a_full_queue_gives_the_newest_of_the_least_important_up_for_a_more_important_one(fake_clock):
    gate, heard = shed(1, queue=2, timeout_s=60, clock=fake_clock, name="api"), []
    gate.add_listener(heard.append)
    tasks = {}
    for name, level in [("runs", 1), ("first low", 2), ("second low", 2), ("critical", 0), ("third low", 2)]:
        with priority(Priority(level)):
            tasks[name] = asyncio.ensure_future(gate.call(fake_clock.sleep, 1))
        await fake_clock.advance(0)
    for name in ("second low", "third low"):
        with pytest.raises(LoadShed) as refusal:
            await tasks.pop(name)
        assert refusal.value.retry_after_s == 0.5
        assert refusal.value.policy == "api"
    await fake_clock.advance(5)
    await asyncio.gather(*tasks.values())
    assert sorted(event.detail["why"] for event in heard if event.what == "shed") == ["displaced", "full"]


async def test_under_pressure_the_less_important_are_refused_at_the_door(fake_clock):
    gate = shed(1, queue=100, timeout_s=60, target_s=0.1, interval_s=1, clock=fake_clock)
    crowd = [asyncio.ensure_future(gate.call(fake_clock.sleep, 0.5)) for _ in range(20)]
    await fake_clock.advance(4)
    with priority(Priority.BACKGROUND), pytest.raises(LoadShed, match="background priority was shed"):
        await gate.call(fake_clock.sleep, 0)
    with priority(Priority.CRITICAL):
        critical = asyncio.ensure_future(gate.call(fake_clock.sleep, 0))
    await fake_clock.advance(1)
    await critical
    assert gate.pressure > 0
    await fake_clock.advance(30)
    await asyncio.gather(*crowd)
    with priority(Priority.BACKGROUND):
        assert await gate.call(asyncio.sleep, 0, "served again") == "served again"


async def test_who_waited_too_long_is_not_served_any_more(fake_clock):
    gate = shed(1, timeout_s=2, clock=fake_clock)
    tasks = [asyncio.ensure_future(gate.call(fake_clock.sleep, 10)) for _ in range(2)]
    await fake_clock.advance(2)
    with pytest.raises(LoadShed, match="timeout"):
        await tasks[1]
    await fake_clock.advance(10)
    await tasks[0]


def test_the_priority_may_come_from_the_arguments():
    gate = shed(1, queue=0, priority=lambda customer: Priority.CRITICAL if customer == "gold" else Priority.LOW)
    heard = []
    gate.add_listener(heard.append)
    with gate, pytest.raises(LoadShed):
        gate.call_sync(lambda customer: customer, "tin")
    assert gate.call_sync(lambda customer: customer, "gold") == "gold"
    assert heard[0].detail["priority"] == "low"


async def test_blocks_hold_a_place():
    gate = shed(1, queue=0)
    async with gate:
        assert gate.running == 1
        with pytest.raises(LoadShed):
            await gate.call(asyncio.sleep, 0)
    assert gate.is_idle


@pytest.mark.parametrize(
    "numbers", [{"limit": 0}, {"queue": -1}, {"timeout_s": 0}, {"target_s": 0}, {"target_s": 2, "interval_s": 1}]
)
def test_numbers_that_mean_nothing_are_refused(numbers):
    with pytest.raises(ValueError):
        shed(**{"limit": 1} | numbers)
