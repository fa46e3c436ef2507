"""One fetches, the others wait: tasks, threads, and what happens when the one fails, is cancelled or asks himself."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest

from holdfast.resilience import cache
from holdfast.resilience.single_flight import SingleFlight


async def test_many_who_ask_at_once_cause_one_fetch(fake_clock):
    fetched = []

    @cache(ttl_s=10, clock=fake_clock)
    async def look(sku):
        fetched.append(sku)
        await fake_clock.sleep(1)
        return sku

    asking = [asyncio.ensure_future(look("A")) for _ in range(50)]
    await fake_clock.advance(1)
    assert await asyncio.gather(*asking) == ["A"] * 50
    assert fetched == ["A"]


async def test_when_the_one_fails_those_who_waited_get_his_error_and_the_next_one_tries_again(fake_clock):
    fetched = []

    @cache(ttl_s=10, clock=fake_clock)
    async def look():
        fetched.append(1)
        await fake_clock.sleep(1)
        if len(fetched) == 1:
            raise ConnectionError("down")
        return "up"

    asking = [asyncio.ensure_future(look()) for _ in range(5)]
    await fake_clock.advance(1)
    errors = await asyncio.gather(*asking, return_exceptions=True)
    assert [str(error) for error in errors] == ["down"] * 5
    again = asyncio.ensure_future(look())
    await fake_clock.advance(1)
    assert await again == "up"


async def test_when_the_one_is_cancelled_another_takes_over(fake_clock):
    fetched = []

    @cache(ttl_s=10, clock=fake_clock)
    async def look():
        fetched.append(1)
        await fake_clock.sleep(1)
        return "answer"

    asking = [asyncio.ensure_future(look()) for _ in range(5)]
    await fake_clock.advance(0.5)
    asking[0].cancel()
    await fake_clock.advance(1)
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1:] == ["answer"] * 4
    assert len(fetched) == 2


async def test_one_who_waits_and_is_cancelled_harms_nobody(fake_clock):
    @cache(ttl_s=10, clock=fake_clock)
    async def look():
        await fake_clock.sleep(1)
        return "answer"

    asking = [asyncio.ensure_future(look()) for _ in range(3)]
    await fake_clock.advance(0.5)
    asking[1].cancel()
    await fake_clock.advance(1)
    assert (await asking[0], await asking[2]) == ("answer", "answer")


def test_threads_wait_for_one_another():
    fetched, let_go = [], threading.Event()
    prices = cache(ttl_s=10)

    @prices
    def look():
        fetched.append(1)
        let_go.wait(30)
        return "answer"

    answers = []
    threads = [threading.Thread(target=lambda: answers.append(look())) for _ in range(8)]
    for thread in threads:
        thread.start()
    while prices.statistics.waited < 7:
        threading.Event().wait(0.001)
    let_go.set()
    for thread in threads:
        thread.join(30)
    assert answers == ["answer"] * 8
    assert len(fetched) == 1


async def test_a_task_waits_for_a_thread_and_a_thread_for_a_task():
    flights, inside, let_go = SingleFlight(), threading.Event(), threading.Event()

    def fetch(_):
        inside.set()
        let_go.wait(30)
        return "from the thread"

    async def never(_):
        raise AssertionError("somebody fetches already")

    thread = asyncio.ensure_future(asyncio.to_thread(flights.run, "A", fetch))
    await asyncio.to_thread(inside.wait, 30)
    task = asyncio.ensure_future(flights.run_async("A", never))
    await asyncio.sleep(0)
    let_go.set()
    assert [await thread, await task] == ["from the thread"] * 2

    begun, end = asyncio.Event(), asyncio.Event()

    async def fetch_async(_):
        begun.set()
        await end.wait()
        return "from the task"

    task = asyncio.ensure_future(flights.run_async("B", fetch_async))
    await begun.wait()
    thread = asyncio.ensure_future(asyncio.to_thread(flights.run, "B", never))
    while flights.waited < 2:  # noqa: ASYNC110 -- a thread does it, which sets no event
        await asyncio.sleep(0)
    end.set()
    assert [await thread, await task] == ["from the task"] * 2


async def test_plain_code_in_the_loop_does_not_wait_for_a_task_that_it_stops():
    flights, begun, end = SingleFlight(), asyncio.Event(), asyncio.Event()

    async def fetch(_):
        begun.set()
        await end.wait()

    task = asyncio.ensure_future(flights.run_async("A", fetch))
    await begun.wait()
    assert flights.run("A", lambda _: "fetched beside it") == "fetched beside it"
    end.set()
    await task


async def test_a_fetch_that_asks_for_itself_is_refused_even_through_another_task():
    @cache(ttl_s=10)
    async def look(depth):
        return await asyncio.create_task(look(depth))

    with pytest.raises(RuntimeError, match="would wait for itself"):
        await look(1)


def test_a_fetch_may_ask_for_another_key():
    @cache(ttl_s=10)
    def add_up(number):
        return number + add_up(number - 1) if number else 0

    assert add_up(50) == 1275


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # from Python 3.12 on, where threads run
def test_a_forked_child_does_not_wait_for_a_fetch_of_its_parent():
    flights, inside, let_go = SingleFlight(), threading.Event(), threading.Event()

    def fetch(_):
        inside.set()
        let_go.wait(30)

    thread = threading.Thread(target=flights.run, args=("A", fetch))
    thread.start()
    inside.wait(30)
    child = os.fork()
    if child == 0:
        os._exit(0 if flights.run("A", lambda _: "own") == "own" else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    let_go.set()
    thread.join(30)


async def test_an_error_keeps_the_place_where_it_was_raised(fake_clock):
    @cache(ttl_s=10, clock=fake_clock)
    async def look():
        await fake_clock.sleep(1)
        raise ConnectionError("down")

    asking = [asyncio.ensure_future(look()) for _ in range(2)]
    await fake_clock.advance(1)
    for task in asking:
        with pytest.raises(ConnectionError) as caught:
            await task
        assert "look" in [entry.name for entry in caught.traceback]
