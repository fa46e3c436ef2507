"""What a query may cost, and that it stops when nobody waits for it, on both kinds of store."""

from __future__ import annotations

import asyncio
import time

import pytest

from holdfast.kernel.errors import BusyError, InvalidError, LimitError, TimedOutError, UnavailableError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import QueryLimits

ENDLESS = "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1 AND {tenant:String} != ''"
RUNNING = (
    "SELECT count() AS n FROM system.processes WHERE query LIKE '%sipHash64(number) = 1%' "
    "AND query NOT LIKE '%system.processes%' AND {tenant:String} != ''"
)


async def ask(store, sql, **limits):
    given = {"timeout_s": 60, "memory_bytes": 2**30, "rows": 1000, "threads": 1} | limits
    return await store.query(sql, tenant=DEFAULT_TENANT, limits=QueryLimits(**given))


async def until_running(store, count):
    for _ in range(200):
        if (await ask(store, RUNNING))["n"].to_pylist() == [count]:
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"the engine does not run {count} of the queries")


async def test_a_query_that_takes_too_long_is_stopped(open_store, any_store_url):
    store = await open_store(any_store_url)
    started = time.monotonic()
    with pytest.raises(TimedOutError, match="took too long"):
        await ask(store, ENDLESS, timeout_s=0.2)
    assert time.monotonic() - started < 30
    await until_running(store, 0)


async def test_a_query_that_takes_too_much_memory_fails_alone(open_store, any_store_url):
    store = await open_store(any_store_url)
    greedy = "SELECT groupArray(number) FROM numbers(100000000) WHERE {tenant:String} != ''"
    with pytest.raises(LimitError, match="memory"):
        await ask(store, greedy, memory_bytes=10_000_000)
    assert (await ask(store, "SELECT 1 AS n, {tenant:String}"))["n"].to_pylist() == [1]


async def test_a_query_that_returns_too_many_bytes_fails_whole(open_store, any_store_url):
    store = await open_store(any_store_url)
    with pytest.raises(LimitError, match="query_size"):
        await ask(
            store,
            "SELECT repeat('x', 100000 + number) FROM numbers(100) WHERE {tenant:String} != ''",
            size_bytes=1_000_000,
        )


async def test_closing_the_store_stops_what_runs(open_store, any_store_url):
    store = await open_store(any_store_url)
    endless = asyncio.create_task(ask(store, ENDLESS))
    await until_running(store, 1)
    await asyncio.wait_for(store.close(), 60)
    with pytest.raises(UnavailableError, match="stopped"):
        await endless


async def test_nothing_of_a_failed_query_comes_with_the_next_one(open_store, any_store_url):
    store = await open_store(any_store_url, pool_size=1)
    failing = "SELECT 'secret', throwIf(number = 70000, 'told') FROM numbers(80000) WHERE {tenant:String} != ''"
    for number in range(5):
        with pytest.raises(InvalidError, match="told"):
            await ask(store, failing, rows=1_000_000)
        found = await ask(store, f"SELECT {number} AS n WHERE {{tenant:String}} != ''")
        assert found.to_pydict() == {"n": [number]}


async def test_a_query_that_returns_too_many_rows_fails_whole(open_store, any_store_url):
    store = await open_store(any_store_url)
    with pytest.raises(LimitError, match="rows"):
        await ask(store, "SELECT number FROM numbers(100000) WHERE {tenant:String} != ''", rows=1000)


async def test_cancelling_the_caller_stops_the_engine(open_store, any_store_url):
    store = await open_store(any_store_url)
    task = asyncio.create_task(ask(store, ENDLESS))
    await until_running(store, 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until_running(store, 0)


async def test_a_query_that_is_cancelled_before_its_turn_never_runs(open_store, any_store_url):
    store = await open_store(any_store_url, pool_size=1)
    first = asyncio.create_task(ask(store, ENDLESS))
    waiting = asyncio.create_task(ask(store, "SELECT throwIf({tenant:String} != '')"))
    await asyncio.sleep(0.05)
    for task in (waiting, first):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await until_running(store, 0)


async def test_more_queries_than_may_wait_are_refused(open_store, any_store_url):
    store = await open_store(any_store_url, pool_size=1, queue_queries=2)
    tasks = [asyncio.create_task(ask(store, ENDLESS, timeout_s=0.3)) for _ in range(3)]
    await asyncio.sleep(0.05)
    with pytest.raises(BusyError, match="pool_size"):
        await ask(store, "SELECT {tenant:String}")
    assert all(isinstance(answer, TimedOutError) for answer in await asyncio.gather(*tasks, return_exceptions=True))


async def test_a_slow_query_does_not_hold_up_others(open_store, any_store_url):
    store = await open_store(any_store_url, pool_size=2)
    slow = asyncio.create_task(ask(store, ENDLESS))
    answers = await asyncio.gather(*(ask(store, f"SELECT {n} AS n, {{tenant:String}}") for n in range(20)))
    assert [answer["n"].to_pylist() for answer in answers] == [[n] for n in range(20)]
    assert not slow.done()
    slow.cancel()
    await asyncio.gather(slow, return_exceptions=True)
