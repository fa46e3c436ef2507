"""Tries a call again after a fault that passes by itself, waiting longer each time, out of step with others.

Full jitter draws each wait between zero and the exponential bound, which spreads a crowd of clients best:
https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/. Budgets over many calls come later.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.policies import Policy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

P = ParamSpec("P")
T = TypeVar("T")

TRANSIENT: Final = (ConnectionError, TimeoutError)
LARGEST_EXPONENT: Final = 63  # beyond it the bound is over any cap, and a float would overflow


class Jitter(StrEnum):
    """How a wait is drawn below its exponential bound."""

    FULL = "full"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Retry(Policy):
    """Calls again after an error of a kind in `on`, at most `attempts` times in all; see `retry`."""

    attempts: int
    base_s: float
    cap_s: float
    jitter: Jitter
    on: tuple[type[Exception], ...]
    clock: Clock = field(repr=False)
    rng: random.Random = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse numbers that cannot mean anything."""
        if self.attempts < 1:
            raise ValueError(f"attempts is {self.attempts}; the first call counts, so give at least 1")
        if self.base_s < 0 or self.cap_s < 0:
            raise ValueError(f"base_s={self.base_s} and cap_s={self.cap_s} are seconds and cannot be negative")

    async def call(self, fn: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `fn` until it succeeds or has failed `attempts` times, which raises its last error."""
        for attempt in range(1, self.attempts):
            try:
                return await fn(*args, **kwargs)
            except self.on as error:
                wait_s = self.wait_s(attempt, error)
            await self.clock.sleep(wait_s)
        return await fn(*args, **kwargs)

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
    return Retry(attempts, base_s, cap_s, Jitter(jitter), on, clock, rng or random.Random())  # noqa: S311 -- spreads load, guards nothing
