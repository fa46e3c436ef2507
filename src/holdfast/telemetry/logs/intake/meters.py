"""What the doors of logs tell of themselves; `door` is one of a handful of constants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from holdfast.telemetry.ledger import NO_LEDGER, Signal, reason_of

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.ledger import Notes
    from holdfast.telemetry.logs.arrivals import LogsWritten
    from holdfast.telemetry.metrics.intake import Refusals

_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)


class LogMeters:
    """Counters of all doors; made once per process."""

    def __init__(self, registry: CollectorRegistry | None = None, ledger: Notes = NO_LEDGER) -> None:
        self._ledger = ledger
        registry = registry or CollectorRegistry()
        self.accepted = Counter(
            "holdfast_logs_accepted_total", "Log records that were stored, by door.", ("door",), registry=registry
        )
        self.refused = Counter(
            "holdfast_logs_refused_total",
            "Log records that were refused for good, by door and reason.",
            ("door", "reason"),
            registry=registry,
        )
        self.failed = Counter(
            "holdfast_logs_failed_requests_total",
            "Requests with logs of which nothing was stored, by door and error code.",
            ("door", "code"),
            registry=registry,
        )
        self.decoding = Histogram(
            "holdfast_logs_decode_seconds",
            "Time to decode one request with logs, by door.",
            ("door",),
            buckets=_SECONDS,
            registry=registry,
        )

    def note(self, tenant: TenantId, door: str, written: LogsWritten, refusals: Refusals) -> None:
        """Count what became of a request."""
        if written.records:
            self.accepted.labels(door).inc(written.records)
        for reason, count in refusals.counts.items():
            self.refused.labels(door, reason).inc(count)
            ours = count - written.refused.get(reason, 0)  # what the sink refused, it has noted
            for service, part in refusals.shares(reason, ours) if ours else ():
                self._ledger.note(tenant, Signal.LOGS, service, reason_of(reason), records=part)
