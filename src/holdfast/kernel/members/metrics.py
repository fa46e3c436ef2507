"""What membership tells of itself."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class MemberMetrics:
    """The instruments, registered once per registry."""

    def __init__(self, registry: CollectorRegistry | None) -> None:
        self.alive = Gauge(
            "holdfast_members",
            "Processes of a kind that are alive, this one among them, and share its work.",
            ("kind",),
            registry=registry,
        )
        self.changes = Counter(
            "holdfast_member_changes_total", "Times that the members of a kind changed.", ("kind",), registry=registry
        )
        self.failures = Counter(
            "holdfast_member_beat_failures_total",
            "Beats that the database did not take; the members last known stay.",
            ("kind",),
            registry=registry,
        )
