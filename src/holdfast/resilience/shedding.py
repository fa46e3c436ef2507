"""Serves what matters when there is more to do than can be done: the rest is refused early, least important first.

The queue is watched as CoDel does it (RFC 8289): not its length but the shortest time that anybody stood in it for a
while. Priorities come from the context (`priority`), as in "The Site Reliability Workbook" and Google's criticality.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, ParamSpec, Self, TypeVar

from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.errors import LoadShed
from holdfast.resilience.forks import renew_after_fork
from holdfast.resilience.places import NoPlaceError, Places
from holdfast.resilience.policies import Policy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine

P = ParamSpec("P")
T = TypeVar("T")


class Priority(IntEnum):
    """How much a call matters; the lower the number, the later it is refused."""

    CRITICAL = 0
    """Somebody loses money or data without it. Never refused by pressure, only by a full queue of its like."""
    NORMAL = 1
    """Somebody waits for it."""
    LOW = 2
    """Somebody would rather have it: suggestions, previews."""
    BACKGROUND = 3
    """Nobody waits: it can be done tomorrow."""


_PRIORITY: Final[ContextVar[Priority]] = ContextVar("holdfast_resilience_priority", default=Priority.NORMAL)


def current_priority() -> Priority:
    """Give the priority of what runs here."""
    return _PRIORITY.get()


@contextmanager
def priority(level: Priority) -> Iterator[None]:
    """Have everything in the block, and what it starts, run with this priority."""
    token = _PRIORITY.set(level)
    try:
        yield
    finally:
        _PRIORITY.reset(token)


class Pressure:
    """How many of the least important kinds are refused at the door. Pure: time and waits are passed in.

    Each `interval_s` in which nobody was through the queue within `target_s` adds a kind; each other takes one back.
    """

    __slots__ = ("_ends_s", "interval_s", "level", "most", "shortest_s", "target_s")

    def __init__(self, *, target_s: float, interval_s: float, most: int = len(Priority) - 1) -> None:
        if not 0 < target_s <= interval_s:
            raise ValueError(f"0 < target_s={target_s} <= interval_s={interval_s}: a wait is judged over an interval")
        self.target_s = target_s
        self.interval_s = interval_s
        self.most = most
        self.level = 0
        self._ends_s = 0.0
        self.shortest_s = math.inf

    def refuses(self, level: Priority, now_s: float) -> bool:
        """Tell whether a call of this priority is refused at the door now."""
        self._judge(now_s)
        return level > len(Priority) - 1 - self.level

    def observe(self, now_s: float, waited_s: float) -> None:
        """Learn how long somebody stood in the queue."""
        self._judge(now_s)
        self.shortest_s = min(self.shortest_s, waited_s)

    def _judge(self, now_s: float) -> None:
        if self._ends_s - self.interval_s <= now_s < self._ends_s:
            return
        idle = int((now_s - self._ends_s) // self.interval_s) if now_s >= self._ends_s else 0
        if self.target_s < self.shortest_s < math.inf:
            self.level = min(self.most, self.level + 1)
        else:
            self.level = max(0, self.level - 1)
        self.level = max(0, self.level - idle)  # whole intervals in which nobody came through
        self._ends_s = now_s + self.interval_s
        self.shortest_s = math.inf


class Shed(Policy):
    """Refuses the less important early; see `shed`. `pressure` tells how many kinds are refused now."""

    __slots__ = ("__weakref__", "_lock", "_places", "_pressure", "_priority", "timeout_s")

    kind = "shed"

    def __init__(
        self,
        name: str,
        limit: int,
        *,
        queue: int,
        timeout_s: float,
        pressure: Pressure,
        priority: Callable[..., Priority] | None,
        clock: Clock,
    ) -> None:
        if limit < 1 or queue < 0 or timeout_s <= 0:
            raise ValueError(f"limit={limit} and timeout_s={timeout_s} must be positive, queue={queue} not negative")
        super().__init__(name, clock=clock)
        self.timeout_s = timeout_s
        self._places = Places(limit, queue=queue, clock=clock, lanes=len(Priority))
        self._pressure = pressure
        self._priority = priority
        self._lock = threading.Lock()
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        """Show where it stands."""
        return f"Shed(limit={self._places.limit}, running={self.running}, waiting={self.waiting})"

    @property
    def running(self) -> int:
        """How many calls run."""
        return self._places.running

    @property
    def waiting(self) -> int:
        """How many calls wait for a place."""
        return self._places.waiting

    @property
    def pressure(self) -> int:
        """How many of the least important kinds were refused at the door when somebody last came: 0 to 3."""
        return self._pressure.level

    @property
    def is_idle(self) -> bool:
        """Whether it may be forgotten."""
        return not self._places.running

    def bind_async(self, fn: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Call `fn` when its turn comes, or raise LoadShed."""
        places, choose, pressure = self._places, self._priority, self._pressure

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            if not pressure.level and places.try_enter():
                pressure.shortest_s = 0.0  # somebody did not wait at all
            else:
                await self._wait_async(_PRIORITY.get() if choose is None else choose(*args, **kwargs))
            try:
                return await fn(*args, **kwargs)
            finally:
                places.leave()

        return guarded

    def bind_sync(self, fn: Callable[P, T]) -> Callable[P, T]:
        """Call `fn` when its turn comes, or raise LoadShed."""
        places, choose, pressure = self._places, self._priority, self._pressure

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            if not pressure.level and places.try_enter():
                pressure.shortest_s = 0.0  # somebody did not wait at all
            else:
                self._wait(_PRIORITY.get() if choose is None else choose(*args, **kwargs))
            try:
                return fn(*args, **kwargs)
            finally:
                places.leave()

        return guarded

    def __enter__(self) -> Self:
        """Hold a place for the block, with the priority of the context."""
        self._wait(_PRIORITY.get())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Give it back."""
        self._places.leave()

    async def __aenter__(self) -> Self:
        """Hold a place for the block, with the priority of the context."""
        await self._wait_async(_PRIORITY.get())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Give it back."""
        self._places.leave()

    async def _wait_async(self, level: Priority) -> None:
        self._pass_door(level)
        try:
            waited_s = await self._places.enter_async(self.timeout_s, level)
        except NoPlaceError as refusal:
            raise self._refuse(level, refusal.why) from None
        self._learn(waited_s)

    def _wait(self, level: Priority) -> None:
        self._pass_door(level)
        try:
            waited_s = self._places.enter(self.timeout_s, level)
        except NoPlaceError as refusal:
            raise self._refuse(level, refusal.why) from None
        self._learn(waited_s)

    def _pass_door(self, level: Priority) -> None:
        with self._lock:
            is_refused = self._pressure.refuses(level, self._clock.monotonic())
        if is_refused:
            raise self._refuse(level, "pressure")

    def _refuse(self, level: Priority, why: str) -> LoadShed:
        if why == "timeout":
            self._learn(self.timeout_s)
        self._tell("shed", priority=level.name.lower(), why=why, pressure=self._pressure.level)
        told = f"a call of {level.name.lower()} priority was shed ({why}): there is more to do than can be done"
        return LoadShed(told, policy=self.name, retry_after_s=self._pressure.interval_s)

    def _learn(self, waited_s: float) -> None:
        with self._lock:
            before = self._pressure.level
            self._pressure.observe(self._clock.monotonic(), waited_s)
            after = self._pressure.level
        if before != after:
            self._tell("pressure", before=before, after=after)


def shed(
    limit: int,
    *,
    queue: int = 100,
    timeout_s: float = 1.0,
    target_s: float = 0.05,
    interval_s: float = 0.5,
    priority: Callable[..., Priority] | None = None,
    name: str = "",
    clock: Clock = SYSTEM_CLOCK,
) -> Shed:
    """Bound what a service does at a time, and when too much comes refuse the least important first.

    Calls wait in order of their priority. A full queue gives the place of the least important to a more important one.
    While even the quickest stands longer than `target_s` in the queue, one more kind of call each `interval_s` is
    refused at the door; critical ones never are. A refusal's `retry_after_s` is the interval.

    Args:
        limit: Calls that may run at once.
        queue: Calls that may wait.
        timeout_s: How long one waits at most, in seconds: who asked has gone by then.
        target_s: A wait that is nothing to worry about, in seconds.
        interval_s: Over how many seconds the waits are judged.
        priority: Gives the priority of a call from its arguments; that of the context by default.
        name: As events and messages shall call it.
        clock: Where time comes from.

    Raises:
        ValueError: A number means nothing.
    """
    pressure = Pressure(target_s=target_s, interval_s=interval_s)
    return Shed(name, limit, queue=queue, timeout_s=timeout_s, pressure=pressure, priority=priority, clock=clock)
