"""Hedges: when a second attempt starts, who wins, and what they refuse."""

from __future__ import annotations

import asyncio
import threading

import pytest

from holdfast.resilience import RetryBudget, hedge, idempotent, retry, timeout


class Slow:
    """Takes as many seconds as its plan says, one entry for each call."""

    def __init__(self, clock, *plan) -> None:
        self.clock = clock
        self.plan = list(plan)
        self.started = 0
        self.cancelled = 0

    async def fetch(self):
        mine = self.started
        self.started += 1
        planned = self.plan[mine]
        try:
            await self.clock.sleep(planned if isinstance(planned, int | float) else 1)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if isinstance(planned, Exception):
            raise planned
        return mine


async def race(clock, policy, slow, advance_s):
    task = asyncio.ensure_future(policy.call(slow.fetch))
    await clock.advance(advance_s)
    return task


async def test_a_quick_answer_is_asked_for_once(fake_clock):
    slow = Slow(fake_clock, 1)
    task = await race(fake_clock, hedge(after_s=2, idempotent=True, clock=fake_clock), slow, 1)
    assert (await task, slow.started) == (0, 1)


async def test_the_second_attempt_wins_and_the_first_is_cancelled(fake_clock):
    slow = Slow(fake_clock, 60, 1)
    task = await race(fake_clock, hedge(after_s=2, idempotent=True, clock=fake_clock), slow, 3)
    assert await task == 1
    await asyncio.sleep(0)
    assert slow.cancelled == 1


async def test_the_first_attempt_may_win_after_all(fake_clock):
    slow = Slow(fake_clock, 3, 60)
    task = await race(fake_clock, hedge(after_s=2, idempotent=True, clock=fake_clock), slow, 3)
    assert await task == 0
    await asyncio.sleep(0)
    assert slow.cancelled == 1


async def test_no_more_attempts_than_allowed_are_started(fake_clock):
    slow = Slow(fake_clock, 60, 60, 60, 60)
    task = await race(fake_clock, hedge(after_s=1, extra=2, idempotent=True, clock=fake_clock), slow, 60)
    assert (await task, slow.started) == (0, 3)


async def test_an_attempt_that_fails_leaves_the_other_running(fake_clock):
    slow = Slow(fake_clock, 5, ConnectionError("down"))
    task = await race(fake_clock, hedge(after_s=1, idempotent=True, clock=fake_clock), slow, 5)
    assert await task == 0


async def test_the_first_error_comes_through_when_all_fail(fake_clock):
    slow = Slow(fake_clock, 9, ConnectionError("second"))
    slow.plan[0] = ConnectionError("first")
    task = await race(fake_clock, hedge(after_s=0.5, idempotent=True, clock=fake_clock), slow, 5)
    with pytest.raises(ConnectionError, match="first"):
        await task


async def test_cancelling_the_caller_cancels_every_attempt(fake_clock):
    slow = Slow(fake_clock, 60, 60)
    task = await race(fake_clock, hedge(after_s=1, idempotent=True, clock=fake_clock), slow, 2)
    task.cancel()
    await fake_clock.advance(0)
    assert (task.cancelled(), slow.cancelled) == (True, 2)


async def test_the_delay_follows_the_tail_that_is_measured(fake_clock):
    policy = hedge(after_s=10, quantile=0.9, idempotent=True, clock=fake_clock)
    for seconds in range(20):
        task = await race(fake_clock, policy, Slow(fake_clock, seconds / 10), 2)
        await task
    assert policy.delay_s == pytest.approx(1.8)


async def test_the_budget_bounds_how_much_load_is_added(fake_clock):
    heard = []
    policy = hedge(after_s=1, idempotent=True, budget=RetryBudget(tokens=1, ratio=0.01), clock=fake_clock)
    policy.add_listener(heard.append)
    for _ in range(2):
        slow = Slow(fake_clock, 5, 5)
        await (await race(fake_clock, policy, slow, 6))
    assert [event.what for event in heard] == ["hedged", "refused"]
    assert slow.started == 1


def test_what_nobody_called_idempotent_is_refused_with_both_ways_out():
    async def pay(): ...

    with pytest.raises(TypeError, match=r"pay might be done twice.*@idempotent.*idempotent=True"):
        hedge(after_s=1)(pay)


async def test_the_mark_is_seen_through_other_policies_and_decorators(fake_clock):
    @idempotent
    async def read():
        return 1

    policy = hedge(after_s=1, clock=fake_clock) | retry(clock=fake_clock) | timeout(5, clock=fake_clock)
    assert await policy.call(read) == 1
    assert await hedge(after_s=1, clock=fake_clock)(timeout(5, clock=fake_clock)(read))() == 1


def test_plain_code_races_in_threads():
    hang, first = threading.Event(), threading.Lock()

    def read():
        if first.acquire(blocking=False):
            hang.wait(30)
            return "late"
        return "early"

    assert hedge(after_s=0.01, idempotent=True).call_sync(read) == "early"
    hang.set()


def test_errors_of_plain_code_come_through():
    with pytest.raises(ZeroDivisionError):
        hedge(after_s=30, idempotent=True).call_sync(lambda: 1 / 0)


@pytest.mark.parametrize("numbers", [{"after_s": -1}, {"after_s": 1, "extra": 0}, {"after_s": 1, "quantile": 95}])
def test_numbers_that_mean_nothing_are_refused(numbers):
    with pytest.raises(ValueError):
        hedge(**numbers)
