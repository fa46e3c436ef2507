"""Pools of workers and of resources: bounded, fair, and ended with grace."""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
import time

import pytest

from holdfast.resilience.concurrency import (
    AsyncResourcePool,
    PoolClosed,
    PoolExhausted,
    ResourcePool,
    cpu_pool,
    io_pool,
)

LONG_S = 30.0
SHOP: contextvars.ContextVar[str] = contextvars.ContextVar("shop")


async def test_work_runs_side_by_side_and_no_more_at_once_than_there_are_workers():
    guard, running, most, both = threading.Lock(), 0, 0, threading.Barrier(2)

    def work(number):
        nonlocal running, most
        with guard:
            running += 1
            most = max(most, running)
        both.wait(LONG_S)
        with guard:
            running -= 1
        return number * 2

    async with io_pool(2) as pool:
        assert await asyncio.gather(*(pool.run(work, number) for number in range(6))) == [0, 2, 4, 6, 8, 10]
    assert most == 2


async def test_errors_and_context_go_through():
    SHOP.set("tea")
    async with io_pool(1) as pool:
        assert await pool.run(SHOP.get) == "tea"
        with pytest.raises(ZeroDivisionError):
            await pool.run(lambda: 1 // 0)


async def test_who_brings_work_to_a_full_pool_waits_its_turn():
    go_on = threading.Event()
    async with io_pool(1, queue=1) as pool:
        first = [await pool.start(go_on.wait, LONG_S) for _ in range(2)]
        third = asyncio.ensure_future(pool.run(lambda: "third"))
        await asyncio.sleep(0)
        assert (pool.under_way, pool.waiting) == (2, 1)
        go_on.set()
        assert await third == "third"
        await asyncio.gather(*first)


async def test_a_caller_that_gives_up_waiting_takes_no_place_along():
    go_on = threading.Event()
    async with io_pool(1, queue=0) as pool:
        first = await pool.start(go_on.wait, LONG_S)
        gone = asyncio.ensure_future(pool.run(lambda: "never"))
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        go_on.set()
        await first
        assert await pool.run(lambda: "next") == "next"


def test_an_ended_pool_finishes_what_is_under_way_and_takes_no_more():
    pool, done = io_pool(1), []
    for number in range(3):
        pool.submit(done.append, number)
    assert pool.close() == 0
    assert done == [0, 1, 2]
    with pytest.raises(PoolClosed):
        pool.submit(done.append, 3)


def test_what_is_not_finished_in_the_time_of_grace_is_dropped_and_counted():
    pool, go_on = io_pool(1), threading.Event()
    running, queued = pool.submit(go_on.wait, LONG_S), pool.submit(go_on.wait, LONG_S)
    assert pool.close(grace_s=0) == 2
    assert queued.cancelled()
    go_on.set()
    assert running.result(LONG_S)


def test_processes_compute_and_are_killed_when_they_do_not_end():
    pool = cpu_pool(1)
    assert pool.run_sync(os.getpid) != os.getpid()
    pid = pool.run_sync(os.getpid)
    endless, ended = pool.submit(time.sleep, 600), threading.Event()
    endless.add_done_callback(lambda _: ended.set())
    assert pool.close(grace_s=0) == 1
    assert ended.wait(LONG_S)
    assert endless.cancelled() or endless.exception(0) is not None
    with pytest.raises(ProcessLookupError):
        for _ in range(3_000):
            os.kill(pid, 0)
            time.sleep(0.01)


class Makes:
    """Makes numbers, and remembers which were closed."""

    def __init__(self):
        self.made, self.closed, self.broken = 0, [], set()

    def make(self):
        self.made += 1
        return self.made

    def pool(self, kind, clock, **options):
        return kind(self.make, close=self.closed.append, check=lambda it: it not in self.broken, clock=clock, **options)


async def test_a_resource_is_used_again_until_it_is_old_idle_broken_or_fails_its_check(fake_clock):
    makes = Makes()
    pool = makes.pool(AsyncResourcePool, fake_clock, size=2, max_age_s=100, max_idle_s=10)
    for reason in ("again", "idle", "check", "broken", "error", "old"):
        async with pool.lease() as lease:
            current = lease.resource
        if reason == "idle":
            await fake_clock.advance(10)
        elif reason == "check":
            makes.broken.add(current)
        elif reason == "broken":
            async with pool.lease() as lease:
                lease.is_broken = True
        elif reason == "error":
            with pytest.raises(ZeroDivisionError):
                async with pool.lease():
                    raise ZeroDivisionError
        elif reason == "old":
            for _ in range(20):
                async with pool.lease():
                    await fake_clock.advance(5)
    assert makes.closed == [1, 2, 3, 4, 5]
    assert (makes.made, pool.idle) == (5, 0)


async def test_tasks_are_served_in_turn_and_never_more_than_the_size(fake_clock):
    pool, order, lent = Makes().pool(AsyncResourcePool, fake_clock, size=1), [], 0

    async def use(number):
        nonlocal lent
        async with pool.lease():
            lent += 1
            assert lent == 1
            order.append(number)
            await asyncio.sleep(0)
            lent -= 1

    await asyncio.gather(*(use(number) for number in range(5)))
    assert order == [0, 1, 2, 3, 4]


async def test_a_task_that_stops_waiting_blocks_nobody(fake_clock):
    pool = Makes().pool(AsyncResourcePool, fake_clock, size=1)

    async def use():
        async with pool.lease() as lease:
            return lease.resource

    async with pool.lease():
        waiting = [asyncio.ensure_future(use()) for _ in range(2)]
        await asyncio.sleep(0)
        waiting[0].cancel()
    assert await waiting[1] == 1


async def test_a_make_that_fails_gives_its_place_back(fake_clock):
    ways = iter([ZeroDivisionError, None])

    def make():
        if (error := next(ways)) is not None:
            raise error
        return "resource"

    pool = AsyncResourcePool(make, size=1, clock=fake_clock)
    with pytest.raises(ZeroDivisionError):
        async with pool.lease():
            pass
    async with pool.lease() as lease:
        assert lease.resource == "resource"


async def test_makers_and_checkers_may_be_async(fake_clock):
    closed = []

    async def make():
        return "resource"

    async def check(_):
        return False

    async def close(it):
        closed.append(it)

    pool = AsyncResourcePool(make, size=1, close=close, check=check, clock=fake_clock)
    for _ in range(2):
        async with pool.lease():
            pass
    await pool.aclose()
    assert closed == ["resource", "resource"]


def test_threads_wait_for_a_resource_as_long_as_they_may(fake_clock):
    makes = Makes()
    pool = makes.pool(ResourcePool, fake_clock, size=1)
    with pool.lease(), pytest.raises(PoolExhausted, match="0 s"), pool.lease(wait_s=0):
        raise AssertionError("not reached")
    used = []

    def use():
        with pool.lease(wait_s=LONG_S) as lease:
            used.append(lease.resource)

    threads = [threading.Thread(target=use) for _ in range(4)]
    with pool.lease():
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join(LONG_S)
    assert used == [1] * 4
    pool.close()
    assert makes.closed == [1]
    with pytest.raises(PoolClosed), pool.lease():
        raise AssertionError("not reached")


@pytest.mark.parametrize("wrong", [{"size": 0}, {"size": 1, "max_age_s": 0}, {"size": 1, "max_idle_s": -1}])
def test_numbers_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValueError):
        ResourcePool(object, **wrong)
