"""The metrics of requests: rate, errors, duration, incoming and outgoing. One set per registry.

Status stands on the counters only: on a histogram it would multiply every bucket.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from prometheus_client import Counter, Gauge, Histogram

from holdfast.instrument.labels import BoundedLabel

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

MOST_ROUTES: Final = 500
MOST_PEERS: Final = 200

# https://opentelemetry.io/docs/specs/semconv/http/http-metrics/ advises these bounds, in seconds.
BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)


class ServerMetrics:
    """Incoming requests, by service, method and route template."""

    def __init__(self, registry: CollectorRegistry) -> None:
        by_route = ("service", "method", "route")
        self.routes = BoundedLabel(MOST_ROUTES)
        self.requests = Counter("http_server_requests", "Requests answered.", (*by_route, "status"), registry=registry)
        self.duration = Histogram(
            "http_server_request_duration_seconds",
            "From the request's arrival to the last byte of its response.",
            by_route,
            buckets=BUCKETS_S,
            registry=registry,
        )
        self.active = Gauge(
            "http_server_active_requests", "Requests being answered now.", ("service",), registry=registry
        )


class ClientMetrics:
    """Outgoing requests, by peer and method."""

    def __init__(self, registry: CollectorRegistry) -> None:
        by_peer = ("peer", "method")
        self.peers = BoundedLabel(MOST_PEERS)
        self.started = Counter(
            "http_client_requests_started",
            "Requests sent; those without a response yet, or ever, are the excess over http_client_requests_total.",
            by_peer,
            registry=registry,
        )
        self.requests = Counter("http_client_requests", "Responses received.", (*by_peer, "status"), registry=registry)
        self.duration = Histogram(
            "http_client_request_duration_seconds",
            "From sending a request to the headers of its response.",
            by_peer,
            buckets=BUCKETS_S,
            registry=registry,
        )


_SERVER: WeakKeyDictionary[CollectorRegistry, ServerMetrics] = WeakKeyDictionary()
_CLIENT: WeakKeyDictionary[CollectorRegistry, ClientMetrics] = WeakKeyDictionary()


def server_metrics(registry: CollectorRegistry) -> ServerMetrics:
    """Give the registry's set for incoming requests, made at first use."""
    if registry not in _SERVER:
        _SERVER[registry] = ServerMetrics(registry)
    return _SERVER[registry]


def client_metrics(registry: CollectorRegistry) -> ClientMetrics:
    """Give the registry's set for outgoing requests, made at first use."""
    if registry not in _CLIENT:
        _CLIENT[registry] = ClientMetrics(registry)
    return _CLIENT[registry]
