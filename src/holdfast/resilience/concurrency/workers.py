"""Pools of workers: threads for work that waits, processes for work that computes. Bounded, and ended with grace.

A pool takes `workers + queue` pieces of work; who brings more waits. Work for processes and its arguments must be
picklable, and processes are started afresh, because forking a program with threads may hang it.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import multiprocessing
import os
import threading
from concurrent import futures
from typing import TYPE_CHECKING, Any, Final, ParamSpec, Self, TypeVar

from holdfast.resilience.concurrency.errors import PoolClosed
from holdfast.resilience.concurrency.places import Places

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

P = ParamSpec("P")
T = TypeVar("T")

GRACE_S: Final = 30.0


class WorkerPool:
    """A bounded pool of workers; see `io_pool` and `cpu_pool`. Leaving its block ends it with grace."""

    def __init__(self, executor: futures.Executor, *, workers: int, queue: int, keeps_context: bool) -> None:
        self.workers = workers
        self._executor = executor
        self._keeps_context = keeps_context
        self._places = Places(workers + queue)
        self._guard = threading.Lock()
        self._under_way: set[futures.Future[Any]] = set()
        self._is_closed = False

    @property
    def under_way(self) -> int:
        """How many pieces of work run or wait for a worker."""
        return len(self._under_way)

    @property
    def waiting(self) -> int:
        """How many callers wait for a place."""
        return self._places.waiting

    def submit(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> futures.Future[T]:
        """Bring work, waiting while the pool is full; give its future.

        Raises:
            PoolClosed: The pool takes no more.
        """
        self._refuse_if_closed()
        self._places.take()
        return self._start(fn, args, kwargs)

    async def start(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """Bring work, waiting while the pool is full; give its future.

        Raises:
            PoolClosed: The pool takes no more.
        """
        self._refuse_if_closed()
        await self._places.take_async()
        return asyncio.wrap_future(self._start(fn, args, kwargs))

    async def run(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Have work done; its result and its errors come through."""
        return await (await self.start(fn, *args, **kwargs))

    def run_sync(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Have work done; its result and its errors come through."""
        return self.submit(fn, *args, **kwargs).result()

    def close(self, grace_s: float = GRACE_S) -> int:
        """Take no more work, finish what is under way for `grace_s`, then drop the rest.

        Processes that still compute are killed; threads cannot be, and end with their work.

        Returns:
            How many pieces of work were not finished.
        """
        with self._guard:
            self._is_closed = True
            waited_for = set(self._under_way)
        unfinished = len(futures.wait(waited_for, timeout=grace_s).not_done)
        processes = dict(getattr(self._executor, "_processes", None) or {})  # gone after shutdown
        self._executor.shutdown(wait=not unfinished, cancel_futures=True)
        for process in processes.values() if unfinished else ():
            process.kill()
        return unfinished

    async def aclose(self, grace_s: float = GRACE_S) -> int:
        """Do as `close`, without blocking the event loop."""
        return await asyncio.to_thread(self.close, grace_s)

    def __enter__(self) -> Self:
        """Use it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it: with grace after a good end, at once after a bad one."""
        self.close(GRACE_S if error is None else 0.0)

    async def __aenter__(self) -> Self:
        """Use it."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it: with grace after a good end, at once after a bad one."""
        await self.aclose(GRACE_S if error is None else 0.0)

    def _refuse_if_closed(self) -> None:
        if self._is_closed:
            raise PoolClosed("the pool takes no more work: it is being ended")

    def _start(self, fn: Callable[..., T], args: Any, kwargs: Any) -> futures.Future[T]:
        with self._guard:
            if self._is_closed:
                self._places.give_back()
                self._refuse_if_closed()
            work = functools.partial(fn, *args, **kwargs)
            if self._keeps_context:
                work = functools.partial(contextvars.copy_context().run, work)
            future = self._executor.submit(work)
            self._under_way.add(future)
        future.add_done_callback(self._end)
        return future

    def _end(self, future: futures.Future[Any]) -> None:
        with self._guard:
            self._under_way.discard(future)
        self._places.give_back()


def io_pool(workers: int = 16, *, queue: int = 1_000, name: str = "io") -> WorkerPool:
    """Make a pool of threads for work that waits for disks and networks; context variables go along.

    Args:
        workers: How many pieces of work run at once.
        queue: How many more wait inside the pool before callers have to wait.
        name: What its threads are called.
    """
    executor = futures.ThreadPoolExecutor(workers, thread_name_prefix=name)
    return WorkerPool(executor, workers=workers, queue=queue, keeps_context=True)


def cpu_pool(workers: int = 0, *, queue: int = 100, tasks_per_worker: int | None = None) -> WorkerPool:
    """Make a pool of processes for work that computes.

    Args:
        workers: How many run at once; 0 takes one for each processor that this process may use.
        queue: How many more pieces of work wait inside the pool before callers have to wait.
        tasks_per_worker: After so many a process is replaced, for work that leaks.
    """
    count = workers or _count_processors()
    context = multiprocessing.get_context("spawn")
    executor = futures.ProcessPoolExecutor(count, mp_context=context, max_tasks_per_child=tasks_per_worker)
    return WorkerPool(executor, workers=count, queue=queue, keeps_context=False)


def _count_processors() -> int:
    affinity = getattr(os, "sched_getaffinity", None)  # Linux only
    return len(affinity(0)) if affinity else os.cpu_count() or 1
