"""What outbound calls tell of themselves."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class OutboundMetrics:
    """Counts calls by purpose and outcome; purposes are constants of the code, so the labels are bounded."""

    def __init__(self, registry: CollectorRegistry | None) -> None:
        self.calls = Counter(
            "holdfast_outbound_calls_total",
            "Outbound calls by purpose and outcome: a status class, refused, timeout, too_large or error.",
            ("purpose", "outcome"),
            registry=registry,
        )
        self.duration = Histogram(
            "holdfast_outbound_duration_seconds",
            "Duration of outbound calls with their redirects.",
            ("purpose",),
            buckets=SECONDS,
            registry=registry,
        )
        self.in_flight = Gauge("holdfast_outbound_in_flight", "Outbound calls being made now.", registry=registry)
