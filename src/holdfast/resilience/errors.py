"""What a policy raises when it refuses or ends a call; the call's own errors pass through untouched."""

from __future__ import annotations


class ResilienceError(Exception):
    """A policy refused or ended a call.

    Attributes:
        policy: The name of that policy; empty where it has none.
        retry_after_s: In how many seconds the same call may succeed; None where nobody can know.
    """

    def __init__(self, message: str, *, policy: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.policy = policy
        self.retry_after_s = retry_after_s


class BreakerOpen(ResilienceError):
    """The breaker in front of the call is open: the dependency failed too often lately."""


class BulkheadFull(ResilienceError):
    """As many calls as allowed are running, and the queue behind them is full."""


class DeadlineExceeded(ResilienceError, TimeoutError):
    """The call did not finish in its time; it may have had its effect. `policy` names whose time it was."""


class LoadShed(ResilienceError):
    """There is more to do than can be done, and this call mattered less than others; nothing was called."""


class RateLimited(ResilienceError):
    """The call came sooner than its rate allows; nothing was called."""


class FeatureOff(ResilienceError):
    """The feature is switched off, and there was nothing to answer instead; nothing was called."""


class StoreAway(ResilienceError):
    """The store of shared state does not answer, or refuses."""
