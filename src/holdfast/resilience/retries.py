"""Tries a call again after a fault that passes by itself, waiting longer each time, out of step with others.

Full jitter draws each wait between zero and the exponential bound, which spreads a crowd of clients best:
https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/. Budgets over many calls come later.
"""

from __future__ import annotations

import random
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.policies import Policy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

P = ParamSpec("P")
T = TypeVar("T")

TRANSIENT: Final = (ConnectionError, TimeoutError)
LARGEST_EXPONENT: Final = 63  # beyond it the bound is over any cap, and a float would overflow


class Jitter(StrEnum):
    """How a wait is drawn below its exponential bound."""

    FULL = "full"
    NONE = "none"


class Retry(Policy):
    """Calls again after an error of a kind in `on`, at most `attempts` times in all; see `retry`."""

    __slots__ = ("attempts", "base_s", "cap_s", "jitter", "on", "rng")

    kind = "retry"

    def __init__(
        self,
        name: str,
        *,
        attempts: int,
        base_s: float,
        cap_s: float,
        jitter: Jitter,
        on: tuple[type[Exception], ...],
        clock: Clock,
        rng: random.Random,
    ) -> None:
        if attempts < 1:
            raise ValueError(f"attempts is {attempts}; the first call counts, so give at least 1")
        if base_s < 0 or cap_s < 0:
            raise ValueError(f"base_s={base_s} and cap_s={cap_s} are seconds and cannot be negative")
        super().__init__(name, clock=clock)
        self.attempts = attempts
        self.base_s = base_s
        self.cap_s = cap_s
        self.jitter = jitter
        self.on = on
        self.rng = rng

    def __repr__(self) -> str:
        """Show how often it calls."""
        return f"Retry(attempts={self.attempts})"

    def bind_async(self, fn: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Call `fn` until it succeeds or has failed `attempts` times, which raises its last error."""

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            attempt = 1
            while True:
                try:
                    return await fn(*args, **kwargs)
                except self.on as error:
                    if attempt >= self.attempts:
                        raise
                    await self._clock.sleep(self._next_wait_s(attempt, error))
                attempt += 1

        return guarded

    def bind_sync(self, fn: Callable[P, T]) -> Callable[P, T]:
        """Call `fn` until it succeeds or has failed `attempts` times, which raises its last error."""

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            attempt = 1
            while True:
                try:
                    return fn(*args, **kwargs)
                except self.on as error:
                    if attempt >= self.attempts:
                        raise
                    self._clock.sleep_sync(self._next_wait_s(attempt, error))
                attempt += 1

        return guarded

    def _next_wait_s(self, attempt: int, error: Exception) -> float:
        wait_s = self.wait_s(attempt, error)
        self._tell("retried", error, attempt=attempt, wait_s=wait_s)
        return wait_s

    def wait_s(self, attempt: int, error: Exception) -> float:
        """Draw the seconds to wait after the failed `attempt` (from 1).

        An error may ask for a longer wait by its `retry_after_s`; the cap holds for that too.
        """
        bound_s = min(self.cap_s, self.base_s * 2 ** min(attempt - 1, LARGEST_EXPONENT))
        drawn_s = self.rng.uniform(0, bound_s) if self.jitter is Jitter.FULL else bound_s
        asked_s = getattr(error, "retry_after_s", None) or 0.0
        return max(drawn_s, min(asked_s, self.cap_s))


def retry(
    *,
    name: str = "",
    attempts: int = 3,
    base_s: float = 0.1,
    cap_s: float = 10.0,
    jitter: Jitter | str = Jitter.FULL,
    on: tuple[type[Exception], ...] = TRANSIENT,
    clock: Clock = SYSTEM_CLOCK,
    rng: random.Random | None = None,
) -> Retry:
    """Retry calls that may be repeated without harm.

    Args:
        name: As events and messages shall call it.
        attempts: How often to call in all, the first call included.
        base_s: Bound of the first wait in seconds; it doubles with each attempt.
        cap_s: No wait is longer than this many seconds.
        jitter: "full" draws between zero and the bound, "none" waits the bound itself.
        on: The errors that may pass by themselves. Others, and cancellation, come through at once.
        clock: Where time comes from.
        rng: Where chance comes from; the process's own by default.

    Raises:
        ValueError: A number or the jitter is none.
    """
    return Retry(
        name,
        attempts=attempts,
        base_s=base_s,
        cap_s=cap_s,
        jitter=Jitter(jitter),
        on=on,
        clock=clock,
        rng=rng or random.Random(),  # noqa: S311 -- spreads load, guards nothing
    )
