"""Metrics and trace context for applications, in a few lines, with labels that cannot explode.

Owns the instrumentation of HTTP, incoming (any ASGI app) and outgoing (httpx), and of the policies of
`holdfast.resilience`, on prometheus_client and the OpenTelemetry API. Refuses to choose an SDK or an exporter:
without one, trace context is still passed on.
"""

from holdfast.instrument.asgi import AsgiMiddleware
from holdfast.instrument.exposition import metrics_endpoint
from holdfast.instrument.labels import OTHER, BoundedLabel
from holdfast.instrument.outgoing import httpx_hooks
from holdfast.instrument.policies import PolicyMetrics, policy_metrics, watch_policies, write_policy_event

__all__ = [
    "OTHER",
    "AsgiMiddleware",
    "BoundedLabel",
    "PolicyMetrics",
    "httpx_hooks",
    "metrics_endpoint",
    "policy_metrics",
    "watch_policies",
    "write_policy_event",
]
