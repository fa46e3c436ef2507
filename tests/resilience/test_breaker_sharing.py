"""Breakers of several processes that share a store: one opens, all refuse; one probes; the store may be away."""

from __future__ import annotations

import asyncio

import pytest

from holdfast.resilience import BreakerOpen, BreakerState, breaker


async def fail():
    raise ConnectionError("down")


async def answer():
    return "up"


@pytest.fixture
def pair(breaker_store, fake_clock):
    """Two breakers of one name, as two processes have them."""
    how = {"name": "payments", "failures": 2, "reset_s": 10, "store": breaker_store, "clock": fake_clock}
    return breaker(**how), breaker(**how)


async def probe_for(guard, seconds, clock):
    """Have `guard` make a call of `seconds`; give it once it is under way, however far the store is."""
    begun = asyncio.Event()

    async def last():
        begun.set()
        await clock.sleep(seconds)

    probe = asyncio.ensure_future(guard.call(last))
    await begun.wait()
    return probe


async def open_one(guard):
    for _ in range(2):
        with pytest.raises(ConnectionError):
            await guard.call(fail)


async def test_what_opens_in_one_process_is_open_in_the_other_after_its_next_look(pair, fake_clock):
    one, other = pair
    await other.call(answer)
    await open_one(one)
    await fake_clock.advance(1)
    with pytest.raises(BreakerOpen) as refusal:
        await other.call(answer)
    assert refusal.value.retry_after_s == pytest.approx(9, abs=0.1)


async def test_of_all_processes_one_probes_and_its_success_closes_for_all(pair, fake_clock):
    one, other = pair
    await open_one(one)
    await fake_clock.advance(1)
    with pytest.raises(BreakerOpen):
        await other.call(answer)
    await fake_clock.advance(9.5)
    probe = await probe_for(one, 2, fake_clock)
    with pytest.raises(BreakerOpen):
        await other.call(answer)
    await fake_clock.advance(2)
    await probe
    assert one.state is BreakerState.CLOSED
    await fake_clock.advance(1)
    assert await other.call(answer) == "up"
    assert other.state is BreakerState.CLOSED


async def test_a_probe_of_a_process_that_died_does_not_lock_the_others_out(pair, fake_clock):
    one, other = pair
    await open_one(one)
    await fake_clock.advance(10.5)
    lost = await probe_for(one, 1000, fake_clock)
    with pytest.raises(BreakerOpen):
        await other.call(answer)
    await fake_clock.advance(11)
    assert await other.call(answer) == "up"
    lost.cancel()
    await asyncio.gather(lost, return_exceptions=True)


async def test_isolated_by_hand_in_one_it_is_isolated_in_all_until_one_closes_it(pair, fake_clock):
    one, other = pair
    one.isolate()
    await one.share_async()
    with pytest.raises(BreakerOpen, match="isolated"):
        await other.call(answer)
    other.close()
    await other.share_async()
    await fake_clock.advance(1)
    assert await one.call(answer) == "up"


def test_plain_functions_share_too(pair, fake_clock):
    one, other = pair

    def break_down():
        raise ConnectionError

    for _ in range(2):
        with pytest.raises(ConnectionError):
            one.call_sync(break_down)
    with pytest.raises(BreakerOpen), other:
        raise AssertionError("not reached")


async def test_without_the_store_each_process_goes_by_what_it_knows(fake_clock):
    class Away:
        def __getattr__(self, verb):
            raise ConnectionError("no store")

    guard = breaker(name="payments", failures=2, reset_s=10, store=Away(), clock=fake_clock)
    heard = []
    guard.add_listener(heard.append)
    assert await guard.call(answer) == "up"
    await open_one(guard)
    with pytest.raises(BreakerOpen):
        await guard.call(answer)
    await fake_clock.advance(10)
    assert await guard.call(answer) == "up"
    assert "store_failed" in [event.what for event in heard]
