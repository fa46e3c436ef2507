"""The kit that users test their own code with."""

from __future__ import annotations

import asyncio

import pytest

from holdfast.resilience import retry, timeout
from holdfast.resilience.testing import FakeClock, Recorder, answers, chaos, fails, record


def test_a_script_fails_as_often_as_it_says_and_then_answers(fake_clock):
    script = fails(ConnectionError, times=2).then("up")
    assert retry(base_s=0, clock=fake_clock).call_sync(script, "A-1", now=True) == "up"
    assert script.calls == [(("A-1",), {"now": True})] * 3
    assert script() == "up"


async def test_a_script_plays_in_async_code_too(fake_clock):
    script = fails(ConnectionError("one")).then_fails(TimeoutError("two")).then("up")
    assert await retry(base_s=0, clock=fake_clock).call(script.as_async) == "up"


def test_a_call_too_many_is_a_mistake_in_the_test():
    script = answers(1, times=1)
    script()
    with pytest.raises(AssertionError, match="call number 2"):
        script()


def test_a_step_after_one_that_never_ends_is_refused():
    with pytest.raises(ValueError, match="for ever"):
        answers(1).then(2)


async def test_a_script_takes_its_time_on_its_clock(fake_clock):
    script = answers("late", after_s=5, clock=fake_clock)
    with pytest.raises(TimeoutError):
        await fake_clock.run(timeout(2, clock=fake_clock).call(script.as_async))
    assert fake_clock.monotonic() == 2
    assert script() == "late"
    assert fake_clock.monotonic() == 7


async def test_time_runs_by_itself_until_the_work_is_done():
    clock = FakeClock()
    policy = retry(attempts=5, base_s=10, jitter="none", clock=clock)
    assert await clock.run(policy.call(fails(ConnectionError, times=3).then("up").as_async)) == "up"
    assert clock.slept_s == [10, 10, 10]


async def test_work_that_time_does_not_end_is_named(fake_clock):
    with pytest.raises(RuntimeError, match="time alone will not end it"):
        await fake_clock.run(asyncio.Event().wait())


def test_events_are_recorded_near_and_far(fake_clock):
    near = Recorder()
    policy = retry(attempts=2, base_s=0, clock=fake_clock)
    policy.add_listener(near)
    with record() as far:
        policy.call_sync(fails(ConnectionError).then("up"))
    policy.call_sync(fails(ConnectionError).then("up"))
    assert far.story == ["retry.retried", "retry.recovered"]
    assert near.story == far.story * 2
    assert len(near.of("retry", "recovered")) == 2
    assert near.of("breaker") == []


def test_the_same_seed_breaks_the_same_calls(fake_clock):
    def run(seed):
        broken = chaos(error_rate=0.3, delay_s=1, delay_rate=0.2, seed=seed, clock=fake_clock)
        outcomes = []
        for _ in range(200):
            try:
                broken.call_sync(int)
                outcomes.append(True)
            except ConnectionError:
                outcomes.append(False)
        return outcomes

    assert run(7) == run(7)
    assert 30 < run(7).count(False) < 90
    assert 10 < len(fake_clock.slept_s) < 180


async def test_chaos_can_be_switched_off(fake_clock):
    broken = chaos(error_rate=1, delay_s=9, delay_rate=1, clock=fake_clock)
    broken.is_on = False
    assert await broken.call(answers(1).as_async) == 1
    assert fake_clock.slept_s == []


def test_a_rate_that_is_no_share_is_refused():
    with pytest.raises(ValueError, match="0 to 1"):
        chaos(error_rate=30)
