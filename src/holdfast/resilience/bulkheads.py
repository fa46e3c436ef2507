"""Keeps one slow dependency from taking every worker: so many calls at a time, so many waiting, no more.

First come, first served. It belongs to one event loop at a time and holds no state between loops when idle.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from holdfast.resilience.errors import BulkheadFull
from holdfast.resilience.policies import Policy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

P = ParamSpec("P")
T = TypeVar("T")


class Bulkhead(Policy):
    """At most `limit` calls run at once, and at most `queue` wait; see `bulkhead`.

    `running` and `waiting` tell how full it is.
    """

    __slots__ = ("_waiting", "limit", "queue", "running")

    def __init__(self, limit: int, *, queue: int) -> None:
        if limit < 1 or queue < 0:
            raise ValueError(f"limit={limit} must be positive and queue={queue} not negative")
        self.limit = limit
        self.queue = queue
        self.running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def __repr__(self) -> str:
        """Show its size."""
        return f"Bulkhead(limit={self.limit}, queue={self.queue})"

    @property
    def waiting(self) -> int:
        """How many calls wait for a place."""
        return len(self._waiting)

    async def call(self, fn: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `fn` when a place is free.

        Raises:
            BulkheadFull: All places are taken and the queue is full.
        """
        await self._enter()
        try:
            return await fn(*args, **kwargs)
        finally:
            self._leave()

    async def _enter(self) -> None:
        if self.running < self.limit:
            self.running += 1
            return
        if len(self._waiting) >= self.queue:
            raise BulkheadFull(f"{self.limit} calls are running and {self.queue} waiting: that is the limit")
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():  # the place came in the same moment: pass it on
                self._leave()
            else:
                with suppress(ValueError):
                    self._waiting.remove(place)
            raise

    def _leave(self) -> None:
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)  # the place changes hands; `running` stays as it is
                return
        self.running -= 1


def bulkhead(limit: int, *, queue: int = 0) -> Bulkhead:
    """Bound how many calls of one dependency run at once.

    Args:
        limit: Calls that may run at once.
        queue: Calls that may wait for a place, first come, first served; 0 refuses at once.

    Raises:
        ValueError: `limit` is not positive or `queue` is negative.
    """
    return Bulkhead(limit, queue=queue)
