"""The one bucket of a rate without keys, kept as one number: it is on the way of every call, so it takes no lock.

CPython hands its global lock on between two calls or at a loop's end, never between two plain loads, sums and stores of
floats: where nothing is called between reading the number and writing it, no other thread comes between. Where there
is no global lock, `is_lock_free` is false and every call goes through `take`, which has a lock of its own.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from holdfast.resilience.clocks import Clock
from holdfast.resilience.ports import Taken
from holdfast.resilience.rate_rules import ROUNDING_S, Gcra

P = ParamSpec("P")
T = TypeVar("T")


class LoneBucket:
    """When the bucket will be full again, in the clock's monotonic seconds; the arithmetic is that of `Gcra`."""

    __slots__ = ("_clock", "_lock", "_rule", "full_at_s")

    def __init__(self, rule: Gcra, clock: Clock) -> None:
        self.full_at_s = 0.0
        self._rule = rule
        self._clock = clock
        self._lock = threading.Lock()

    @property
    def is_lock_free(self) -> bool:
        """Whether functions may be bound to it."""
        return is_gil_held()

    def renew_lock(self) -> None:
        """Be usable in a forked child."""
        self._lock = threading.Lock()

    def take(self, cost: float, most_wait_s: float) -> Taken:
        """Take `cost` if it is there within `most_wait_s`."""
        with self._lock:
            while True:
                now_s, before_s = self._clock.monotonic(), self.full_at_s
                (_, after_s), wait_s = self._rule.admit((now_s, before_s), now_s, cost, most_wait_s)
                if self.full_at_s == before_s:  # no bound function came between: they do not ask for the lock
                    self.full_at_s = after_s
                    return Taken(wait_s <= most_wait_s, wait_s, now_s + wait_s)

    def give_back(self, cost: float) -> None:
        """Return `cost`."""
        back_s = cost / self._rule.rate
        with self._lock:
            self.full_at_s -= back_s

    def bind_async(
        self, fn: Callable[P, Awaitable[T]], otherwise: Callable[[], Awaitable[None]]
    ) -> Callable[P, Coroutine[Any, Any, T]]:
        """Have each call of `fn` take one; where none is there, await `otherwise` first."""
        one_s, most_s, monotonic = *self._measure(), self._clock.monotonic

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            now_s = monotonic()
            full_at_s = self.full_at_s  # from here to the writing nothing may be called
            if full_at_s < now_s:
                self.full_at_s = now_s + one_s
            elif full_at_s - now_s <= most_s:
                self.full_at_s = full_at_s + one_s
            else:
                await otherwise()
            return await fn(*args, **kwargs)

        return guarded

    def bind_sync(self, fn: Callable[P, T], otherwise: Callable[[], None]) -> Callable[P, T]:
        """Do as `bind_async`."""
        one_s, most_s, monotonic = *self._measure(), self._clock.monotonic

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            now_s = monotonic()
            full_at_s = self.full_at_s  # from here to the writing nothing may be called
            if full_at_s < now_s:
                self.full_at_s = now_s + one_s
            elif full_at_s - now_s <= most_s:
                self.full_at_s = full_at_s + one_s
            else:
                otherwise()
            return fn(*args, **kwargs)

        return guarded

    def _measure(self) -> tuple[float, float]:
        """Give the seconds that one call takes to come back, and the most that a bucket with one left lacks."""
        one_s = 1 / self._rule.rate
        return one_s, (self._rule.burst - 1) / self._rule.rate + ROUNDING_S


def is_gil_held() -> bool:
    """Tell whether threads of this interpreter run Python one at a time."""
    return getattr(sys, "_is_gil_enabled", lambda: True)()
