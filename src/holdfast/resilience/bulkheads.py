"""Keeps one slow dependency from taking every worker: so many calls at a time, so many waiting, no more.

First come, first served, tasks of any event loop and threads in one queue.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.errors import BulkheadFull
from holdfast.resilience.policies import Policy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

P = ParamSpec("P")
T = TypeVar("T")


class TaskPlace:
    """A task's turn in the queue."""

    __slots__ = ("_given", "_loop", "has_turn")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._given = self._loop.create_future()
        self.has_turn = False

    def give(self) -> None:
        """Wake the task, from any thread."""
        self.has_turn = True
        self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        if not self._given.done():
            self._given.set_result(None)

    async def wait(self) -> None:
        """Return when the turn has come."""
        await self._given


class ThreadPlace:
    """A thread's turn in the queue."""

    __slots__ = ("_given", "has_turn")

    def __init__(self) -> None:
        self._given = threading.Event()
        self.has_turn = False

    def give(self) -> None:
        """Wake the thread."""
        self.has_turn = True
        self._given.set()

    def wait(self) -> None:
        """Return when the turn has come."""
        self._given.wait()


class Bulkhead(Policy):
    """At most `limit` calls run at once, and at most `queue` wait; see `bulkhead`.

    `running` and `waiting` tell how full it is.
    """

    __slots__ = ("_lock", "_waiting", "limit", "queue", "running")

    kind = "bulkhead"

    def __init__(self, name: str, limit: int, *, queue: int, clock: Clock) -> None:
        if limit < 1 or queue < 0:
            raise ValueError(f"limit={limit} must be positive and queue={queue} not negative")
        super().__init__(name, clock=clock)
        self.limit = limit
        self.queue = queue
        self.running = 0
        self._lock = threading.Lock()
        self._waiting: deque[TaskPlace | ThreadPlace] = deque()

    def __repr__(self) -> str:
        """Show its size."""
        return f"Bulkhead(limit={self.limit}, queue={self.queue})"

    @property
    def waiting(self) -> int:
        """How many calls wait for a place."""
        return len(self._waiting)

    def bind_async(self, fn: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Call `fn` when a place is free; raise BulkheadFull when the queue is full too."""

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            place = self._enter(TaskPlace)
            if place is not None:
                try:
                    await place.wait()
                except asyncio.CancelledError:
                    self._give_up(place)
                    raise
            try:
                return await fn(*args, **kwargs)
            finally:
                self._leave()

        return guarded

    def bind_sync(self, fn: Callable[P, T]) -> Callable[P, T]:
        """Call `fn` when a place is free; raise BulkheadFull when the queue is full too."""

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            place = self._enter(ThreadPlace)
            if place is not None:
                try:
                    place.wait()
                except BaseException:
                    self._give_up(place)
                    raise
            try:
                return fn(*args, **kwargs)
            finally:
                self._leave()

        return guarded

    def _enter(self, make_place: Callable[[], PlaceT]) -> PlaceT | None:
        """Take a place, or a turn in the queue."""
        with self._lock:
            if self.running < self.limit:
                self.running += 1
                return None
            if len(self._waiting) < self.queue:
                place = make_place()
                self._waiting.append(place)
                return place
        self._tell("refused", running=self.limit, waiting=self.queue)
        told = f"{self.limit} calls are running and {self.queue} waiting: that is the limit"
        raise BulkheadFull(told, policy=self.name)

    def _give_up(self, place: TaskPlace | ThreadPlace) -> None:
        with self._lock:
            if not place.has_turn:
                with suppress(ValueError):
                    self._waiting.remove(place)
                return
        self._leave()  # the place came in the same moment: pass it on

    def _leave(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().give()  # the place changes hands; `running` stays as it is
            else:
                self.running -= 1


PlaceT = TypeVar("PlaceT", TaskPlace, ThreadPlace)


def bulkhead(limit: int, *, queue: int = 0, name: str = "", clock: Clock = SYSTEM_CLOCK) -> Bulkhead:
    """Bound how many calls of one dependency run at once.

    Args:
        limit: Calls that may run at once.
        queue: Calls that may wait for a place, first come, first served; 0 refuses at once.
        name: As events and messages shall call it.
        clock: Where time comes from.

    Raises:
        ValueError: `limit` is not positive or `queue` is negative.
    """
    return Bulkhead(name, limit, queue=queue, clock=clock)
