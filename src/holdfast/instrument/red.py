"""The metrics of requests: rate, errors, duration, sizes, incoming and outgoing. One set per registry.

Status stands on the counters only: on a histogram it would multiply every bucket. Names are those of OpenTelemetry's
HTTP conventions, as Prometheus translates them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from prometheus_client import Counter, Gauge, Histogram

from holdfast.instrument.labels import BoundedLabel
from holdfast.instrument.registries import PerRegistry, count_folded

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

MOST_ROUTES: Final = 500
MOST_PEERS: Final = 200
MOST_ERRORS: Final = 50

# https://opentelemetry.io/docs/specs/semconv/http/http-metrics/ advises these bounds, in seconds.
BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
BUCKETS_BYTES: Final = (100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)


@dataclass(slots=True)
class Exchange:
    """What is known of one request when it is over; sizes are those of bodies, None where there is none to speak of."""

    method: str
    route: str
    status: int
    duration_s: float
    received_bytes: int | None = None
    sent_bytes: int | None = None


class ServerMetrics:
    """Incoming requests, by service, method and route template."""

    def __init__(self, registry: CollectorRegistry) -> None:
        by_route = ("service", "method", "route")
        self.routes = BoundedLabel(MOST_ROUTES, count_folded(registry, "http_route"))
        self.errors = BoundedLabel(MOST_ERRORS, count_folded(registry, "http_exception"))
        self.requests = Counter("http_server_requests", "Requests answered.", (*by_route, "status"), registry=registry)
        self.duration = Histogram(
            "http_server_request_duration_seconds",
            "From the request's arrival to the last byte of its response.",
            by_route,
            buckets=BUCKETS_S,
            registry=registry,
        )
        self.active = Gauge(
            "http_server_active_requests",
            "Requests being answered now.",
            ("service",),
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.received = Histogram(
            "http_server_request_body_size_bytes",
            "Bodies of requests, as far as the app read them.",
            by_route,
            buckets=BUCKETS_BYTES,
            registry=registry,
        )
        self.sent = Histogram(
            "http_server_response_body_size_bytes",
            "Bodies of responses, as they left the app.",
            by_route,
            buckets=BUCKETS_BYTES,
            registry=registry,
        )
        self.exceptions = Counter(
            "http_server_exceptions",
            "Exceptions that left the app instead of an answer.",
            ("service", "route", "exception"),
            registry=registry,
        )
        self._by_route: dict[tuple[str, str, str], tuple[Histogram, Histogram, Histogram]] = {}
        self._by_status: dict[tuple[str, str, str, int], Counter] = {}

    def observe(self, service: str, exchange: Exchange, exemplar: dict[str, str] | None) -> None:
        """Count one request. Children are remembered here: looking them up in the library costs more than counting."""
        key = (service, exchange.method, exchange.route)
        histograms = self._by_route.get(key)
        if histograms is None:
            histograms = (self.duration.labels(*key), self.received.labels(*key), self.sent.labels(*key))
            self._by_route[key] = histograms
        with_status = (*key, exchange.status)
        counter = self._by_status.get(with_status)
        if counter is None:
            counter = self._by_status[with_status] = self.requests.labels(*key, str(exchange.status))
        counter.inc()
        duration, received, sent = histograms
        duration.observe(exchange.duration_s, exemplar)
        if exchange.received_bytes is not None:
            received.observe(exchange.received_bytes)
        if exchange.sent_bytes is not None:
            sent.observe(exchange.sent_bytes)


class ClientMetrics:
    """Outgoing requests, by peer and method."""

    def __init__(self, registry: CollectorRegistry) -> None:
        by_peer = ("peer", "method")
        self.peers = BoundedLabel(MOST_PEERS, count_folded(registry, "http_peer"))
        self.error_types = BoundedLabel(MOST_ERRORS, count_folded(registry, "http_client_error"))
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
        self.active = Gauge(
            "http_client_active_requests",
            "Requests that wait for the headers of a response.",
            by_peer,
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.failures = Counter(
            "http_client_request_failures",
            "Requests that got no response, by the class of the error.",
            (*by_peer, "error"),
            registry=registry,
        )
        self.sent = Histogram(
            "http_client_request_body_size_bytes",
            "Bodies of requests whose length was known beforehand.",
            by_peer,
            buckets=BUCKETS_BYTES,
            registry=registry,
        )
        self.received = Histogram(
            "http_client_response_body_size_bytes",
            "Bodies of responses that said their length.",
            by_peer,
            buckets=BUCKETS_BYTES,
            registry=registry,
        )


server_metrics: Final = PerRegistry(ServerMetrics)
"""Gives the registry's set for incoming requests."""
client_metrics: Final = PerRegistry(ClientMetrics)
"""Gives the registry's set for outgoing requests."""
