"""Bulkheads: how many run, how many wait, and that no place is ever lost."""

from __future__ import annotations

import asyncio
import threading

import pytest

from holdfast.resilience import BulkheadFull, bulkhead


async def test_no_more_calls_run_at_once_than_allowed(fake_clock):
    wall = bulkhead(2, queue=10)
    tasks = [asyncio.ensure_future(wall.call(fake_clock.sleep, 1)) for _ in range(6)]
    await fake_clock.advance(0)
    assert (wall.running, wall.waiting, fake_clock.sleeping) == (2, 4, 2)
    await fake_clock.advance(3)
    await asyncio.gather(*tasks)
    assert (wall.running, wall.waiting) == (0, 0)


async def test_a_full_queue_refuses_at_once(fake_clock):
    wall = bulkhead(1, queue=1)
    tasks = [asyncio.ensure_future(wall.call(fake_clock.sleep, 1)) for _ in range(2)]
    await fake_clock.advance(0)
    with pytest.raises(BulkheadFull, match="1 calls are running and 1 waiting"):
        await wall.call(fake_clock.sleep, 1)
    await fake_clock.advance(2)
    await asyncio.gather(*tasks)


async def test_who_waits_longest_goes_first(fake_clock):
    wall = bulkhead(1, queue=5)
    order = []

    async def work(name):
        order.append(name)
        await fake_clock.sleep(1)

    tasks = [asyncio.ensure_future(wall.call(work, name)) for name in "abcd"]
    await fake_clock.advance(10)
    await asyncio.gather(*tasks)
    assert order == list("abcd")


async def test_who_gives_up_waiting_leaves_no_hole(fake_clock):
    wall = bulkhead(1, queue=2)
    tasks = [asyncio.ensure_future(wall.call(fake_clock.sleep, 1)) for _ in range(3)]
    await fake_clock.advance(0)
    tasks[1].cancel()
    await fake_clock.advance(0)
    assert wall.waiting == 1
    await fake_clock.advance(5)
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (wall.running, wall.waiting) == (0, 0)


async def test_a_place_handed_over_at_the_moment_of_cancellation_is_passed_on(fake_clock):
    wall = bulkhead(1, queue=2)
    tasks = [asyncio.ensure_future(wall.call(fake_clock.sleep, 1)) for _ in range(3)]
    await fake_clock.advance(0)
    wall._waiting[0]._given.add_done_callback(lambda _: tasks[1].cancel())
    await fake_clock.advance(5)
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert results[2] is None
    assert (wall.running, wall.waiting) == (0, 0)


async def test_a_call_that_fails_gives_its_place_back():
    wall = bulkhead(1)

    async def fail():
        raise ValueError("no")

    for _ in range(3):
        with pytest.raises(ValueError, match="no"):
            await wall.call(fail)
    assert wall.running == 0


@pytest.mark.parametrize(("limit", "queue"), [(0, 0), (1, -1)])
def test_sizes_that_mean_nothing_are_refused(limit, queue):
    with pytest.raises(ValueError):
        bulkhead(limit, queue=queue)


def test_threads_wait_in_the_same_queue():
    wall = bulkhead(1, queue=1)
    inside, leave = threading.Event(), threading.Event()

    def hold():
        inside.set()
        leave.wait(30)

    holder = threading.Thread(target=wall.call_sync, args=(hold,))
    holder.start()
    inside.wait(30)
    waiter = threading.Thread(target=wall.call_sync, args=(lambda: None,))
    waiter.start()
    while not wall.waiting:
        threading.Event().wait(0.001)
    with pytest.raises(BulkheadFull):
        wall.call_sync(hold)
    leave.set()
    holder.join(30)
    waiter.join(30)
    assert (wall.running, wall.waiting) == (0, 0)
