"""What the doors of metrics tell of themselves; `door` is one of a handful of constants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram

from holdfast.telemetry.ledger import NO_LEDGER, Signal, reason_of

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.ledger import Notes
    from holdfast.telemetry.metrics.arrivals import Written
    from holdfast.telemetry.metrics.intake.refusals import Refusals

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)


class IntakeMeters:
    """Counters of all doors; made once per process."""

    def __init__(self, registry: CollectorRegistry | None = None, ledger: Notes = NO_LEDGER) -> None:
        self._ledger = ledger
        registry = registry or CollectorRegistry()
        self.accepted = Counter(
            "holdfast_ingest_accepted_total",
            "Samples, histograms and exemplars that were stored, by door and kind.",
            ("door", "kind"),
            registry=registry,
        )
        self.refused = Counter(
            "holdfast_ingest_refused_total",
            "Samples that were refused for good, by door and reason.",
            ("door", "reason"),
            registry=registry,
        )
        self.failed = Counter(
            "holdfast_ingest_failed_requests_total",
            "Requests of which nothing was stored, by door and error code.",
            ("door", "code"),
            registry=registry,
        )
        self.received_bytes = Counter(
            "holdfast_ingest_received_bytes_total",
            "Bytes of bodies after decompression, by door.",
            ("door",),
            registry=registry,
        )
        self.decoding = Histogram(
            "holdfast_ingest_decode_seconds",
            "Time to decode one request, by door.",
            ("door",),
            buckets=_SECONDS,
            registry=registry,
        )

    def note(self, tenant: TenantId, door: str, written: Written, refusals: Refusals) -> None:
        """Count what became of a request."""
        for kind in ("samples", "histograms", "exemplars"):
            count = getattr(written, kind)
            if count:
                self.accepted.labels(door, kind).inc(count)
        for reason, count in refusals.counts.items():
            self.refused.labels(door, reason).inc(count)
            ours = count - written.refused.get(reason, 0)  # what the sink refused, it has noted
            for service, part in refusals.shares(reason, ours) if ours else ():
                self._ledger.note(tenant, Signal.METRICS, service, reason_of(reason), records=part)
