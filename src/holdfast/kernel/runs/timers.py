"""Moments to come: one heap and one sleeping task, whatever their number. Durable moments stand in rows, not here."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
from collections.abc import Callable
from typing import Final

from holdfast import journal
from holdfast.kernel.clock import Clock

_LOG: Final = journal.get_logger("holdfast.runs")


class Timer:
    """A call to come; `cancel` it when it is no longer wanted."""

    __slots__ = ("call", "due_s")

    def __init__(self, due_s: float, call: Callable[[], None]) -> None:
        self.due_s = due_s
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        """Make sure that it is not called."""
        self.call = None


class Timers:
    """Calls functions on the event loop when their moment has come, by the clock's monotonic time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._order = itertools.count()
        self._heap: list[tuple[float, int, Timer]] = []
        self._task: asyncio.Task[None] | None = None
        self._sleeps_until = 0.0

    def after(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Have `call` called in `seconds`; never before this function has returned."""
        timer = Timer(self._clock.monotonic() + max(0.0, seconds), call)
        heapq.heappush(self._heap, (timer.due_s, next(self._order), timer))
        if self._task is None or timer.due_s < self._sleeps_until:
            self._restart(timer.due_s)
        return timer

    async def close(self) -> None:
        """Forget all."""
        self._heap.clear()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def _restart(self, until: float) -> None:
        if self._task is not None:
            self._task.cancel()
        self._sleeps_until = until
        self._task = asyncio.get_running_loop().create_task(self._serve())

    async def _serve(self) -> None:
        while self._heap:
            due_s, _, timer = self._heap[0]
            pause = due_s - self._clock.monotonic()
            if timer.call is not None and pause > 0:
                self._sleeps_until = due_s
                await self._clock.sleep(pause)
                continue
            heapq.heappop(self._heap)
            call, timer.call = timer.call, None
            if call is not None:
                _make(call)
        self._task = None


def _make(call: Callable[[], None]) -> None:
    try:
        call()
    except Exception as error:  # noqa: BLE001 -- the fence of a job: other moments come nevertheless
        _LOG.exception("runs.timer_failed", error=str(error))
