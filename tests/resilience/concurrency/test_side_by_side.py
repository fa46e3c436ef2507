"""The same done to many things: in order, a bounded number at a time, errors with their piece."""

from __future__ import annotations

import asyncio
import threading

import pytest

from holdfast.resilience.concurrency import (
    cpu_pool,
    feed,
    feed_sync,
    io_pool,
    map_csv,
    map_csv_async,
    map_each,
    map_each_async,
    map_files,
)

LONG_S = 30.0


def count_words(path):
    return len(path.read_text().split())


def add_prices(chunk):
    return sum(int(row["price"]) for row in chunk.rows)


@pytest.fixture
def pool():
    with io_pool(2) as pool:
        yield pool


@pytest.fixture
def prices(tmp_path):
    file = tmp_path / "prices.csv"
    file.write_text("item,price\n" + "".join(f"tea {n},{n}\n" for n in range(10)))
    return file


def test_files_are_read_in_order_and_one_that_is_missing_fails_alone(pool, tmp_path):
    files = [tmp_path / name for name in ("a.txt", "missing.txt", "c.txt")]
    files[0].write_text("one two")
    files[2].write_text("one two three")
    outcomes = list(map_files(count_words, files, pool))
    assert [it.item for it in outcomes] == files
    assert [it.value for it in outcomes] == [2, None, 3]
    assert [type(it.error) for it in outcomes] == [type(None), FileNotFoundError, type(None)]
    with pytest.raises(FileNotFoundError):
        outcomes[1].get()


def test_csv_files_are_read_in_chunks_and_a_bad_chunk_fails_alone(pool, prices):
    prices.write_text(prices.read_text().replace("tea 4,4", "tea 4,four"))
    outcomes = list(map_csv(add_prices, prices, pool, chunk_rows=3))
    assert [(it.item.number, len(it.item.rows), it.value) for it in outcomes] == [
        (0, 3, 3),
        (1, 3, None),
        (2, 3, 21),
        (3, 1, 9),
    ]
    assert isinstance(outcomes[1].error, ValueError)


async def test_async_code_does_the_same(pool, prices):
    outcomes = [it async for it in map_csv_async(add_prices, prices, pool, chunk_rows=4)]
    assert [it.get() for it in outcomes] == [6, 22, 17]
    doubled = [it.get() async for it in map_each_async(lambda number: number * 2, range(20), pool)]
    assert doubled == [number * 2 for number in range(20)]


def test_processes_do_it_too(prices):
    with cpu_pool(1) as pool:
        assert [it.get() for it in map_csv(add_prices, prices, pool, chunk_rows=5)] == [10, 35]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2,3\n", r"prices\.csv:2: not as many"),
        ("a,b\n1,2\n1\n", "csv:3"),
        ('a,b\n"1,2\n', r"csv:\d: unexpected"),
    ],
)
def test_what_is_no_csv_is_told_with_its_line(pool, prices, text, said):
    prices.write_text(text)
    with pytest.raises(ValueError, match=said):
        list(map_csv(add_prices, prices, pool))


def test_only_a_few_pieces_are_taken_ahead(pool):
    taken = []

    def items():
        for number in range(1000):
            taken.append(number)
            yield number

    outcomes = map_each(lambda number: number, items(), pool)
    next(outcomes)
    assert len(taken) <= 2 * pool.workers + 1
    outcomes.close()


async def test_consumers_share_what_is_produced_and_a_fast_producer_waits():
    ahead, consumed = [], []

    async def produce():
        for number in range(50):
            ahead.append(number)
            assert len(ahead) - len(consumed) <= 5 + 3 + 1
            yield number

    async def consume(number):
        await asyncio.sleep(0)
        consumed.append(number)

    assert await feed(produce(), consume, workers=3, buffer=5) == 50
    assert sorted(consumed) == list(range(50))


async def test_the_first_error_ends_all_and_comes_through():
    async def consume(number):
        if number == 3:
            raise ZeroDivisionError
        await asyncio.sleep(0)

    with pytest.raises(ZeroDivisionError):
        await feed(iter(range(10**9)), consume, workers=2)

    async def broken():
        yield 1
        raise KeyError("source")

    with pytest.raises(KeyError):
        await feed(broken(), consume)


async def test_a_feed_that_is_cancelled_leaves_no_task_behind():
    began = asyncio.Event()

    async def consume(_):
        began.set()
        await asyncio.Event().wait()

    feeding = asyncio.ensure_future(feed(range(10), consume, workers=2))
    await began.wait()
    feeding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await feeding
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_threads_consume_too():
    guard, consumed = threading.Lock(), []

    def consume(number):
        with guard:
            consumed.append(number)

    assert feed_sync(range(100), consume, workers=3, buffer=4) == 100
    assert sorted(consumed) == list(range(100))

    def fail(number):
        if number == 3:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        feed_sync(iter(range(10**9)), fail, workers=2)
    with pytest.raises(ValueError, match="positive"):
        feed_sync([], fail, workers=0)
