"""Rate limits as policies: refuse or wait, for whom, at what cost, in which order, shared by whom."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from holdfast.resilience import RateLimited, lone_buckets, rate_limit
from holdfast.resilience.testing import FakeClock


async def test_who_may_wait_goes_in_order_of_arrival_and_on_time(fake_clock):
    limit, went = rate_limit(rate=2, burst=1, max_wait_s=10, clock=fake_clock), []

    @limit
    async def work(name):
        went.append((name, fake_clock.monotonic()))

    tasks = [asyncio.ensure_future(work(name)) for name in "abcd"]
    await fake_clock.advance(5)
    await asyncio.gather(*tasks)
    assert went == [("a", 0), ("b", 0.5), ("c", 1.0), ("d", 1.5)]


async def test_who_would_wait_too_long_is_refused_and_takes_nothing(fake_clock):
    limit = rate_limit(rate=1, max_wait_s=1, name="mail", clock=fake_clock)
    tasks = [asyncio.ensure_future(limit.acquire_async()) for _ in range(3)]
    await fake_clock.advance(0)
    with pytest.raises(RateLimited) as refusal:
        await tasks[2]
    assert (refusal.value.policy, refusal.value.retry_after_s) == ("mail", 2)
    await fake_clock.advance(1)
    await asyncio.gather(*tasks[:2])
    assert limit.reserve().wait_s == 1


async def test_who_is_cancelled_while_waiting_gives_it_back(fake_clock):
    limit = rate_limit(rate=1, max_wait_s=10, clock=fake_clock)
    limit.acquire()
    task = asyncio.ensure_future(limit.acquire_async())
    await fake_clock.advance(0.5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert limit.try_acquire() == pytest.approx(0.5)


@pytest.mark.parametrize("algorithm", ["gcra", "token_bucket", "sliding_window"])
async def test_every_algorithm_waits_and_refuses_for_tasks_and_for_threads(algorithm, fake_clock):
    limit = rate_limit(rate=2, burst=2, algorithm=algorithm, max_wait_s=0.5, clock=fake_clock)
    begun_s = fake_clock.monotonic()
    for _ in range(3 if algorithm != "sliding_window" else 2):
        limit.call_sync(lambda: None)
    assert fake_clock.monotonic() - begun_s <= 0.5
    with pytest.raises(RateLimited):
        await limit.reserve_async(cost=2, max_wait_s=0.4)


async def test_each_key_and_each_cost_is_of_the_arguments(fake_clock):
    limit = rate_limit(rate=1, burst=10, key=lambda who, _: who, cost=lambda _, size: size, clock=fake_clock)

    @limit
    async def send(who, size):
        return size

    assert [await send("a", 6), await send("b", 10), await send("a", 4)] == [6, 10, 4]
    with pytest.raises(RateLimited, match="of 'a'") as refusal:
        await send("a", 1)
    assert refusal.value.retry_after_s == 1
    with pytest.raises(ValueError, match="never be admitted"):
        await send("a", 11)


async def test_blocks_take_of_a_key(fake_clock):
    limit = rate_limit(rate=1, burst=3, clock=fake_clock)
    async with limit.of("a", cost=2):
        pass
    with limit.of("a"), limit.of("b"):
        pass
    with pytest.raises(RateLimited), limit.of("a"):
        raise AssertionError("not reached")
    async with limit:
        pass
    assert await limit.of("b").call(asyncio.sleep, 0, "b") == "b"
    assert limit.of("b").call_sync(lambda: "b") == "b"


def test_a_reservation_can_be_given_back(fake_clock):
    limit = rate_limit(rate=1, burst=1, clock=fake_clock)
    first, second = limit.reserve(), limit.reserve()
    assert (first.wait_s, second.wait_s) == (0, 1)
    second.give_back()
    assert limit.reserve().wait_s == 1
    with pytest.raises(RateLimited):
        limit.reserve(max_wait_s=1)


def test_threads_never_take_more_than_there_is():
    limit, taken = rate_limit(rate=0.001, burst=50), []

    def work():
        for _ in range(100):
            if limit.try_acquire() == 0:
                taken.append(1)  # noqa: PERF401 -- threads share the list

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(taken) == 50


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # from Python 3.12 on, where threads run
def test_a_forked_child_can_take_though_the_lock_was_held_at_the_fork():
    limit = rate_limit(rate=1, burst=5)
    with limit._lone._lock:
        child = os.fork()
        if child == 0:
            os._exit(0 if limit.try_acquire() == 0 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


async def test_limits_of_one_name_share_through_a_store(limiter_store, fake_clock):
    here, there = (rate_limit(rate=1, burst=3, name="api", store=limiter_store, clock=fake_clock) for _ in range(2))
    assert await here.try_acquire_async() == 0
    assert await there.try_acquire_async(cost=2) == 0
    assert await here.try_acquire_async() > 0
    assert there.try_acquire("other key") == 0
    with pytest.raises(RateLimited):
        await here.call(asyncio.sleep, 0)
    reservation = await there.reserve_async()
    assert reservation.wait_s == pytest.approx(1, abs=0.01)
    await reservation.give_back_async()
    assert (await here.reserve_async()).wait_s == pytest.approx(1, abs=0.01)


def test_refusals_are_heard(fake_clock):
    limit, heard = rate_limit(rate=1, name="api", clock=fake_clock), []
    limit.add_listener(heard.append)
    for _ in range(2):
        with contextlib.suppress(RateLimited):
            limit.acquire("a")
    assert [(event.what, event.detail) for event in heard] == [("refused", {"wait_s": 1.0, "key": "a"})]


@pytest.mark.parametrize(
    "numbers",
    [{"max_wait_s": -1}, {"cost": 0}, {"cost": 2}, {"max_keys": 0}, {"store": object()}, {"algorithm": "fixed"}],
)
def test_numbers_that_mean_nothing_are_refused(numbers):
    with pytest.raises(ValueError):
        rate_limit(**{"rate": 1, "clock": FakeClock()} | numbers)


@pytest.mark.parametrize("is_lock_free", [True, False])
def test_threads_that_call_and_ask_at_once_never_share_a_token(monkeypatch, is_lock_free):
    monkeypatch.setattr(lone_buckets, "is_gil_held", lambda: is_lock_free)
    limit = rate_limit(rate=1e-6, burst=3000)
    passed = limit(lambda: True)

    def call() -> int:
        count = 0
        for _ in range(600):
            with contextlib.suppress(RateLimited):
                count += passed()
            count += limit.try_acquire() == 0
        return count

    before_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as threads:
            assert sum(one.result() for one in [threads.submit(call) for _ in range(8)]) == 3000
    finally:
        sys.setswitchinterval(before_s)
