"""What the desk tells of itself."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_DURATION = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)


class QueryMetrics:
    """The instruments, registered once per registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.duration = Histogram(
            "holdfast_queries_duration_seconds",
            "Time from a query's arrival to its answer.",
            ["kind"],
            buckets=_DURATION,
            registry=registry,
        )
        self.failed = Counter(
            "holdfast_queries_failed_total", "Queries without an answer, by error code.", ["code"], registry=registry
        )
        self.samples = Counter("holdfast_queries_samples_total", "Samples that queries loaded.", registry=registry)
        self.running = Gauge("holdfast_queries_running", "Queries that are being answered.", registry=registry)
        self.waiting = Gauge("holdfast_queries_waiting", "Queries that wait for their turn.", registry=registry)
