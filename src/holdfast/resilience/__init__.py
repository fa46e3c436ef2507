"""Keeps one failing dependency from becoming an outage: retries, breakers, deadlines, rates, bulkheads.

Owns the patterns for calls made by `async` code, alone or composed with `|`; the leftmost policy is the
outermost. Refuses everything outside the standard library, so that any program can afford it. State is per
process.
"""

from holdfast.resilience.breakers import Breaker, BreakerChange, BreakerState, breaker
from holdfast.resilience.bulkheads import Bulkhead, bulkhead
from holdfast.resilience.clocks import Clock, SystemClock
from holdfast.resilience.deadlines import Timeout, timeout
from holdfast.resilience.errors import (
    BreakerOpen,
    BulkheadFull,
    DeadlineExceeded,
    RateLimited,
    ResilienceError,
)
from holdfast.resilience.policies import Policy
from holdfast.resilience.rates import RateLimit, rate_limit
from holdfast.resilience.retries import Jitter, Retry, retry

__all__ = [
    "Breaker",
    "BreakerChange",
    "BreakerOpen",
    "BreakerState",
    "Bulkhead",
    "BulkheadFull",
    "Clock",
    "DeadlineExceeded",
    "Jitter",
    "Policy",
    "RateLimit",
    "RateLimited",
    "ResilienceError",
    "Retry",
    "SystemClock",
    "Timeout",
    "breaker",
    "bulkhead",
    "rate_limit",
    "retry",
    "timeout",
]
