"""Metrics and trace context for applications, in a few lines, with labels that cannot explode.

Owns the instrumentation of what comes in (ASGI, WSGI, gRPC), what goes out (httpx, SQLAlchemy, redis-py, gRPC, Celery,
messages), of the process, its event loops, executors, caches and shippers of logs, of the policies of
`holdfast.resilience`, and metrics of the business by decorator; on prometheus_client and the OpenTelemetry API. Refuses
to choose an SDK or an exporter. A part is loaded when it is first asked for, and with it the library that it is about.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.instrument.asgi import AsgiMiddleware
    from holdfast.instrument.business import counted, gauge_of, in_progress, timed
    from holdfast.instrument.caches import CountedMapping, watch_cache
    from holdfast.instrument.executors import watch_executor
    from holdfast.instrument.exposition import encode_metrics, metrics_endpoint
    from holdfast.instrument.grpc_clients import GrpcClientInterceptor, grpc_aio_client_interceptors
    from holdfast.instrument.grpc_servers import GrpcAioServerInterceptor, GrpcServerInterceptor
    from holdfast.instrument.guards import Bounded, bounded
    from holdfast.instrument.labels import OTHER, BoundedLabel
    from holdfast.instrument.loop import watch_event_loop
    from holdfast.instrument.messages import processing, sending
    from holdfast.instrument.outgoing import httpx_hooks, watch_httpx
    from holdfast.instrument.policies import PolicyMetrics, policy_metrics, watch_policies, write_policy_event
    from holdfast.instrument.process import watch_process
    from holdfast.instrument.redis import watch_redis
    from holdfast.instrument.shippers import watch_shipper
    from holdfast.instrument.sql import watch_sqlalchemy
    from holdfast.instrument.tasks import watch_celery
    from holdfast.instrument.tracing import continued, current_exemplar, outgoing_headers
    from holdfast.instrument.wsgi import WsgiMiddleware

__all__ = [
    "OTHER",
    "AsgiMiddleware",
    "Bounded",
    "BoundedLabel",
    "CountedMapping",
    "GrpcAioServerInterceptor",
    "GrpcClientInterceptor",
    "GrpcServerInterceptor",
    "PolicyMetrics",
    "WsgiMiddleware",
    "bounded",
    "continued",
    "counted",
    "current_exemplar",
    "encode_metrics",
    "gauge_of",
    "grpc_aio_client_interceptors",
    "httpx_hooks",
    "in_progress",
    "metrics_endpoint",
    "outgoing_headers",
    "policy_metrics",
    "processing",
    "sending",
    "timed",
    "watch_cache",
    "watch_celery",
    "watch_event_loop",
    "watch_executor",
    "watch_httpx",
    "watch_policies",
    "watch_process",
    "watch_redis",
    "watch_shipper",
    "watch_sqlalchemy",
    "write_policy_event",
]

_HOMES = {
    "asgi": "AsgiMiddleware",
    "guards": "Bounded bounded",
    "business": "counted gauge_of in_progress timed",
    "caches": "CountedMapping watch_cache",
    "executors": "watch_executor",
    "exposition": "encode_metrics metrics_endpoint",
    "grpc_clients": "GrpcClientInterceptor grpc_aio_client_interceptors",
    "grpc_servers": "GrpcAioServerInterceptor GrpcServerInterceptor",
    "labels": "OTHER BoundedLabel",
    "loop": "watch_event_loop",
    "messages": "processing sending",
    "outgoing": "httpx_hooks watch_httpx",
    "policies": "PolicyMetrics policy_metrics watch_policies write_policy_event",
    "process": "watch_process",
    "redis": "watch_redis",
    "shippers": "watch_shipper",
    "sql": "watch_sqlalchemy",
    "tasks": "watch_celery",
    "tracing": "continued current_exemplar outgoing_headers",
    "wsgi": "WsgiMiddleware",
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
