"""Producer and consumers with a bounded buffer between: a fast producer waits, memory does not grow.

The first error ends all and is raised. What should survive errors catches them in its `consume`.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from typing import Any, Final, TypeVar

I = TypeVar("I")  # noqa: E741 -- an item

__all__ = ["feed", "feed_sync"]

_END: Final = object()


async def feed(
    source: Iterable[I] | AsyncIterable[I],
    consume: Callable[[I], Awaitable[object]],
    *,
    workers: int = 4,
    buffer: int = 100,
) -> int:
    """Have `workers` tasks consume what `source` gives, at most `buffer` items ahead.

    Returns:
        How many items were consumed.
    """
    _refuse_numbers(workers, buffer)
    items: asyncio.Queue[Any] = asyncio.Queue(buffer)
    tasks = [asyncio.create_task(_produce(source, items, workers))]
    tasks += [asyncio.create_task(_consume(consume, items)) for _ in range(workers)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        return sum(task.result() for task in done)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _produce(source: Iterable[I] | AsyncIterable[I], items: asyncio.Queue[Any], workers: int) -> int:
    if isinstance(source, AsyncIterable):
        async for item in source:
            await items.put(item)
    else:
        for item in source:
            await items.put(item)
    for _ in range(workers):
        await items.put(_END)
    return 0


async def _consume(consume: Callable[[I], Awaitable[object]], items: asyncio.Queue[Any]) -> int:
    count = 0
    while (item := await items.get()) is not _END:
        await consume(item)
        count += 1
    return count


def feed_sync(source: Iterable[I], consume: Callable[[I], object], *, workers: int = 4, buffer: int = 100) -> int:
    """Have `workers` threads consume what `source` gives, which is read in this thread, at most `buffer` items ahead.

    Returns:
        How many items were consumed.
    """
    _refuse_numbers(workers, buffer)
    crew = _Crew(consume, workers, buffer)
    try:
        for item in source:
            if not crew.put(item):
                break
    except BaseException:
        crew.is_over.set()
        raise
    finally:
        crew.finish()
    if crew.errors:
        raise crew.errors[0]
    return crew.count


class _Crew:
    """The threads of `feed_sync`."""

    def __init__(self, consume: Callable[[Any], object], workers: int, buffer: int) -> None:
        self.errors: list[BaseException] = []
        self.count = 0
        self.is_over = threading.Event()
        self._consume = consume
        self._guard = threading.Lock()
        self._room = threading.Semaphore(buffer)
        self._items: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._work, name=f"feed-{n}", daemon=True) for n in range(workers)]
        for thread in self._threads:
            thread.start()

    def put(self, item: object) -> bool:
        """Hand an item over when there is room; False when all is over."""
        self._room.acquire()
        if self.is_over.is_set():
            return False
        self._items.put(item)
        return True

    def finish(self) -> None:
        """Wait until everything is consumed, or over."""
        for _ in self._threads:
            self._items.put(_END)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (item := self._items.get()) is not _END:
            if not self.is_over.is_set():
                self._do(item)
            self._room.release()

    def _do(self, item: object) -> None:
        try:
            self._consume(item)
        except BaseException as error:  # noqa: BLE001 -- the fence of a job: raised again in the caller's thread
            self.errors.append(error)
            self.is_over.set()
        else:
            with self._guard:
                self.count += 1


def _refuse_numbers(workers: int, buffer: int) -> None:
    if workers < 1 or buffer < 1:
        raise ValueError(f"workers={workers} and buffer={buffer} must be positive")
