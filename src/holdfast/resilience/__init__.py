"""Keeps one failing dependency from becoming an outage: retries, breakers, deadlines, rates, bulkheads.

Owns the patterns for async and plain functions, as decorators or calls, alone or composed with `|`, the leftmost
outermost. Refuses everything outside the standard library, so that any program can afford it; what needs more stands
in submodules that are doors of their own: `.testing`, `.redis`, `.sql`, `.http`, `.concurrency`.
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
from holdfast.resilience.events import Listener, PolicyEvent, listen
from holdfast.resilience.policies import RECOMMENDED_ORDER, Composed, Policy
from holdfast.resilience.rates import RateLimit, rate_limit
from holdfast.resilience.retries import Jitter, Retry, retry

__all__ = [
    "RECOMMENDED_ORDER",
    "Breaker",
    "BreakerChange",
    "BreakerOpen",
    "BreakerState",
    "Bulkhead",
    "BulkheadFull",
    "Clock",
    "Composed",
    "DeadlineExceeded",
    "Jitter",
    "Listener",
    "Policy",
    "PolicyEvent",
    "RateLimit",
    "RateLimited",
    "ResilienceError",
    "Retry",
    "SystemClock",
    "Timeout",
    "breaker",
    "bulkhead",
    "listen",
    "rate_limit",
    "retry",
    "timeout",
]
