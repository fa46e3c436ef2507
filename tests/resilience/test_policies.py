"""Policies together: deadlines, the order of composition, and decoration."""

from __future__ import annotations

import asyncio

import pytest

from holdfast.resilience import (
    BreakerOpen,
    DeadlineExceeded,
    breaker,
    bulkhead,
    rate_limit,
    retry,
    timeout,
)


async def test_a_call_within_its_time_answers(fake_clock):
    async def answer(value, *, twice):
        return value * twice

    assert await timeout(1, clock=fake_clock).call(answer, 21, twice=2) == 42


async def test_a_call_over_its_time_is_cancelled(fake_clock):
    seen = []

    async def hang():
        try:
            await fake_clock.sleep(60)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    task = asyncio.ensure_future(timeout(2, clock=fake_clock).call(hang))
    await fake_clock.advance(1.9)
    assert not task.done()
    await fake_clock.advance(0.1)
    with pytest.raises(DeadlineExceeded, match="not finished within 2 s"):
        await task
    assert seen == ["cancelled"]


async def test_the_machines_own_clock_ends_a_call_too():
    with pytest.raises(DeadlineExceeded):
        await timeout(0.001).call(asyncio.sleep, 60)


async def test_a_timeout_error_of_the_call_itself_is_not_called_a_deadline():
    async def fail():
        raise TimeoutError("theirs")

    with pytest.raises(TimeoutError, match="theirs") as caught:
        await timeout(1).call(fail)
    assert not isinstance(caught.value, DeadlineExceeded)


async def test_cancelling_the_caller_is_not_called_a_deadline(fake_clock):
    task = asyncio.ensure_future(timeout(5, clock=fake_clock).call(fake_clock.sleep, 60))
    await fake_clock.advance(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_retry_outside_timeout_gives_each_attempt_its_own_time(fake_clock):
    calls = []

    async def hang():
        calls.append(fake_clock.monotonic())
        await fake_clock.sleep(60)

    policy = retry(attempts=3, base_s=1, jitter="none", clock=fake_clock) | timeout(2, clock=fake_clock)
    task = asyncio.ensure_future(policy.call(hang))
    await fake_clock.advance(30)
    with pytest.raises(DeadlineExceeded):
        await task
    assert calls == [0, 3, 7]


async def test_timeout_outside_retry_gives_all_attempts_one_time(fake_clock):
    async def fail():
        raise ConnectionError

    policy = timeout(2, clock=fake_clock) | retry(attempts=99, base_s=1, jitter="none", clock=fake_clock)
    task = asyncio.ensure_future(policy.call(fail))
    await fake_clock.advance(2)
    with pytest.raises(DeadlineExceeded):
        await task


async def test_an_open_breaker_inside_a_retry_ends_it(fake_clock):
    calls = []

    @(
        retry(attempts=10, base_s=0, clock=fake_clock)
        | breaker(name="stock", failures=2, clock=fake_clock)
        | bulkhead(5)
        | rate_limit(rate=100, burst=100, clock=fake_clock)
        | timeout(1, clock=fake_clock)
    )
    async def fetch(sku):
        calls.append(sku)
        raise ConnectionError

    with pytest.raises(BreakerOpen):
        await fetch("A-1")
    assert calls == ["A-1", "A-1"]


async def test_decoration_keeps_the_name_of_the_function():
    @timeout(1)
    async def fetch_price():
        """Fetch a price."""

    assert (fetch_price.__name__, fetch_price.__doc__) == ("fetch_price", "Fetch a price.")


def test_decorating_a_plain_function_is_refused():
    def fetch(): ...

    with pytest.raises(TypeError, match="not an async function"):
        timeout(1)(fetch)


def test_a_composition_reads_as_it_was_written():
    assert repr(timeout(1) | bulkhead(2)) == "Timeout(seconds=1) | Bulkhead(limit=2, queue=0)"


def test_a_timeout_that_has_already_passed_is_refused():
    with pytest.raises(ValueError):
        timeout(0)
