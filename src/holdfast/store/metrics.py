"""What the store says of itself, in the registry that the app exposes."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_ROWS: Final = (1, 10, 100, 1_000, 10_000, 50_000, 100_000, 500_000)


class StoreMetrics:
    """Queue depths, batch sizes, rows written and refused, latencies and free space."""

    def __init__(self, registry: CollectorRegistry) -> None:
        table = ("table",)
        self.queued_rows = Gauge(
            "holdfast_store_queued_rows", "Rows that wait to be written.", table, registry=registry
        )
        self.queued_bytes = Gauge(
            "holdfast_store_queued_bytes", "Memory of the rows that wait to be written.", table, registry=registry
        )
        self.written = Counter(
            "holdfast_store_rows_written", "Rows that the engine accepted.", table, registry=registry
        )
        self.refused = Counter(
            "holdfast_store_rows_refused",
            "Rows that were not accepted, by error code.",
            ("table", "reason"),
            registry=registry,
        )
        self.retries = Counter("holdfast_store_flush_retries", "Batches sent again.", table, registry=registry)
        self.batch_rows = Histogram(
            "holdfast_store_batch_rows", "Rows per batch.", table, registry=registry, buckets=_ROWS
        )
        self.flush_seconds = Histogram(
            "holdfast_store_flush_seconds",
            "From handing a batch to the engine to its acknowledgement.",
            table,
            registry=registry,
            buckets=_SECONDS,
        )
        self.query_seconds = Histogram(
            "holdfast_store_query_seconds",
            "Queries by outcome: ok, or the error code.",
            ("outcome",),
            registry=registry,
            buckets=_SECONDS,
        )
        self.queries = Gauge("holdfast_store_queries", "Queries running or waiting.", registry=registry)
        self.free_bytes = Gauge("holdfast_store_free_bytes", "Room on the disk of the folder.", registry=registry)
        self.broken_parts = Gauge(
            "holdfast_store_broken_parts", "Parts put aside because their files are damaged.", table, registry=registry
        )
        self.is_full = Gauge("holdfast_store_full", "1 while writes are refused for want of room.", registry=registry)
