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
    wall._places._lanes[0][0]._given.add_done_callback(lambda _: tasks[1].cancel())
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


async def test_who_waits_too_long_is_refused_and_leaves_no_hole(fake_clock):
    wall = bulkhead(1, queue=2, queue_timeout_s=3, clock=fake_clock)
    tasks = [asyncio.ensure_future(wall.call(fake_clock.sleep, 10)) for _ in range(2)]
    await fake_clock.advance(3)
    with pytest.raises(BulkheadFull, match="no place came within 3 s"):
        await tasks[1]
    assert (wall.running, wall.waiting) == (1, 0)
    await fake_clock.advance(7)
    await tasks[0]


def test_a_thread_that_waits_too_long_is_refused_too():
    wall = bulkhead(1, queue=1, queue_timeout_s=0.001)
    with wall, pytest.raises(BulkheadFull, match="no place came"):
        wall.call_sync(lambda: None)
    assert wall.is_idle


async def test_the_machines_own_clock_ends_the_waiting_too():
    wall = bulkhead(1, queue=1, queue_timeout_s=0.001)
    async with wall:
        with pytest.raises(BulkheadFull, match="no place came"):
            await wall.call(asyncio.sleep, 0)
    assert wall.is_idle


async def test_a_refusal_tells_what_the_first_in_the_queue_has_waited(fake_clock):
    wall = bulkhead(1, queue=1, clock=fake_clock)
    tasks = [asyncio.ensure_future(wall.call(fake_clock.sleep, 10)) for _ in range(2)]
    await fake_clock.advance(4)
    with pytest.raises(BulkheadFull) as refusal:
        await wall.call(fake_clock.sleep, 1)
    assert refusal.value.retry_after_s == 4
    await fake_clock.advance(20)
    await asyncio.gather(*tasks)


async def test_nobody_overtakes_those_who_wait(fake_clock):
    wall, order = bulkhead(2, queue=100, clock=fake_clock), []

    async def work(number):
        order.append(number)
        await fake_clock.sleep(number % 3 + 1)

    tasks = []
    for number in range(30):
        tasks.append(asyncio.ensure_future(wall.call(work, number)))
        await fake_clock.advance(0.25)
    await fake_clock.advance(60)
    await asyncio.gather(*tasks)
    assert order == list(range(30))


def test_tasks_of_two_loops_and_threads_hand_places_to_each_other():
    wall, most, running = bulkhead(2, queue=100), [0], [0]
    lock = threading.Lock()

    def note(change):
        with lock:
            running[0] += change
            most[0] = max(most[0], running[0])

    async def task():
        async with wall:
            note(1)
            await asyncio.sleep(0)
            note(-1)

    def thread():
        for _ in range(20):
            with wall:
                note(1)
                note(-1)

    async def loop():
        await asyncio.gather(*(task() for _ in range(20)))

    threads = [threading.Thread(target=work) for work in (thread, thread, lambda: asyncio.run(loop())) * 2]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert most[0] <= 2
    assert (wall.running, wall.waiting) == (0, 0)


def test_a_waiter_whose_loop_was_closed_does_not_take_the_place_with_it():
    wall = bulkhead(1, queue=5)
    loop = asyncio.new_event_loop()

    async def wait():
        await wall._places.enter_async()

    with wall:
        task = loop.create_task(wait())
        loop.run_until_complete(asyncio.sleep(0))
        assert wall.waiting == 1
        task._log_destroy_pending = False
        loop.close()
    assert wall.call_sync(lambda: "free") == "free"
    task.get_coro().close()
