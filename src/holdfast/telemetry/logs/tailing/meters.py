"""What live tails tell of themselves at `/metrics`."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_AGES_S = (1, 10, 60, 300, 900, 1800, 3600, 7200)


class TailMeters:
    """Tails that are open, how old they became, what they gave and what they had to leave out."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.open = Gauge("holdfast_log_tails", "Live tails of logs that are open.", ("tenant",), registry=registry)
        self.refused = Counter(
            "holdfast_log_tails_refused", "Live tails that were not opened, for there were too many.", registry=registry
        )
        self.ages = Histogram(
            "holdfast_log_tail_duration_seconds",
            "How long live tails were open.",
            buckets=_AGES_S,
            registry=registry,
        )
        lines = Counter(
            "holdfast_log_tail_lines",
            "Lines of live tails: given to a client, or dropped because it was too slow.",
            ("outcome",),
            registry=registry,
        )
        self.given, self.dropped = lines.labels("given"), lines.labels("dropped")
        self.waiting = Gauge(
            "holdfast_log_tail_buffer_bytes", "Records that wait for live tails, about.", registry=registry
        )
