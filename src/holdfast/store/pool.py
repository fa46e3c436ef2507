"""Blocking clients in threads of their own: a bounded number work, a bounded number of callers wait.

Knows nothing of SQL. A caller that is cancelled before its turn never reaches a client.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from holdfast.kernel.errors import BusyError, UnavailableError
from holdfast.store.clients import Client

T = TypeVar("T")


class ClientPool:
    """Up to `size` clients, opened when first needed."""

    def __init__(self, open_client: Callable[[], Client], *, name: str, size: int, waiting: int) -> None:
        self._open_client = open_client
        self._threads = ThreadPoolExecutor(size, thread_name_prefix=f"store-{name}")
        self._idle: queue.LifoQueue[Client] = queue.LifoQueue()
        self._name = name
        self._bound = size + waiting
        self._busy = 0
        self._count = threading.Lock()
        self._closed = False

    def submit(self, work: Callable[[Client], T]) -> Future[T]:
        """Have `work` run with a client, as soon as one is free.

        Raises:
            BusyError: too many wait.
            UnavailableError: the pool is closed.
        """
        with self._count:
            if self._closed:
                raise UnavailableError("the store is closed")
            if self._busy >= self._bound:
                raise BusyError(
                    f"{self._busy} {self._name} calls of the store are running or waiting",
                    hint="slow down, or raise telemetry.pool_size or queue_queries",
                )
            self._busy += 1
            future = self._threads.submit(self._run, work)
        future.add_done_callback(self._left)
        return future

    async def run(self, work: Callable[[Client], T]) -> T:
        """Run `work` with a client and wait for it; raises as `submit` does."""
        return await asyncio.wrap_future(self.submit(work))

    def _left(self, _: object) -> None:
        with self._count:
            self._busy -= 1

    def _run(self, work: Callable[[Client], T]) -> T:
        try:
            client = self._idle.get_nowait()
        except queue.Empty:
            client = self._open_client()
        try:
            done = work(client)
        except BaseException:
            # chDB 4.4 puts what a failed query had already written before the result of the next one on the same
            # connection; so a client that has failed is never used again.
            client.close()
            raise
        self._idle.put(client)
        return done

    def close(self) -> None:
        """Wait for what is running, drop what waits, close every client. Blocks."""
        with self._count:
            self._closed = True
        self._threads.shutdown(wait=True, cancel_futures=True)
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()
