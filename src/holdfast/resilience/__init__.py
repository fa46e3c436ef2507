"""Keeps one failing dependency from becoming an outage: retries, breakers, deadlines, rates, bulkheads.

Owns the patterns for async and plain functions, as decorators or calls, alone or composed with `|`, the leftmost
outermost. Refuses everything outside the standard library, so that any program can afford it; what needs more stands
in submodules that are doors of their own: `.testing`, `.redis`, `.sql`, `.http`, `.concurrency`. A pattern is loaded
when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.resilience.adaptive import AdaptiveLimit, adaptive_limit
    from holdfast.resilience.attempts import Attempt, Attempts
    from holdfast.resilience.backoff import Backoff, Jitter, Pauses
    from holdfast.resilience.breaker_states import BreakerChange, BreakerState
    from holdfast.resilience.breakers import Breaker, breaker
    from holdfast.resilience.budgets import RetryBudget
    from holdfast.resilience.bulkheads import Bulkhead, bulkhead
    from holdfast.resilience.cached_values import CacheStatistics
    from holdfast.resilience.caches import Cache, cache
    from holdfast.resilience.clocks import Clock, SystemClock
    from holdfast.resilience.configuration import PolicySettingsError
    from holdfast.resilience.deadline_headers import deadline_headers, read_deadline
    from holdfast.resilience.deadlines import check_deadline, remaining, without_deadline
    from holdfast.resilience.degradation import Degraded, DegradedTo, degradations
    from holdfast.resilience.errors import (
        BreakerOpen,
        BulkheadFull,
        DeadlineExceeded,
        FeatureOff,
        LoadShed,
        RateLimited,
        ResilienceError,
        StoreAway,
    )
    from holdfast.resilience.events import Listener, PolicyEvent, listen
    from holdfast.resilience.fallbacks import Fallback, fallback
    from holdfast.resilience.features import Feature
    from holdfast.resilience.hedging import Hedge, hedge, idempotent
    from holdfast.resilience.limit_rules import Aimd, Gradient
    from holdfast.resilience.per_key import PerKey, per_key
    from holdfast.resilience.policies import RECOMMENDED_ORDER, Composed, Policy
    from holdfast.resilience.rates import RateLimit, Reservation, rate_limit
    from holdfast.resilience.registries import Registry, UnknownPolicyError, registry
    from holdfast.resilience.retries import TRANSIENT, Retry, retry
    from holdfast.resilience.retry_after import parse_retry_after
    from holdfast.resilience.shedding import Priority, Shed, current_priority, priority, shed
    from holdfast.resilience.spare_rates import SpareLimiterStore
    from holdfast.resilience.timeouts import SyncMode, Timeout, deadline, timeout

__all__ = [
    "RECOMMENDED_ORDER",
    "TRANSIENT",
    "AdaptiveLimit",
    "Aimd",
    "Attempt",
    "Attempts",
    "Backoff",
    "Breaker",
    "BreakerChange",
    "BreakerOpen",
    "BreakerState",
    "Bulkhead",
    "BulkheadFull",
    "Cache",
    "CacheStatistics",
    "Clock",
    "Composed",
    "DeadlineExceeded",
    "Degraded",
    "DegradedTo",
    "Fallback",
    "Feature",
    "FeatureOff",
    "Gradient",
    "Hedge",
    "Jitter",
    "Listener",
    "LoadShed",
    "Pauses",
    "PerKey",
    "Policy",
    "PolicyEvent",
    "PolicySettingsError",
    "Priority",
    "RateLimit",
    "RateLimited",
    "Registry",
    "Reservation",
    "ResilienceError",
    "Retry",
    "RetryBudget",
    "Shed",
    "SpareLimiterStore",
    "StoreAway",
    "SyncMode",
    "SystemClock",
    "Timeout",
    "UnknownPolicyError",
    "adaptive_limit",
    "breaker",
    "bulkhead",
    "cache",
    "check_deadline",
    "current_priority",
    "deadline",
    "deadline_headers",
    "degradations",
    "fallback",
    "hedge",
    "idempotent",
    "listen",
    "parse_retry_after",
    "per_key",
    "priority",
    "rate_limit",
    "read_deadline",
    "registry",
    "remaining",
    "retry",
    "shed",
    "timeout",
    "without_deadline",
]

# Who offers what: the same as above for those who read types, which a test compares.
_HOMES = {
    "adaptive": "AdaptiveLimit adaptive_limit",
    "attempts": "Attempt Attempts",
    "backoff": "Backoff Jitter Pauses",
    "breaker_states": "BreakerChange BreakerState",
    "breakers": "Breaker breaker",
    "budgets": "RetryBudget",
    "bulkheads": "Bulkhead bulkhead",
    "cached_values": "CacheStatistics",
    "caches": "Cache cache",
    "clocks": "Clock SystemClock",
    "configuration": "PolicySettingsError",
    "deadline_headers": "deadline_headers read_deadline",
    "deadlines": "check_deadline remaining without_deadline",
    "degradation": "Degraded DegradedTo degradations",
    "errors": "BreakerOpen BulkheadFull DeadlineExceeded FeatureOff LoadShed RateLimited ResilienceError StoreAway",
    "events": "Listener PolicyEvent listen",
    "fallbacks": "Fallback fallback",
    "features": "Feature",
    "hedging": "Hedge hedge idempotent",
    "limit_rules": "Aimd Gradient",
    "per_key": "PerKey per_key",
    "policies": "RECOMMENDED_ORDER Composed Policy",
    "rates": "RateLimit Reservation rate_limit",
    "registries": "Registry UnknownPolicyError registry",
    "retries": "TRANSIENT Retry retry",
    "retry_after": "parse_retry_after",
    "shedding": "Priority Shed current_priority priority shed",
    "spare_rates": "SpareLimiterStore",
    "timeouts": "SyncMode Timeout deadline timeout",
}

if not TYPE_CHECKING:  # else a name that does not exist would be an object to a type checker

    def __getattr__(name: str) -> object:
        """Load what is asked for, once."""
        for home, names in _HOMES.items():
            if name in names.split():
                value = getattr(import_module(f"{__name__}.{home}"), name)
                globals()[name] = value
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
