"""Retries: how often, how long between, and what they never do."""

from __future__ import annotations

import asyncio
import contextlib
import random
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.resilience import (
    Backoff,
    DeadlineExceeded,
    Jitter,
    RateLimited,
    RetryBudget,
    parse_retry_after,
    retry,
)


class Flaky:
    """Fails with each of `errors` in turn, then answers."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.calls = 0

    async def __call__(self, answer: str = "done") -> str:
        return self.call(answer)

    def call(self, answer: str = "done") -> str:
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


def waits(policy_clock, policy, failures):
    """Give the waits that a call makes which fails with each of `failures`."""
    with contextlib.suppress(Exception):
        policy.call_sync(Flaky(*failures).call)
    return policy_clock.slept_s


def test_waits_double_up_to_the_cap_without_jitter(fake_clock):
    policy = retry(attempts=6, base_s=1, cap_s=5, jitter="none", clock=fake_clock)
    assert waits(fake_clock, policy, [ConnectionError()] * 6) == [1, 2, 4, 5, 5]


@pytest.mark.parametrize(
    ("jitter", "lowest", "highest"), [("full", 0, 4), ("equal", 2, 4), ("decorrelated", 1, 6), ("none", 4, 4)]
)
def test_each_jitter_draws_the_whole_of_its_range(jitter, lowest, highest):
    backoff, rng = Backoff(base_s=1, cap_s=100, jitter=jitter), random.Random(7)
    drawn = [backoff.wait_s(3, 2.0, rng) for _ in range(1000)]
    assert lowest <= min(drawn) <= lowest + 0.1
    assert highest - 0.1 <= max(drawn) <= highest


@given(
    jitter=st.sampled_from(list(Jitter)),
    base_s=st.floats(0, 10),
    cap_s=st.floats(0, 100),
    failures=st.integers(1, 10_000),
    before_s=st.floats(0, 100),
)
def test_no_wait_is_over_the_cap_or_below_zero(jitter, base_s, cap_s, failures, before_s):
    wait_s = Backoff(base_s, cap_s, jitter).wait_s(failures, before_s, random.Random(1))
    assert 0 <= wait_s <= cap_s


def test_chance_is_the_modules_own_which_python_seeds_anew_in_a_forked_process():
    assert retry()._rules.rng is random


@pytest.mark.parametrize(
    "asks",
    [
        {"retry_after_s": 30},
        {"retry_after": "30"},
        {"retry_after": timedelta(seconds=30)},
        {"retry_after": datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC)},
        {"headers": {"Retry-After": "Thu, 01 Jan 2026 00:00:30 GMT"}},
        {"response": SimpleNamespace(headers={"retry-after": "30"})},
    ],
    ids=["seconds", "text", "timedelta", "moment", "date", "response"],
)
def test_the_wait_that_an_error_asks_for_is_kept_in_any_form(fake_clock, asks):
    error = ConnectionError("busy")
    vars(error).update(asks)
    policy = retry(base_s=0, cap_s=5, clock=fake_clock)
    assert waits(fake_clock, policy, [error]) == [30]


def test_who_was_told_the_same_moment_does_not_come_at_the_same_moment(fake_clock):
    policy = retry(base_s=2, rng=random.Random(3), clock=fake_clock, on=(RateLimited,), attempts=50)
    slept_s = waits(fake_clock, policy, [RateLimited("slow", retry_after_s=30)] * 49)
    assert 30 <= min(slept_s) < 30.5
    assert 31.5 < max(slept_s) <= 32


def test_who_is_asked_to_wait_too_long_gives_up_at_once(fake_clock):
    fn = Flaky(RateLimited("closed", retry_after_s=3600))
    with pytest.raises(RateLimited):
        retry(on=(RateLimited,), clock=fake_clock).call_sync(fn.call)
    assert (fn.calls, fake_clock.slept_s) == (1, [])


@pytest.mark.parametrize("nonsense", ["soon", "", "nan", "-5", object(), float("inf")])
def test_a_wait_that_means_nothing_is_not_kept(nonsense):
    assert not parse_retry_after(nonsense, lambda: datetime(2026, 1, 1, tzinfo=UTC))


async def test_cancellation_during_the_wait_ends_the_retrying(fake_clock):
    fn = Flaky(ConnectionError())
    task = asyncio.ensure_future(retry(base_s=10, jitter="none", clock=fake_clock).call(fn))
    await fake_clock.advance(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as cancelled:
        await task
    assert fn.calls == 1
    assert isinstance(cancelled.value.__context__, ConnectionError)


@pytest.mark.parametrize("numbers", [{"attempts": 0}, {"base_s": -1}, {"cap_s": -1}, {"jitter": "some"}])
def test_numbers_that_mean_nothing_are_refused(numbers):
    with pytest.raises(ValueError):
        retry(**numbers)


def test_a_retry_without_any_end_is_refused():
    with pytest.raises(ValueError, match="for ever"):
        retry(attempts=None)


def test_each_kind_of_error_has_its_own_backoff_and_patience(fake_clock):
    policy = retry(
        attempts=9,
        on={
            OSError: Backoff(base_s=1, jitter="none"),
            ConnectionRefusedError: Backoff(base_s=5, jitter="none", attempts=2),
        },
        clock=fake_clock,
    )
    errors = [TimeoutError(), ConnectionRefusedError(), TimeoutError(), ConnectionRefusedError("last")]
    with pytest.raises(ConnectionRefusedError, match="last") as caught:
        policy.call_sync(Flaky(*errors).call)
    assert fake_clock.slept_s == [1, 5, 2]
    assert "failed 2 times in this way" in caught.value.__notes__[0]


def test_a_function_decides_whether_and_when(fake_clock):
    policy = retry(on=lambda error: 7 if "later" in str(error) else "again" in str(error), base_s=0, clock=fake_clock)
    fn = Flaky(ValueError("later"), ValueError("again"), ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        policy.call_sync(fn.call)
    assert fake_clock.slept_s == [7, 0]


async def test_results_are_tried_again_and_the_last_one_is_given(fake_clock):
    answers = iter([503, 503, 503, 200])

    async def fetch():
        return next(answers)

    policy = retry(attempts=3, base_s=1, jitter="none", on_result=lambda status: status == 503, clock=fake_clock)
    assert await run_with_time(fake_clock, policy.call(fetch)) == 503
    assert await policy.call(fetch) == 200


def test_no_attempt_begins_after_the_time_for_all_of_them(fake_clock):
    fn = Flaky(*[ConnectionError()] * 99)
    policy = retry(attempts=None, max_elapsed_s=10, base_s=4, cap_s=4, jitter="none", clock=fake_clock)
    with pytest.raises(ConnectionError) as caught:
        policy.call_sync(fn.call)
    assert (fn.calls, fake_clock.monotonic()) == (3, 8)
    assert caught.value.__notes__ == ["retry gave up after 3 attempts: 8 s are spent, of 10 s"]


def test_callers_share_a_budget_that_successes_fill_again(fake_clock):
    budget = RetryBudget(tokens=2, ratio=0.5, name="payments")
    policy, other = (retry(attempts=2, base_s=0, budget=budget, clock=fake_clock) for _ in range(2))
    for one in (policy, other):
        assert one.call_sync(Flaky(ConnectionError()).call) == "done"
    assert budget.tokens_left == 1.5 - 0.5 + 0.0
    exhausted = Flaky(ConnectionError(), ConnectionError(), ConnectionError())
    for _ in range(2):
        with pytest.raises(ConnectionError):
            policy.call_sync(exhausted.call)
    assert exhausted.calls == 3
    assert budget.refused == 1


def test_a_group_is_retried_when_each_error_in_it_may_be(fake_clock):
    passing = ExceptionGroup("both", [ConnectionError(), ExceptionGroup("one", [TimeoutError()])])
    assert retry(base_s=0, clock=fake_clock).call_sync(Flaky(passing).call) == "done"
    mixed = Flaky(ExceptionGroup("both", [ConnectionError(), ValueError()]))
    with pytest.raises(ExceptionGroup):
        retry(base_s=0, clock=fake_clock).call_sync(mixed.call)
    assert mixed.calls == 1


def test_the_last_error_keeps_its_traceback_and_says_how_often(fake_clock):
    with pytest.raises(ConnectionError) as caught:
        retry(name="stock", base_s=0, clock=fake_clock).call_sync(Flaky(*[ConnectionError() for _ in range(3)]).call)
    assert caught.traceback[-1].name == "call"
    assert caught.value.__notes__ == ["retry 'stock' gave up after 3 attempts: no attempts left"]
    assert caught.value.__context__ is None


def test_a_block_is_retried_in_plain_code(fake_clock):
    fn, seen = Flaky(ConnectionError(), ConnectionError()), []
    for attempt in retry(base_s=1, jitter="none", clock=fake_clock).attempts():
        with attempt:
            seen.append(attempt.number)
            fn.call()
    assert seen == [1, 2, 3]
    assert fake_clock.slept_s == [1, 2]


async def test_a_block_is_retried_in_async_code(fake_clock):
    fn, seen = Flaky(ConnectionError()), []
    async for attempt in retry(base_s=0, clock=fake_clock).attempts():
        async with attempt:
            seen.append(attempt.number)
            await fn()
    assert seen == [1, 2]


def test_a_block_that_never_succeeds_raises_its_last_error(fake_clock):
    with pytest.raises(ConnectionError, match="c"):
        for attempt in retry(base_s=0, clock=fake_clock).attempts():
            with attempt:
                raise ConnectionError("abc"[attempt.number - 1])


def test_a_loop_that_guards_nothing_says_so(fake_clock):
    with pytest.raises(TypeError, match="with attempt"):
        for _ in retry(clock=fake_clock).attempts():
            pass


def test_listeners_hear_of_waits_giving_up_and_recovery(fake_clock):
    heard = []
    policy = retry(attempts=2, base_s=3, jitter="none", clock=fake_clock)
    policy.add_listener(heard.append)
    policy.call_sync(Flaky(ConnectionError()).call)
    with contextlib.suppress(ConnectionError):
        policy.call_sync(Flaky(ConnectionError(), ConnectionError()).call)
    assert [event.what for event in heard] == ["retried", "recovered", "retried", "gave_up"]
    assert heard[0].detail == {"attempt": 1, "wait_s": 3}
    assert heard[3].detail == {"attempts": 2, "reason": "no attempts left"}
