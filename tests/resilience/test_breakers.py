"""Breakers: when they open, whom they let probe, and whose reports they believe."""

from __future__ import annotations

import asyncio

import pytest

from holdfast.resilience import BreakerOpen, BreakerState, breaker


async def fail():
    raise ConnectionError("down")


async def answer():
    return "up"


@pytest.fixture
def guard(fake_clock):
    return breaker(name="payments", failures=3, reset_s=10, clock=fake_clock)


def open_by_hand(guard):
    for _ in range(3):
        guard.record_failure()


async def test_it_stays_closed_while_failures_do_not_follow_each_other(guard):
    for _ in range(5):
        guard.record_failure()
        guard.record_failure()
        guard.record_success()
    assert guard.state is BreakerState.CLOSED


async def test_it_opens_after_so_many_failures_in_a_row_and_calls_nothing(guard):
    for _ in range(3):
        with pytest.raises(ConnectionError):
            await guard.call(fail)
    with pytest.raises(BreakerOpen, match=r"'payments' is open for 10\.0 s more") as refusal:
        await guard.call(answer)
    assert refusal.value.retry_after_s == 10


async def test_one_probe_goes_after_the_reset_time_and_its_success_closes(guard, fake_clock):
    open_by_hand(guard)
    assert not guard.allow()
    await fake_clock.advance(10)
    assert guard.allow()
    assert not guard.allow()
    assert guard.state is BreakerState.HALF_OPEN
    guard.record_success()
    assert guard.state is BreakerState.CLOSED
    assert guard.allow()


async def test_a_probe_that_fails_opens_it_for_the_whole_time_again(guard, fake_clock):
    open_by_hand(guard)
    await fake_clock.advance(10)
    assert guard.allow()
    guard.record_failure()
    assert guard.state is BreakerState.OPEN
    assert guard.retry_after_s == 10


async def test_a_probe_that_is_never_reported_does_not_lock_everybody_out(guard, fake_clock):
    open_by_hand(guard)
    await fake_clock.advance(10)
    assert guard.allow()
    await fake_clock.advance(10)
    assert guard.allow()


async def test_a_cancelled_probe_lets_the_next_caller_probe_at_once(guard, fake_clock):
    open_by_hand(guard)
    await fake_clock.advance(10)
    probe = asyncio.ensure_future(guard.call(fake_clock.sleep, 5))
    await fake_clock.advance(1)
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)
    assert await guard.call(answer) == "up"
    assert guard.state is BreakerState.CLOSED


async def test_a_late_answer_from_before_it_opened_does_not_close_it(guard, fake_clock):
    slow = asyncio.ensure_future(guard.call(fake_clock.sleep, 11))
    await fake_clock.advance(0)
    open_by_hand(guard)
    await fake_clock.advance(10)
    assert guard.allow()
    await fake_clock.advance(1)
    await slow
    assert guard.state is BreakerState.HALF_OPEN


async def test_a_failure_reported_while_it_is_open_does_not_keep_it_open_longer(guard, fake_clock):
    open_by_hand(guard)
    await fake_clock.advance(6)
    guard.record_failure()
    assert guard.retry_after_s == 4


async def test_a_success_that_somebody_saw_by_hand_closes_it_at_once(guard):
    open_by_hand(guard)
    guard.record_success()
    assert guard.allow()


async def test_errors_of_other_kinds_count_as_an_answer(fake_clock):
    guard = breaker(name="orders", failures=1, on=(ConnectionError,), clock=fake_clock)

    async def refuse():
        raise KeyError("no such order")

    with pytest.raises(KeyError):
        await guard.call(refuse)
    assert guard.state is BreakerState.CLOSED


async def test_listeners_hear_each_change_of_state_once(guard, fake_clock):
    heard = []
    guard.add_listener(heard.append)
    open_by_hand(guard)
    await fake_clock.advance(10)
    guard.allow()
    guard.record_success()
    guard.record_success()
    assert [(change.name, change.before, change.after) for change in heard] == [
        ("payments", "closed", "open"),
        ("payments", "open", "half_open"),
        ("payments", "half_open", "closed"),
    ]


@pytest.mark.parametrize("numbers", [{"failures": 0}, {"reset_s": 0}])
def test_numbers_that_mean_nothing_are_refused(numbers):
    with pytest.raises(ValueError, match="payments"):
        breaker(name="payments", **numbers)
