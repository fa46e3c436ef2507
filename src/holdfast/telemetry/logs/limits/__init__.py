"""How much a tenant and each stream of logs may send, what is sampled, and what was left out.

Owns the rules and the counts. Refuses to know doors: the sink asks the quota, doors tell senders.
"""

from holdfast.telemetry.logs.limits.quota import LogQuota
from holdfast.telemetry.logs.limits.routes import limit_routes
from holdfast.telemetry.logs.limits.settings import (
    SECTION,
    LogLimitSettings,
    SamplingRule,
    StreamLimit,
    TenantRate,
)

__all__ = [
    "SECTION",
    "LogLimitSettings",
    "LogQuota",
    "SamplingRule",
    "StreamLimit",
    "TenantRate",
    "limit_routes",
]
