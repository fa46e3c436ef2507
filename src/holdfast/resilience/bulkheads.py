"""Keeps one slow dependency from taking every worker: so many calls at a time, so many waiting, no more.

First come, first served, tasks of any event loop and threads in one queue (`places`).
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.errors import BulkheadFull
from holdfast.resilience.places import NoPlaceError, Places
from holdfast.resilience.policies import Policy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

P = ParamSpec("P")
T = TypeVar("T")


class Bulkhead(Policy):
    """At most `limit` calls run at once, and at most `queue` wait; see `bulkhead`.

    `running` and `waiting` tell how full it is. Entered twice by one call it takes two places.
    """

    __slots__ = ("_places", "timeout_s")

    kind = "bulkhead"

    def __init__(self, name: str, limit: int, *, queue: int, timeout_s: float | None, clock: Clock) -> None:
        if limit < 1 or queue < 0:
            raise ValueError(f"limit={limit} must be positive and queue={queue} not negative")
        if timeout_s is not None and timeout_s <= 0:
            raise ValueError(f"queue_timeout_s={timeout_s} must be positive; a queue of 0 refuses at once")
        super().__init__(name, clock=clock)
        self.timeout_s = timeout_s
        self._places = Places(limit, queue=queue, clock=clock)

    def __repr__(self) -> str:
        """Show its size."""
        return f"Bulkhead(limit={self.limit}, queue={self.queue})"

    @property
    def limit(self) -> int:
        """How many calls may run at once."""
        return self._places.limit

    @property
    def queue(self) -> int:
        """How many calls may wait."""
        return self._places.queue

    @property
    def running(self) -> int:
        """How many calls run."""
        return self._places.running

    @property
    def waiting(self) -> int:
        """How many calls wait for a place."""
        return self._places.waiting

    @property
    def is_idle(self) -> bool:
        """Whether nobody is inside: it may be forgotten."""
        return not self._places.running

    def bind_async(self, fn: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Call `fn` when a place is free; raise BulkheadFull when the queue is full too, or its time is over."""
        places = self._places  # entering and leaving are written out: they are on the way of every call

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            with places.lock:
                has_place = places.running < places.limit and not places.waiting
                if has_place:
                    places.running += 1
            if not has_place:
                await self._wait_async()
            try:
                return await fn(*args, **kwargs)
            finally:
                with places.lock:
                    places.running -= 1
                    if places.waiting:
                        places.hand_out()

        return guarded

    def bind_sync(self, fn: Callable[P, T]) -> Callable[P, T]:
        """Call `fn` when a place is free; raise BulkheadFull when the queue is full too, or its time is over."""
        places = self._places  # entering and leaving are written out: they are on the way of every call

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            with places.lock:
                has_place = places.running < places.limit and not places.waiting
                if has_place:
                    places.running += 1
            if not has_place:
                self._wait()
            try:
                return fn(*args, **kwargs)
            finally:
                with places.lock:
                    places.running -= 1
                    if places.waiting:
                        places.hand_out()

        return guarded

    def __enter__(self) -> Self:
        """Hold a place for the block."""
        if not self._places.try_enter():
            self._wait()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Give it back."""
        self._places.leave()

    async def __aenter__(self) -> Self:
        """Hold a place for the block."""
        if not self._places.try_enter():
            await self._wait_async()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Give it back."""
        self._places.leave()

    async def _wait_async(self) -> None:
        try:
            waited_s = await self._places.enter_async(self.timeout_s)
        except NoPlaceError as refusal:
            raise self._refuse(refusal.why) from None
        self._tell("waited", waited_s=waited_s)

    def _wait(self) -> None:
        try:
            waited_s = self._places.enter(self.timeout_s)
        except NoPlaceError as refusal:
            raise self._refuse(refusal.why) from None
        self._tell("waited", waited_s=waited_s)

    def _refuse(self, why: str) -> BulkheadFull:
        self._tell("refused", running=self.running, waiting=self.waiting, why=why)
        if why == "timeout":
            told = f"no place came within {self.timeout_s:g} s: {self.limit} calls are running"
        else:
            told = f"{self.limit} calls are running and {self.queue} waiting: that is the limit"
        return BulkheadFull(told, policy=self.name, retry_after_s=self._places.head_waited_s())


def bulkhead(
    limit: int,
    *,
    queue: int = 0,
    queue_timeout_s: float | None = None,
    name: str = "",
    clock: Clock = SYSTEM_CLOCK,
) -> Bulkhead:
    """Bound how many calls of one dependency run at once. For one bulkhead per key see `per_key`.

    A refusal's `retry_after_s` is what the first in the queue has waited so far, where somebody waits.

    Args:
        limit: Calls that may run at once.
        queue: Calls that may wait for a place, first come, first served; 0 refuses at once.
        queue_timeout_s: How long a call waits for a place, in seconds; as long as it takes by default.
        name: As events and messages shall call it.
        clock: Where time comes from.

    Raises:
        ValueError: A number means nothing.
    """
    return Bulkhead(name, limit, queue=queue, timeout_s=queue_timeout_s, clock=clock)
