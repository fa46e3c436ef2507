"""Breakers that open by a rate: of failures, of slow calls, over the last calls or the last seconds."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.resilience import BreakerOpen, BreakerState, breaker
from holdfast.resilience.outcome_windows import CountWindow, TimeWindow
from holdfast.resilience.testing import FakeClock


async def fail():
    raise ConnectionError("down")


async def answer():
    return "up"


async def call_many(guard, outcomes):
    for outcome in outcomes:
        await asyncio.gather(guard.call(answer if outcome == "." else fail), return_exceptions=True)


async def test_half_of_the_calls_failing_opens_it_once_enough_were_seen(fake_clock):
    guard = breaker(name="stock", failure_rate=0.5, window_calls=10, minimum_calls=6, clock=fake_clock)
    await call_many(guard, "x.x.x")
    assert guard.state is BreakerState.CLOSED
    await call_many(guard, ".x")
    assert guard.state is BreakerState.OPEN


async def test_old_calls_leave_the_window(fake_clock):
    guard = breaker(name="stock", failure_rate=0.5, window_calls=4, minimum_calls=4, clock=fake_clock)
    await call_many(guard, "x...x...x...x...")
    assert guard.state is BreakerState.CLOSED
    await call_many(guard, "xx")
    assert guard.state is BreakerState.OPEN


async def test_a_window_of_seconds_forgets_what_is_older(fake_clock):
    guard = breaker(name="stock", failure_rate=0.5, window_s=10, minimum_calls=4, clock=fake_clock)
    await call_many(guard, "xxx")
    await fake_clock.advance(11)
    await call_many(guard, "x...")
    assert guard.state is BreakerState.CLOSED


async def test_slow_answers_open_it_though_none_fails(fake_clock):
    guard = breaker(
        name="search", slow_rate=0.5, slow_call_s=2, window_calls=4, minimum_calls=4, reset_s=60, clock=fake_clock
    )
    for seconds in (1, 3, 1, 3):
        task = asyncio.ensure_future(guard.call(fake_clock.sleep, seconds))
        await fake_clock.advance(seconds)
        await task
    assert guard.state is BreakerState.OPEN
    await fake_clock.advance(60)
    probe = asyncio.ensure_future(guard.call(fake_clock.sleep, 3))
    await fake_clock.advance(3)
    await probe
    assert guard.state is BreakerState.OPEN, "a slow probe is a failed one"


async def test_with_a_rate_failures_in_a_row_open_nothing_unless_asked(fake_clock):
    guard = breaker(name="stock", failure_rate=1, minimum_calls=50, clock=fake_clock)
    await call_many(guard, "x" * 20)
    assert guard.state is BreakerState.CLOSED
    both = breaker(name="stock", failure_rate=1, minimum_calls=50, failures=3, clock=fake_clock)
    await call_many(both, "xxx")
    assert both.state is BreakerState.OPEN


async def test_what_was_counted_is_forgotten_when_it_closes(fake_clock):
    guard = breaker(name="stock", failure_rate=0.5, window_calls=4, minimum_calls=2, reset_s=1, clock=fake_clock)
    await call_many(guard, "xx")
    await fake_clock.advance(1)
    await call_many(guard, "...x")
    assert guard.state is BreakerState.CLOSED


async def test_plain_functions_are_measured_too(fake_clock):
    guard = breaker(name="stock", failure_rate=0.5, window_calls=4, minimum_calls=2, clock=fake_clock)

    @guard
    def look(*, fails):
        if fails:
            raise ConnectionError

    look(fails=False)
    with pytest.raises(ConnectionError):
        look(fails=True)
    with pytest.raises(BreakerOpen):
        look(fails=False)


@given(size=st.integers(1, 12), outcomes=st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60))
def test_a_count_window_is_the_last_calls(size, outcomes):
    window = CountWindow(size)
    for failed, is_slow in outcomes:
        window.record(0.0, failed=failed, is_slow=is_slow)
    last = outcomes[-size:]
    assert window.calls == len(last)
    assert window.failures == sum(failed for failed, _ in last)
    assert window.slow == sum(is_slow for _, is_slow in last)


@given(pauses=st.lists(st.integers(0, 12), max_size=60))
def test_a_time_window_is_between_nine_and_ten_tenths_of_its_seconds(pauses):
    window, now, calls = TimeWindow(10.0), 1000, []
    for pause in pauses:
        now += pause
        calls.append(now)
        window.record(float(now), failed=True, is_slow=False)
        assert sum(at > now - 9 for at in calls) <= window.calls <= sum(at > now - 10 for at in calls)
        assert window.calls == window.failures


def test_a_time_window_survives_a_clock_that_is_set_back():
    window = TimeWindow(10.0)
    window.record(1000.0, failed=True, is_slow=False)
    window.record(999.5, failed=True, is_slow=False)
    assert window.calls == 2
    window.record(5.0, failed=False, is_slow=False)
    assert (window.calls, window.failures) == (1, 0)
    window.record(16.0, failed=False, is_slow=False)
    assert window.calls == 1


@pytest.mark.parametrize(
    "numbers",
    [
        {"failure_rate": 0},
        {"failure_rate": 1.5},
        {"slow_rate": 0.5},
        {"slow_call_s": 1},
        {"failure_rate": 0.5, "window_calls": 5, "minimum_calls": 6},
        {"failure_rate": 0.5, "window_s": -1},
        {"reset_s": 5, "reset_cap_s": 1},
        {"probes": 0},
        {"refresh_s": 0, "store": object()},
    ],
)
def test_numbers_that_mean_nothing_are_refused(numbers):
    with pytest.raises(ValueError):
        breaker(name="stock", clock=FakeClock(), **numbers)
