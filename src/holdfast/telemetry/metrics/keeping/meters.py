"""What the limit of size says of itself, in the registry that the app exposes."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class SizeMeters:
    """What metrics take, may take, and lost to the limit."""

    def __init__(self, registry: CollectorRegistry, max_bytes: int) -> None:
        self.taken = Gauge(
            "holdfast_metrics_size_bytes", "What metrics take on the disk.", ("table",), registry=registry
        )
        self.limit = Gauge(
            "holdfast_metrics_size_limit_bytes", "What they may take; 0 for no limit.", registry=registry
        )
        self.limit.set(max_bytes)
        self.cut = Counter(
            "holdfast_metrics_size_cut_bytes",
            "What went because metrics had grown beyond their limit.",
            ("kind",),
            registry=registry,
        )
        self.newest_days = Counter(
            "holdfast_metrics_size_newest_day_cuts",
            "How often samples less than a day old went, for nothing older was left.",
            registry=registry,
        )
        self.exceeded = Gauge(
            "holdfast_metrics_size_exceeded",
            "1 while metrics take more than they may and nothing is left that could go.",
            registry=registry,
        )
