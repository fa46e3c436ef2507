"""What a policy raises when it refuses or ends a call; the call's own errors pass through untouched."""

from __future__ import annotations


class ResilienceError(Exception):
    """A policy refused or ended a call.

    `retry_after_s` tells in how many seconds the same call may succeed; None where nobody can know.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class BreakerOpen(ResilienceError):
    """The breaker in front of the call is open: the dependency failed too often lately."""


class BulkheadFull(ResilienceError):
    """As many calls as allowed are running, and the queue behind them is full."""


class DeadlineExceeded(ResilienceError, TimeoutError):
    """The call did not finish in its time; it was cancelled, but may have had its effect."""


class RateLimited(ResilienceError):
    """The call came sooner than its rate allows; nothing was called."""
