"""So many at a time, so many waiting: the places that bulkheads, adaptive limits and load shedding hand out.

First come, first served within a lane; a lane of a lower number goes first. Tasks of any event loop and threads stand
in the same queue. Who is refused, and with what words, is the policies' own business.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import TypeVar

from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.forks import renew_after_fork


class NoPlaceError(Exception):
    """There is no place, and none to wait in; `why` is "full", "timeout" or "displaced" (by one of a better lane)."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class TaskTurn:
    """A task in the queue."""

    __slots__ = ("_given", "_loop", "has_turn", "is_displaced", "lane", "since_s")

    def __init__(self, lane: int, since_s: float) -> None:
        self.lane = lane
        self.since_s = since_s
        self.has_turn = self.is_displaced = False
        self._loop = asyncio.get_running_loop()
        self._given = self._loop.create_future()

    def wake(self) -> bool:
        """Wake the task, from any thread; tell whether there still is a loop to wake it in."""
        try:
            self._loop.call_soon_threadsafe(self._end)
        except RuntimeError:  # its loop is closed: nobody will ever come
            return False
        return True

    def _end(self) -> None:
        if not self._given.done():
            self._given.set_result(None)

    async def wait(self, timeout_s: float | None, clock: Clock) -> None:
        """Return when woken, or after the time."""
        if timeout_s is None:
            await self._given
        elif clock is SYSTEM_CLOCK:
            alarm = self._loop.call_later(timeout_s, self._end)
            try:
                await self._given
            finally:
                alarm.cancel()
        else:
            sleep = asyncio.ensure_future(clock.sleep(timeout_s))
            sleep.add_done_callback(lambda _: self._end())
            try:
                await self._given
            finally:
                sleep.cancel()


class ThreadTurn:
    """A thread in the queue."""

    __slots__ = ("_given", "has_turn", "is_displaced", "lane", "since_s")

    def __init__(self, lane: int, since_s: float) -> None:
        self.lane = lane
        self.since_s = since_s
        self.has_turn = self.is_displaced = False
        self._given = threading.Event()

    def wake(self) -> bool:
        """Wake the thread."""
        self._given.set()
        return True

    def wait(self, timeout_s: float | None) -> None:
        """Return when woken, or after the time, which is real: a thread blocks whatever a fake clock says."""
        self._given.wait(timeout_s)


Turn = TaskTurn | ThreadTurn
TurnT = TypeVar("TurnT", TaskTurn, ThreadTurn)


class Places:
    """At most `limit` inside, at most `queue` waiting in `lanes` lanes. `resize` moves the limit."""

    __slots__ = ("__weakref__", "_clock", "_lanes", "limit", "lock", "queue", "running", "waiting")

    def __init__(self, limit: int, *, queue: int, clock: Clock, lanes: int = 1) -> None:
        self.limit = limit
        self.queue = queue
        self.running = 0
        self.waiting = 0
        self.lock = threading.Lock()
        self._clock = clock
        self._lanes: list[deque[Turn]] = [deque() for _ in range(lanes)]
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        """Start empty: who held a place, or stood here, did not come along into the child."""
        self.lock = threading.Lock()
        self.running = self.waiting = 0
        for lane in self._lanes:
            lane.clear()

    def try_enter(self) -> bool:
        """Take a free place if nobody stands before us."""
        with self.lock:
            if self.running < self.limit and not self.waiting:
                self.running += 1
                return True
        return False

    async def enter_async(self, timeout_s: float | None = None, lane: int = 0) -> float:
        """Wait for a place; give the seconds that it took.

        Raises:
            NoPlaceError: With the reason.
        """
        turn = self._line_up(TaskTurn, lane)
        if turn is None:
            return 0.0
        try:
            await turn.wait(timeout_s, self._clock)
        except asyncio.CancelledError:
            if not self._withdraw(turn) and turn.has_turn:
                self.leave()  # the place came in the same moment: pass it on
            raise
        return self._take_turn(turn)

    def enter(self, timeout_s: float | None = None, lane: int = 0) -> float:
        """Do as `enter_async`, in a thread."""
        turn = self._line_up(ThreadTurn, lane)
        if turn is None:
            return 0.0
        try:
            turn.wait(timeout_s)
        except BaseException:
            if not self._withdraw(turn) and turn.has_turn:
                self.leave()
            raise
        return self._take_turn(turn)

    def _line_up(self, kind: type[TurnT], lane: int) -> TurnT | None:
        with self.lock:
            if self.running < self.limit and not self.waiting:
                self.running += 1
                return None
            if self.waiting >= self.queue and not self._displace(lane):
                raise NoPlaceError("full")
            turn = kind(lane, self._clock.monotonic())
            self._lanes[lane].append(turn)
            self.waiting += 1
            self.hand_out()  # the limit may have been raised, with nobody leaving since
            return turn

    def _displace(self, lane: int) -> bool:
        for worse in range(len(self._lanes) - 1, lane, -1):
            if self._lanes[worse]:
                turn = self._lanes[worse].pop()
                self.waiting -= 1
                turn.is_displaced = True
                turn.wake()
                return True
        return False

    def _withdraw(self, turn: Turn) -> bool:
        with self.lock:
            if turn.has_turn or turn.is_displaced:
                return False
            self._lanes[turn.lane].remove(turn)
            self.waiting -= 1
            return True

    def _take_turn(self, turn: Turn) -> float:
        if self._withdraw(turn):
            raise NoPlaceError("timeout")
        if turn.is_displaced:
            raise NoPlaceError("displaced")
        return self._clock.monotonic() - turn.since_s

    def leave(self) -> None:
        """Give the place to who waits longest, or back."""
        with self.lock:
            self.running -= 1
            if self.waiting:
                self.hand_out()

    def resize(self, limit: int) -> None:
        """Have `limit` places from now on; those inside too many leave when they are done."""
        with self.lock:
            self.limit = limit
            self.hand_out()

    def hand_out(self) -> None:
        """Wake as many as there are free places; the caller holds the lock."""
        for lane in self._lanes:
            while lane and self.running < self.limit:
                turn = lane.popleft()
                self.waiting -= 1
                turn.has_turn = True
                self.running += turn.wake()

    def head_waited_s(self) -> float | None:
        """Tell for how long the first in the queue has waited; None where nobody waits."""
        with self.lock:
            heads = [lane[0].since_s for lane in self._lanes if lane]
        return self._clock.monotonic() - min(heads) if heads else None
