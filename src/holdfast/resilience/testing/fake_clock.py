"""A clock that moves only when a test says so, for async code and for plain code."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

T = TypeVar("T")


class FakeClock:
    """A clock that moves only when told, or when a plain function sleeps on it: then it moves by itself.

    Nobody else could move it while a thread sleeps, so `sleep_sync` passes the time at once. `slept_s` keeps the
    length of every sleep, in order.
    """

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self.slept_s: list[float] = []
        self._start = start
        self._elapsed_s = 0.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """Give the start plus all that was advanced."""
        return self._start + timedelta(seconds=self._elapsed_s)

    def monotonic(self) -> float:
        """Give the seconds advanced so far."""
        return self._elapsed_s

    async def sleep(self, seconds: float) -> None:
        """Wait until `advance` has passed `seconds`."""
        self.slept_s.append(seconds)
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        wakes = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed_s + seconds, next(self._order), wakes))
        await wakes

    def sleep_sync(self, seconds: float) -> None:
        """Pass `seconds` at once. Tasks that sleep meanwhile wake when their loop runs again and time is advanced."""
        self.slept_s.append(seconds)
        self._elapsed_s += max(0.0, seconds)

    @property
    def sleeping(self) -> int:
        """How many tasks wait for time to pass."""
        return sum(not wakes.done() for _, _, wakes in self._sleepers)

    async def advance(self, seconds: float) -> None:
        """Move time on, waking sleepers in order and letting each run before the next."""
        target = self._elapsed_s + seconds
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= target:
            at, _, wakes = heapq.heappop(self._sleepers)
            self._elapsed_s = max(self._elapsed_s, at)
            if not wakes.done():
                wakes.set_result(None)
            await self._settle()
        self._elapsed_s = max(self._elapsed_s, target)
        await self._settle()

    async def run(self, work: Awaitable[T]) -> T:
        """Await `work`, moving time on to the next sleeper whenever nothing else goes on.

        Raises:
            RuntimeError: The work waits for something that no passing of time brings.
        """
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                await self._settle()
                if task.done():
                    break
                while self._sleepers and self._sleepers[0][2].done():  # who was cancelled wakes for nothing
                    heapq.heappop(self._sleepers)
                if not self._sleepers:
                    raise RuntimeError("the work waits, and nothing sleeps on this clock: time alone will not end it")
                await self.advance(max(0.0, self._sleepers[0][0] - self._elapsed_s))
        finally:
            task.cancel()
        return await task

    def jump(self, delta: timedelta) -> None:
        """Set the wall clock off by `delta` without passing time, as NTP or a resumed laptop does."""
        self._start += delta

    @staticmethod
    async def _settle() -> None:
        for _ in range(20):
            await asyncio.sleep(0)
