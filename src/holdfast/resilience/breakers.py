"""Stops calling what keeps failing, so that it can recover and callers fail fast; asks again with one probe.

Closed lets calls pass and counts failures in a row; open refuses them for `reset_s`; half-open lets one
through, whose outcome decides. The pattern is Nygard's ("Release It!", 2007). Failure rates come later.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ParamSpec, TypeVar

from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.errors import BreakerOpen
from holdfast.resilience.events import PolicyEvent, tell
from holdfast.resilience.policies import Policy

P = ParamSpec("P")
T = TypeVar("T")


class BreakerState(StrEnum):
    """Whether calls pass (closed), are refused (open), or one is tried (half_open)."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerChange(PolicyEvent):
    """One change of state; `failures` is the count of failures in a row that it came from."""

    before: BreakerState
    after: BreakerState
    failures: int


class Breaker(Policy):
    """A circuit breaker, used as a policy or by hand; see `breaker`.

    By hand: ask `allow()` before the call, then report with `record_success()` or `record_failure()`.
    Threads may share it.
    """

    __slots__ = (
        "_epoch",
        "_failures",
        "_lock",
        "_on",
        "_since_s",
        "_state",
        "_threshold",
        "reset_s",
    )

    kind = "breaker"

    def __init__(
        self, name: str, *, failures: int, reset_s: float, on: tuple[type[Exception], ...], clock: Clock
    ) -> None:
        if failures < 1 or reset_s <= 0:
            raise ValueError(f"breaker {name!r}: failures={failures} and reset_s={reset_s} must be positive")
        super().__init__(name, clock=clock)
        self.reset_s = reset_s
        self._threshold = failures
        self._on = on
        self._lock = threading.Lock()
        self._state = BreakerState.CLOSED
        self._failures = 0
        self._since_s = 0.0  # when it opened, or when the probe of a half-open breaker left
        self._epoch = 0  # counts changes of state, so that a late report is known to be late

    def __repr__(self) -> str:
        """Name it and its state."""
        return f"Breaker({self.name!r}, {self._state})"

    @property
    def state(self) -> BreakerState:
        """The state now; an open breaker whose `reset_s` has passed stays open until somebody asks."""
        return self._state

    @property
    def retry_after_s(self) -> float:
        """Seconds until `allow()` may say yes again; 0 when it may now."""
        if self._state is BreakerState.CLOSED:
            return 0.0
        return max(0.0, self._since_s + self.reset_s - self._clock.monotonic())

    def allow(self) -> bool:
        """Tell whether to call now. A yes in half-open is the one probe: report its outcome.

        A probe that is never reported is given up after `reset_s`, and the next one may go.
        """
        return self._state is BreakerState.CLOSED or self._allow_probe()

    def _allow_probe(self) -> bool:
        with self._lock:
            if self.retry_after_s > 0:
                return False
            if self._state is BreakerState.CLOSED:  # another thread closed it since we looked
                return True
            self._since_s = self._clock.monotonic()
            change = self._enter(BreakerState.HALF_OPEN)
        self._announce(change)
        return True

    def record_success(self) -> None:
        """Report that the dependency answered, asked or not: counting starts afresh, the breaker closes."""
        self._record(self._epoch, failed=False)

    def record_failure(self) -> None:
        """Report that the dependency failed: the last one allowed, or the probe, opens the breaker.

        One that is open already stays so no longer for it: that call began before.
        """
        self._record(self._epoch, failed=True)

    def bind_async(self, fn: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Call `fn` if the breaker lets it, else raise BreakerOpen; errors outside `on` count as an answer."""

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            epoch = self._admit()
            try:
                result = await fn(*args, **kwargs)
            except BaseException as error:
                self._record_error(epoch, error)
                raise
            self._record(epoch, failed=False)
            return result

        return guarded

    def bind_sync(self, fn: Callable[P, T]) -> Callable[P, T]:
        """Call `fn` if the breaker lets it, else raise BreakerOpen; errors outside `on` count as an answer."""

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            epoch = self._admit()
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:
                self._record_error(epoch, error)
                raise
            self._record(epoch, failed=False)
            return result

        return guarded

    def _admit(self) -> int:
        if not self.allow():
            wait_s = self.retry_after_s
            told = f"breaker {self.name!r} is open for {wait_s:.1f} s more"
            raise BreakerOpen(told, policy=self.name, retry_after_s=wait_s)
        return self._epoch

    def _record_error(self, epoch: int, error: BaseException) -> None:
        if isinstance(error, Exception):
            self._record(epoch, failed=isinstance(error, self._on))
        else:
            self._give_probe_back(epoch)

    def _record(self, epoch: int, *, failed: bool) -> None:
        if not failed and self._state is BreakerState.CLOSED and not self._failures:
            return
        with self._lock:
            if epoch != self._epoch:  # begun before the last change of state: it says nothing about now
                return
            change = self._count_failure() if failed else self._count_success()
        self._announce(change)

    def _count_failure(self) -> BreakerChange | None:
        self._failures += 1
        is_few = self._state is BreakerState.CLOSED and self._failures < self._threshold
        if is_few or self._state is BreakerState.OPEN:
            return None
        self._since_s = self._clock.monotonic()
        return self._enter(BreakerState.OPEN)

    def _count_success(self) -> BreakerChange | None:
        change = self._enter(BreakerState.CLOSED) if self._state is not BreakerState.CLOSED else None
        self._failures = 0
        return change

    def _give_probe_back(self, epoch: int) -> None:
        """Let the next caller probe at once: this one was cancelled and learned nothing."""
        with self._lock:
            if epoch == self._epoch and self._state is BreakerState.HALF_OPEN:
                self._since_s = self._clock.monotonic() - self.reset_s

    def _enter(self, after: BreakerState) -> BreakerChange | None:
        before, self._state = self._state, after
        self._epoch += 1
        if before is after:
            return None
        return BreakerChange(
            kind=self.kind,
            name=self.name,
            what=after.value,
            at_s=self._clock.monotonic(),
            before=before,
            after=after,
            failures=self._failures,
        )

    def _announce(self, change: BreakerChange | None) -> None:
        if change is not None:
            tell(self._listeners, change)


def breaker(
    *,
    name: str,
    failures: int = 5,
    reset_s: float = 30.0,
    on: tuple[type[Exception], ...] = (Exception,),
    clock: Clock = SYSTEM_CLOCK,
) -> Breaker:
    """Put a circuit breaker in front of one dependency; share it between all calls of that dependency.

    Args:
        name: The dependency, as messages and metrics shall call it.
        failures: How many failures in a row open it.
        reset_s: Seconds that it stays open before one probe is let through.
        on: The errors that count as failures. Cancellation never does.
        clock: Where time comes from.

    Raises:
        ValueError: `failures` or `reset_s` is not positive.
    """
    return Breaker(name, failures=failures, reset_s=reset_s, on=on, clock=clock)
