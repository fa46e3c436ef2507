"""What a circuit breaker decides: when it opens, whom it lets probe, when it closes. Pure: time is passed in, no locks.

The states are Nygard's ("Release It!", 2007), rates and slow calls as resilience4j has them. `breakers` puts calls,
locks and listeners around it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from holdfast.resilience.events import PolicyEvent
from holdfast.resilience.outcome_windows import CountWindow, OutcomeWindow, TimeWindow


class BreakerState(StrEnum):
    """Whether calls pass (closed), are refused (open), or one is tried (half_open)."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerChange(PolicyEvent):
    """One change of state.

    Attributes:
        before: The state that it left.
        after: The state that it came to.
        cause: "failures", "failure_rate", "slow_rate", "probe", "time", "by_hand" or "told" (by another process).
        failures: The count of failures in a row that it came from.
    """

    before: BreakerState
    after: BreakerState
    cause: str
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerRule:
    """When a breaker opens and closes; the arguments of `breaker`, which describes them."""

    failures: int | None
    failure_rate: float | None
    slow_rate: float | None
    slow_call_s: float | None
    window_calls: int
    window_s: float | None
    minimum_calls: int
    reset_s: float
    reset_cap_s: float
    probes: int
    probe_s: float

    def __post_init__(self) -> None:
        """Refuse numbers that cannot mean anything."""
        rates = [rate for rate in (self.failure_rate, self.slow_rate) if rate is not None]
        if self.failures is None and not rates:
            raise ValueError("give failures, failure_rate or slow_rate: something must open it")
        numbers = [self.reset_s, self.probes, self.probe_s, self.window_calls, self.minimum_calls]
        numbers += [number for number in (self.failures, self.window_s, self.slow_call_s) if number is not None]
        if min(numbers) <= 0 or self.reset_cap_s < self.reset_s:
            raise ValueError(f"every number must be positive, and reset_cap_s no less than reset_s: {self}")
        if any(not 0 < rate <= 1 for rate in rates):
            raise ValueError(f"failure_rate={self.failure_rate} and slow_rate={self.slow_rate} are parts of 1")
        if (self.slow_rate is None) is not (self.slow_call_s is None):
            raise ValueError("slow_rate and slow_call_s belong together")
        if self.window_s is None and self.minimum_calls > self.window_calls:
            raise ValueError(f"minimum_calls={self.minimum_calls} never are in a window of {self.window_calls} calls")

    def make_window(self) -> OutcomeWindow | None:
        """Give what counts the calls, where a rate is asked for."""
        if self.failure_rate is None and self.slow_rate is None:
            return None
        return CountWindow(self.window_calls) if self.window_s is None else TimeWindow(self.window_s)


@dataclass(frozen=True, slots=True)
class Change:
    """One change of state, with its cause; see `BreakerChange`."""

    before: BreakerState
    after: BreakerState
    cause: str
    failures: int


class BreakerMachine:
    """The state of one breaker.

    A call that is let through gets a ticket: the epoch while it is closed, a number below zero if it is a probe. What
    is reported on a ticket of another time changes nothing.
    """

    __slots__ = (
        "_tickets",
        "epoch",
        "failed_probes",
        "failures",
        "good_probes",
        "is_isolated",
        "open_s",
        "probes",
        "rule",
        "since_s",
        "state",
        "window",
    )

    def __init__(self, rule: BreakerRule) -> None:
        self.rule = rule
        self.state = BreakerState.CLOSED
        self.is_isolated = False
        self.window = rule.make_window()
        self.failures = 0  # in a row
        self.epoch = 0  # counts changes of state
        self.since_s = 0.0
        self.open_s = rule.reset_s
        self.failed_probes = 0  # since it was closed
        self.good_probes = 0
        self.probes: dict[int, float] = {}  # ticket -> when it left
        self._tickets = 0

    def wait_s(self, now_s: float) -> float:
        """Give the seconds until a call may pass again: 0 if one may now, infinite while it is isolated."""
        if self.state is BreakerState.CLOSED:
            return 0.0
        if self.is_isolated:
            return math.inf
        if self.state is BreakerState.OPEN:
            self.since_s = min(self.since_s, now_s)  # the clock was set back: the whole time again, but no more
            return max(0.0, self.since_s + self.open_s - now_s)
        self._give_up_probes(now_s)
        if len(self.probes) + self.good_probes < self.rule.probes:
            return 0.0
        return max(0.0, min(self.probes.values()) + self.rule.probe_s - now_s)

    def _give_up_probes(self, now_s: float) -> None:
        for ticket, left_s in list(self.probes.items()):
            if not left_s <= now_s < left_s + self.rule.probe_s:
                del self.probes[ticket]

    def admit(self, now_s: float) -> tuple[int | None, Change | None]:
        """Give a ticket, or None for a refusal."""
        if self.state is BreakerState.CLOSED:
            return self.epoch, None
        if self.wait_s(now_s) > 0:
            return None, None
        change = self._enter(BreakerState.HALF_OPEN, "time", now_s) if self.state is BreakerState.OPEN else None
        self._tickets -= 1
        self.probes[self._tickets] = now_s
        return self._tickets, change

    def record(self, ticket: int | None, now_s: float, *, failed: bool, is_slow: bool = False) -> Change | None:
        """Take an outcome in; without a ticket it is somebody's word, who did not ask."""
        if ticket is None:
            return self._take_word(now_s, failed=failed)
        if self.state is BreakerState.CLOSED:
            return self._count(now_s, failed=failed, is_slow=is_slow) if ticket == self.epoch else None
        if self.probes.pop(ticket, None) is None:
            return None
        return self._judge_probe(now_s, failed=failed or is_slow)

    def _take_word(self, now_s: float, *, failed: bool) -> Change | None:
        if self.state is BreakerState.CLOSED:
            return self._count(now_s, failed=failed, is_slow=False)
        if self.state is BreakerState.OPEN:
            return None if failed or self.is_isolated else self.close(now_s)
        if self.probes:
            del self.probes[next(iter(self.probes))]
        return self._judge_probe(now_s, failed=failed)

    def _count(self, now_s: float, *, failed: bool, is_slow: bool) -> Change | None:
        self.failures = self.failures + 1 if failed else 0
        cause = self._find_cause(now_s, failed=failed, is_slow=is_slow)
        return self._open(now_s, cause) if cause else None

    def _find_cause(self, now_s: float, *, failed: bool, is_slow: bool) -> str:
        rule, window = self.rule, self.window
        if window is not None:
            window.record(now_s, failed=failed, is_slow=is_slow)
            if (failed or is_slow) and window.calls >= rule.minimum_calls:
                if rule.failure_rate is not None and window.failures >= rule.failure_rate * window.calls:
                    return "failure_rate"
                if rule.slow_rate is not None and window.slow >= rule.slow_rate * window.calls:
                    return "slow_rate"
        return "failures" if rule.failures is not None and self.failures >= rule.failures else ""

    def _judge_probe(self, now_s: float, *, failed: bool) -> Change | None:
        if failed:
            self.failures += 1
            self.failed_probes += 1
            return self._open(now_s, "probe")
        self.good_probes += 1
        return self.close(now_s, "probe") if self.good_probes >= self.rule.probes else None

    def give_back(self, ticket: int) -> None:
        """Forget a call that was cancelled: it says nothing about the dependency; another may probe instead."""
        self.probes.pop(ticket, None)

    def open(self, now_s: float, for_s: float | None = None, cause: str = "by_hand") -> Change | None:
        """Refuse calls for `for_s`, or as long as after that many failed probes; then probe."""
        change = self._open(now_s, cause)
        self.open_s = self.open_s if for_s is None else for_s
        return change

    def isolate(self, now_s: float, cause: str = "by_hand") -> Change | None:
        """Refuse calls until `close`."""
        change = self._open(now_s, cause)
        self.is_isolated = True
        return change

    def close(self, now_s: float, cause: str = "by_hand") -> Change | None:
        """Let calls pass; what was counted is forgotten."""
        self.is_isolated = False
        change = self._enter(BreakerState.CLOSED, cause, now_s)
        self.failures = self.failed_probes = 0
        if self.window is not None:
            self.window.clear()
        return change

    def _open(self, now_s: float, cause: str) -> Change | None:
        longer = min(self.failed_probes, 60)  # beyond it the bound is over any cap, and a float would overflow
        self.open_s = min(self.rule.reset_cap_s, self.rule.reset_s * 2.0**longer)
        self.is_isolated = False
        return self._enter(BreakerState.OPEN, cause, now_s)

    def _enter(self, after: BreakerState, cause: str, now_s: float) -> Change | None:
        before, self.state = self.state, after
        self.epoch += 1
        self.since_s = now_s
        self.good_probes = 0
        self.probes.clear()
        return Change(before, after, cause, self.failures) if before is not after else None
