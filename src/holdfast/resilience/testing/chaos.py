"""Breaks calls on purpose, so that what is built around them is seen to work: in tests, and in rehearsals.

The same seed breaks the same calls. Put it innermost: `policy | chaos(...)`.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from holdfast.resilience.backoff import Chance
from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.policies import Policy

P = ParamSpec("P")
T = TypeVar("T")


class Chaos(Policy):
    """Lets a share of calls fail or dawdle; see `chaos`. `is_on` may be changed at any time."""

    __slots__ = ("_delay_rate", "_delay_s", "_error", "_error_rate", "_rng", "is_on")

    kind = "chaos"

    def __init__(
        self,
        name: str,
        *,
        error: Callable[[], Exception],
        error_rate: float,
        delay_s: float,
        delay_rate: float,
        rng: Chance,
        clock: Clock,
    ) -> None:
        for rate in (error_rate, delay_rate):
            if not 0 <= rate <= 1:
                raise ValueError(f"a rate of {rate} is no share of calls: give 0 to 1")
        super().__init__(name, clock=clock)
        self.is_on = True
        self._error = error
        self._error_rate = error_rate
        self._delay_s = delay_s
        self._delay_rate = delay_rate
        self._rng = rng

    def __repr__(self) -> str:
        """Show how much it breaks."""
        return f"Chaos(error_rate={self._error_rate:g}, delay_rate={self._delay_rate:g})"

    def bind_async(self, fn: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Break some calls of `fn`."""

        async def broken(*args: P.args, **kwargs: P.kwargs) -> T:
            if delay_s := self._draw_delay_s():
                await self._clock.sleep(delay_s)
            self._maybe_fail()
            return await fn(*args, **kwargs)

        return broken

    def bind_sync(self, fn: Callable[P, T]) -> Callable[P, T]:
        """Break some calls of `fn`."""

        def broken(*args: P.args, **kwargs: P.kwargs) -> T:
            if delay_s := self._draw_delay_s():
                self._clock.sleep_sync(delay_s)
            self._maybe_fail()
            return fn(*args, **kwargs)

        return broken

    def _draw_delay_s(self) -> float:
        if not self.is_on or self._rng.uniform(0, 1) >= self._delay_rate:
            return 0.0
        self._tell("delayed", delay_s=self._delay_s)
        return self._delay_s

    def _maybe_fail(self) -> None:
        if self.is_on and self._rng.uniform(0, 1) < self._error_rate:
            error = self._error()
            self._tell("broke", error)
            raise error


def chaos(
    *,
    error: Callable[[], Exception] = ConnectionError,
    error_rate: float = 0.0,
    delay_s: float = 0.0,
    delay_rate: float = 0.0,
    seed: int | None = None,
    name: str = "",
    clock: Clock = SYSTEM_CLOCK,
) -> Chaos:
    """Break a share of calls.

    Args:
        error: Makes what is raised instead of calling.
        error_rate: The share of calls that fail, 0 to 1.
        delay_s: How many seconds a call that dawdles is late.
        delay_rate: The share of calls that dawdle, 0 to 1.
        seed: Breaks the same calls each time.
        name: As events shall call it.
        clock: Where time comes from.

    Raises:
        ValueError: A rate is no share.
    """
    return Chaos(
        name,
        error=error,
        error_rate=error_rate,
        delay_s=delay_s,
        delay_rate=delay_rate,
        rng=random.Random(seed),  # noqa: S311 -- breaks things in tests, guards nothing
        clock=clock,
    )
