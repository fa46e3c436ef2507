"""What blobs tell of themselves."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

_SECONDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0)


class BlobMetrics:
    """Counts operations, bytes and what the sweep removed; owners are constants of the code."""

    def __init__(self, registry: CollectorRegistry | None) -> None:
        self.operations = Counter(
            "holdfast_blobs_operations_total",
            "Operations on blobs by kind (put, get, stat, delete, list) and outcome (ok or an error's code).",
            ("operation", "outcome"),
            registry=registry,
        )
        self.bytes = Counter(
            "holdfast_blobs_bytes_total", "Bytes of blobs, written and read.", ("direction",), registry=registry
        )
        self.duration = Histogram(
            "holdfast_blobs_duration_seconds",
            "Duration of operations on blobs.",
            ("operation",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.swept = Counter(
            "holdfast_blobs_swept_total",
            "Blobs removed because nothing referred to them, by owner.",
            ("owner",),
            registry=registry,
        )
