"""How long to wait before the next attempt: exponential bounds, and how chance spreads a crowd of clients below them.

The four kinds of jitter, and why full jitter is the default, are Marc Brooker's:
https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

LARGEST_EXPONENT: Final = 63  # beyond it the bound is over any cap, and a float would overflow


class Chance(Protocol):
    """Where chance comes from: a `random.Random`, or the module `random` itself, which a forked process seeds anew."""

    def uniform(self, a: float, b: float, /) -> float:
        """Draw between `a` and `b`."""
        ...


class Jitter(StrEnum):
    """How a wait is drawn, where b is the exponential bound of the attempt."""

    FULL = "full"  # between 0 and b
    EQUAL = "equal"  # between b/2 and b: a wait is never next to nothing
    DECORRELATED = "decorrelated"  # between the base and three times the wait before
    NONE = "none"  # b


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that grow: `base_s`, twice that, four times, ... up to `cap_s`, in seconds, drawn by `jitter`.

    Attributes:
        attempts: How often to call in all when errors of this kind come; None leaves that to the retry.
    """

    base_s: float = 0.1
    cap_s: float = 10.0
    jitter: Jitter | str = Jitter.FULL
    factor: float = 2.0
    attempts: int | None = None

    def __post_init__(self) -> None:
        """Refuse numbers that cannot mean anything."""
        if self.base_s < 0 or self.cap_s < 0:
            raise ValueError(f"base_s={self.base_s} and cap_s={self.cap_s} are seconds and cannot be negative")
        if self.factor < 1:
            raise ValueError(f"factor={self.factor} would make the waits shorter with every failure")
        if self.attempts is not None and self.attempts < 1:
            raise ValueError(f"attempts is {self.attempts}; the first call counts, so give at least 1")
        object.__setattr__(self, "jitter", Jitter(self.jitter))

    def wait_s(self, failures: int, before_s: float = 0.0, rng: Chance = random) -> float:
        """Draw the seconds to wait after `failures` in a row, the wait before having been `before_s` (0 at first)."""
        if self.jitter is Jitter.DECORRELATED:
            return min(self.cap_s, rng.uniform(self.base_s, max(self.base_s, before_s * 3)))
        bound_s = min(self.cap_s, self.base_s * self.factor ** min(failures - 1, LARGEST_EXPONENT))
        if self.jitter is Jitter.FULL:
            return rng.uniform(0, bound_s)
        return rng.uniform(bound_s / 2, bound_s) if self.jitter is Jitter.EQUAL else bound_s


class Pauses:
    """The waits of a loop that goes on for ever, longer with each failure: ask `next_s()`, and `reset()` when it works.

    For a supervisor or a background loop; a call that ends takes a `retry`.
    """

    __slots__ = ("_backoff", "_before_s", "_failures", "_rng")

    def __init__(self, backoff: Backoff, *, rng: Chance = random) -> None:
        self._backoff = backoff
        self._rng = rng
        self._failures = 0
        self._before_s = 0.0

    def next_s(self) -> float:
        """Count a failure, and give the seconds to wait after it."""
        self._failures += 1
        self._before_s = self._backoff.wait_s(self._failures, self._before_s, self._rng)
        return self._before_s

    def reset(self) -> None:
        """Begin with short waits again."""
        self._failures = 0
        self._before_s = 0.0
