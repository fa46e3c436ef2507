"""The arithmetic of rates, without keys, locks or clocks: state and time go in, state and wait come out.

A state begins with the last time that it saw. A clock that is a little behind it counts as standing still; one that was
set back takes the whole state with it, so that nobody gains a token and nobody waits for the clock to catch up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from holdfast.resilience.ports import RateRule, RateState

ROUNDING_S: Final = 1e-9
"""A wait below this is the rounding of a float."""

_SET_BACK_S: Final = 1.0
"""A clock that goes back by more than this was set; by less, it is another server's."""

_EXACT_LIMIT: Final = 64
"""A sliding window remembers each call up to this limit; above it, this many slots of its time."""


@dataclass(frozen=True, slots=True)
class Gcra:
    """A bucket kept as one number: when it will be full again (virtual scheduling, ITU-T I.371, annex A).

    `rate` is per second; `burst` may go at once after a rest.
    """

    kind: ClassVar[str] = "gcra"

    rate: float
    burst: float

    @property
    def most_cost(self) -> float:
        """A burst."""
        return self.burst

    def admit(self, state: RateState, now_s: float, cost: float, most_wait_s: float) -> tuple[RateState, float]:
        """Move the moment of being full on by what `cost` takes to come back."""
        full_at_s = now_s
        if state:
            now_s, set_back_s = _follow(state[0], now_s)
            full_at_s = max(state[1] - set_back_s, now_s)
        full_at_s += cost / self.rate
        wait_s = full_at_s - self.burst / self.rate - now_s
        if wait_s <= ROUNDING_S:
            return (now_s, full_at_s), 0.0
        if wait_s <= most_wait_s:
            return (now_s, full_at_s), wait_s
        return (now_s, full_at_s - cost / self.rate) if state else state, wait_s

    def give_back(self, state: RateState, due_s: float, cost: float) -> RateState:  # noqa: ARG002 -- the rules' shape
        """Move it back."""
        return (state[0], state[1] - cost / self.rate) if state else state

    def idle_from_s(self, state: RateState) -> float:
        """Give the moment of being full."""
        return state[1] if state else 0.0


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """A bucket kept as its tokens and their moment; `initial` tokens are in it at first, so it may start empty.

    Tokens are below zero while calls wait for those to come.
    """

    kind: ClassVar[str] = "token_bucket"

    rate: float
    burst: float
    initial: float | None = None

    @property
    def most_cost(self) -> float:
        """A burst."""
        return self.burst

    def admit(self, state: RateState, now_s: float, cost: float, most_wait_s: float) -> tuple[RateState, float]:
        """Fill up for the time that passed, then take `cost`."""
        if state:
            now_s, set_back_s = _follow(state[0], now_s)
            tokens = min(self.burst, state[1] + (now_s - state[0] + set_back_s) * self.rate)
        else:
            tokens = self.burst if self.initial is None else min(self.initial, self.burst)
        left = tokens - cost
        wait_s = -left / self.rate
        if wait_s <= ROUNDING_S:
            return (now_s, left), 0.0
        return (now_s, left if wait_s <= most_wait_s else tokens), wait_s

    def give_back(self, state: RateState, due_s: float, cost: float) -> RateState:  # noqa: ARG002 -- the rules' shape
        """Put the tokens back."""
        return (state[0], min(self.burst, state[1] + cost)) if state else state

    def idle_from_s(self, state: RateState) -> float:
        """Give the moment of being full."""
        return state[0] + (self.burst - state[1]) / self.rate if state else 0.0


@dataclass(frozen=True, slots=True)
class SlidingWindow:
    """At most `limit` in any `window_s` seconds, wherever the window begins.

    Up to a limit of 64 each call is remembered with its moment. Above it calls are counted in 64 slots of the window,
    and each counts until its whole slot has left: never too many, at most a 64th of the window too late.
    After the time last seen, the state is the moments and counts of the slots in turn, oldest first.
    """

    kind: ClassVar[str] = "sliding_window"

    limit: float
    window_s: float

    @property
    def most_cost(self) -> float:
        """A whole window."""
        return self.limit

    @property
    def slot_s(self) -> float:
        """The length of a slot; 0 where each call is remembered."""
        return 0.0 if self.limit <= _EXACT_LIMIT else self.window_s / _EXACT_LIMIT

    def admit(self, state: RateState, now_s: float, cost: float, most_wait_s: float) -> tuple[RateState, float]:
        """Find the first moment at which `cost` fits behind all that were admitted before."""
        if state:
            now_s, set_back_s = _follow(state[0], now_s)
            state = _shift(state, set_back_s) if set_back_s else state
        lasting_s = self.window_s + self.slot_s
        starts, counts = state[1::2], state[2::2]
        due_s = max(now_s, starts[-1]) if starts else now_s
        used, left, gone = sum(counts), 0, 0
        while left < len(starts) and (starts[left] + lasting_s <= due_s + ROUNDING_S or used + cost > self.limit):
            due_s = max(due_s, starts[left] + lasting_s)
            used -= counts[left]
            left += 1
        while gone < left and starts[gone] + lasting_s <= now_s:
            gone += 1
        slots, wait_s = state[1 + 2 * gone :], due_s - now_s
        if wait_s <= ROUNDING_S:
            return (now_s, *self._count(slots, now_s, cost)), 0.0
        return (now_s, *(self._count(slots, due_s, cost) if wait_s <= most_wait_s else slots)), wait_s

    def _count(self, slots: RateState, due_s: float, cost: float) -> RateState:
        start_s = due_s // self.slot_s * self.slot_s if self.slot_s else due_s
        if slots and start_s <= slots[-2]:
            return (*slots[:-1], slots[-1] + cost)
        return (*slots, start_s, cost)

    def give_back(self, state: RateState, due_s: float, cost: float) -> RateState:
        """Take `cost` out of the slot of `due_s`."""
        for place in range(len(state) - 2, 0, -2):
            if state[place] <= due_s + ROUNDING_S:
                left = max(0.0, state[place + 1] - cost)
                return (*state[: place + 1], left, *state[place + 2 :]) if left else state[:place] + state[place + 2 :]
        return state

    def idle_from_s(self, state: RateState) -> float:
        """Give the moment at which the last slot leaves the window."""
        return state[-2] + self.window_s + self.slot_s if len(state) > 1 else 0.0


def _follow(seen_s: float, now_s: float) -> tuple[float, float]:
    """Give the time to count with, and by how much the state's own times must be set back."""
    if now_s >= seen_s:
        return now_s, 0.0
    return (seen_s, 0.0) if seen_s - now_s <= _SET_BACK_S else (now_s, seen_s - now_s)


def _shift(state: RateState, set_back_s: float) -> RateState:
    slots = tuple(value if place % 2 else value - set_back_s for place, value in enumerate(state[1:]))
    return (state[0] - set_back_s, *slots)


def rate_rule(
    algorithm: str = "gcra",
    *,
    rate: float,
    burst: float = 1,
    per_s: float = 1.0,
    initial: float | None = None,
) -> RateRule:
    """Choose the arithmetic of `rate` calls per `per_s` seconds.

    Raises:
        ValueError: A number is not positive, or the algorithm is none.
    """
    if rate <= 0 or burst <= 0 or per_s <= 0:
        raise ValueError(f"rate={rate}, burst={burst} and per_s={per_s} must be positive")
    if initial is not None and (initial < 0 or algorithm != TokenBucket.kind):
        raise ValueError(f"initial={initial} is the tokens that a token_bucket starts with; {algorithm} has none")
    if algorithm == Gcra.kind:
        return Gcra(rate / per_s, burst)
    if algorithm == TokenBucket.kind:
        return TokenBucket(rate / per_s, burst, initial)
    if algorithm == SlidingWindow.kind:
        return SlidingWindow(rate, per_s)
    raise ValueError(f"algorithm={algorithm!r} is none of: {Gcra.kind}, {TokenBucket.kind}, {SlidingWindow.kind}")
