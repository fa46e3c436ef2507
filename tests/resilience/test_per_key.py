"""A policy for each key: kept apart, bounded, and nothing that matters is forgotten."""

from __future__ import annotations

import asyncio

import pytest

from holdfast.resilience import BreakerOpen, BulkheadFull, breaker, bulkhead, per_key


def per_host(fake_clock, **how):
    return per_key(
        lambda host: breaker(name=f"host {host}", failures=1, clock=fake_clock), key=lambda host, **_: host, **how
    )


async def test_one_key_that_fails_does_not_close_the_others_off(fake_clock):
    @per_host(fake_clock)
    async def fetch(host, *, fails=False):
        if fails:
            raise ConnectionError
        return host

    with pytest.raises(ConnectionError):
        await fetch("a", fails=True)
    with pytest.raises(BreakerOpen, match="host a"):
        await fetch("a")
    assert await fetch("b") == "b"


def test_idle_keys_are_forgotten_and_the_table_stays_bounded(fake_clock):
    guard = per_host(fake_clock, max_keys=10)
    guard.of("sick").record_failure()
    for number in range(1000):
        assert guard.of(number).allow()
    assert len(guard) == 10
    assert not guard.of("sick").allow()
    assert guard.overflowed == 0


def test_where_no_key_may_be_forgotten_further_ones_share_a_policy(fake_clock):
    guard, heard = per_host(fake_clock, max_keys=2), []
    guard.add_listener(heard.append)
    for host in "abcd":
        guard.of(host).record_failure()
    assert guard.of("c") is guard.of("d")
    assert guard.of("c").name == "host *"
    assert len(guard) == 2
    assert guard.overflowed == 5
    assert {event.what for event in heard} == {"open", "overflowed"}


def test_plain_functions_have_keys_too(fake_clock):
    guard = per_host(fake_clock)
    with pytest.raises(ZeroDivisionError):
        guard.call_sync(lambda host: 1 // 0, "a")
    with pytest.raises(BreakerOpen):
        guard.call_sync(lambda host: host, "a")
    assert guard.call_sync(lambda host: host, "b") == "b"
    with pytest.raises(ValueError):
        per_host(fake_clock, max_keys=0)


async def test_a_key_with_calls_under_way_keeps_its_limit(fake_clock):
    wall = per_key(lambda _: bulkhead(1), key=lambda key, *_: key, max_keys=2)

    @wall
    async def work(key, seconds):
        await fake_clock.sleep(seconds)

    busy = asyncio.ensure_future(work("busy", 5))
    await fake_clock.advance(0)
    for number in range(20):
        await work(number, 0)
    with pytest.raises(BulkheadFull):
        await work("busy", 1)
    await fake_clock.advance(5)
    await busy
