"""Policies together: deadlines, the order of composition, and decoration."""

from __future__ import annotations

import asyncio
import inspect

import pytest

from holdfast.resilience import (
    BreakerOpen,
    DeadlineExceeded,
    breaker,
    bulkhead,
    listen,
    rate_limit,
    retry,
    timeout,
)


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
        await fake_clock.sleep(0.7)
        raise ConnectionError

    policy = timeout(2, clock=fake_clock) | retry(attempts=99, base_s=0.2, cap_s=0.2, jitter="none", clock=fake_clock)
    task = asyncio.ensure_future(policy.call(fail))
    await fake_clock.advance(2)
    with pytest.raises(DeadlineExceeded):
        await task


async def test_a_retry_does_not_wait_for_what_the_deadline_would_end(fake_clock):
    async def fail():
        raise ConnectionError

    policy = timeout(2, name="page", clock=fake_clock) | retry(attempts=99, base_s=5, jitter="none", clock=fake_clock)
    with pytest.raises(ConnectionError):
        await policy.call(fail)
    assert fake_clock.monotonic() == 0


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


def test_a_plain_function_is_guarded_by_the_same_policies(fake_clock):
    calls = []

    @retry(attempts=3, base_s=1, jitter="none", clock=fake_clock) | bulkhead(1) | timeout(5)
    def fetch(sku: str) -> str:
        """Fetch a price."""
        calls.append(sku)
        if len(calls) < 3:
            raise ConnectionError
        return "9.99"

    assert fetch("A-1") == "9.99"
    assert calls == ["A-1"] * 3
    assert fake_clock.slept_s == [1, 2]
    assert (fetch.__name__, fetch.__doc__) == ("fetch", "Fetch a price.")


def test_an_async_function_called_as_a_plain_one_is_refused():
    async def fetch(): ...

    with pytest.raises(TypeError, match="is async"):
        retry().call_sync(fetch)


async def test_an_object_with_an_async_call_is_decorated_as_async(fake_clock):
    class Fetch:
        tries = 0

        async def __call__(self):
            self.tries += 1
            if self.tries == 1:
                raise ConnectionError
            return self.tries

    fetch = retry(base_s=0, clock=fake_clock)(Fetch())
    assert inspect.iscoroutinefunction(fetch)
    assert await fetch() == 2


def items():
    yield 1


async def items_async():
    yield 1


@pytest.mark.parametrize("fn", [items, items_async])
def test_generators_are_refused_with_the_way_out(fn):
    with pytest.raises(TypeError, match=r"is a generator.*attempts\(\)"):
        retry()(fn)


@pytest.mark.parametrize("fn", [42, int, classmethod(items)])
def test_what_is_no_function_is_refused(fn):
    with pytest.raises(TypeError):
        retry()(fn)


def test_listeners_of_a_policy_and_of_the_process_hear_of_retries(fake_clock):
    near, far = [], []
    policy = retry(name="prices", attempts=2, base_s=1, jitter="none", clock=fake_clock)
    (policy | bulkhead(1)).add_listener(near.append)
    stop = listen(far.append)
    fault = ConnectionError("down")

    def fail():
        raise fault

    try:
        with pytest.raises(ConnectionError):
            policy.call_sync(fail)
    finally:
        stop()
    event = near[0]
    assert (event.kind, event.name, event.what, event.error) == ("retry", "prices", "retried", fault)
    assert event.detail == {"attempt": 1, "wait_s": 1}
    assert far == near


def test_a_listener_that_fails_does_not_fail_the_call(fake_clock, caplog):
    policy = retry(attempts=2, base_s=0, clock=fake_clock)
    policy.add_listener(lambda event: 1 / 0)
    answers = iter([ConnectionError(), None])

    def answer():
        if error := next(answers):
            raise error
        return "up"

    assert policy.call_sync(answer) == "up"
    assert "a listener failed on retried" in caplog.text


def test_a_composition_reads_as_it_was_written():
    assert repr(timeout(1) | bulkhead(2)) == "Timeout(seconds=1) | Bulkhead(limit=2, queue=0)"
