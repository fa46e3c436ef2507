"""Retries: how often, how long between, and what they never do."""

from __future__ import annotations

import asyncio
import random

import pytest

from holdfast.resilience import DeadlineExceeded, RateLimited, retry


class Flaky:
    """Fails with each of `errors` in turn, then answers."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.calls = 0

    async def __call__(self, answer: str = "done") -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return answer


async def run_with_time(clock, call, *, step_s=1.0, steps=100):
    """Await `call` while time passes."""
    task = asyncio.ensure_future(call)
    for _ in range(steps):
        if task.done():
            break
        await clock.advance(step_s)
    return await task


async def test_a_call_that_succeeds_is_made_once(fake_clock):
    fn = Flaky()
    assert await retry(clock=fake_clock).call(fn, "answer") == "answer"
    assert fn.calls == 1


async def test_a_passing_fault_is_ridden_out(fake_clock):
    fn = Flaky(ConnectionError(), TimeoutError())
    assert await run_with_time(fake_clock, retry(attempts=3, clock=fake_clock).call(fn)) == "done"
    assert fn.calls == 3


async def test_the_last_error_comes_through_when_attempts_run_out(fake_clock):
    fn = Flaky(ConnectionError("first"), ConnectionError("second"), ConnectionError("third"))
    with pytest.raises(ConnectionError, match="second"):
        await run_with_time(fake_clock, retry(attempts=2, clock=fake_clock).call(fn))
    assert fn.calls == 2


async def test_an_error_of_another_kind_comes_through_at_once(fake_clock):
    fn = Flaky(ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        await retry(clock=fake_clock).call(fn)
    assert fn.calls == 1


async def test_a_deadline_counts_as_a_fault_that_passes(fake_clock):
    fn = Flaky(DeadlineExceeded("late"))
    assert await run_with_time(fake_clock, retry(clock=fake_clock).call(fn)) == "done"


async def test_waits_double_up_to_the_cap_without_jitter():
    policy = retry(attempts=9, base_s=1, cap_s=5, jitter="none")
    assert [policy.wait_s(attempt, ConnectionError()) for attempt in range(1, 6)] == [1, 2, 4, 5, 5]


def test_full_jitter_draws_the_whole_range_below_the_bound():
    policy = retry(base_s=1, cap_s=100, rng=random.Random(7))
    waits = [policy.wait_s(3, ConnectionError()) for _ in range(1000)]
    assert min(waits) < 0.1
    assert 3.9 < max(waits) <= 4
    assert 1.8 < sum(waits) / len(waits) < 2.2


def test_a_huge_attempt_number_does_not_overflow():
    assert retry(attempts=10_000, cap_s=7, jitter="none").wait_s(9_999, ConnectionError()) == 7


def test_an_error_that_names_its_wait_is_obeyed_up_to_the_cap():
    policy = retry(base_s=0, cap_s=5)
    assert policy.wait_s(1, RateLimited("slow", retry_after_s=3)) == 3
    assert policy.wait_s(1, RateLimited("slow", retry_after_s=60)) == 5


async def test_cancellation_during_the_wait_ends_the_retrying(fake_clock):
    fn = Flaky(ConnectionError())
    task = asyncio.ensure_future(retry(base_s=10, jitter="none", clock=fake_clock).call(fn))
    await fake_clock.advance(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert fn.calls == 1


@pytest.mark.parametrize("numbers", [{"attempts": 0}, {"base_s": -1}, {"cap_s": -1}, {"jitter": "some"}])
def test_numbers_that_mean_nothing_are_refused(numbers):
    with pytest.raises(ValueError):
        retry(**numbers)
