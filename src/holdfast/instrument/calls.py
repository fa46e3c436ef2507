"""The metrics of remote procedure calls, served and made. One set per registry.

Names are those of OpenTelemetry's RPC conventions, as Prometheus translates them; the interceptors stand in
`grpc_servers` and `grpc_clients`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import Counter, Gauge, Histogram

from holdfast.instrument.labels import BoundedLabel
from holdfast.instrument.registries import PerRegistry, count_folded

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

MOST_METHODS: Final = 500
# https://opentelemetry.io/docs/specs/semconv/rpc/rpc-metrics/ advises these bounds, in seconds.
BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)


class CallMetrics:
    """Calls of one side, by method (`shop.Inventory/Reserve`) and code (`OK`, `NOT_FOUND`, ...)."""

    def __init__(self, registry: CollectorRegistry, side: str) -> None:
        self.methods = BoundedLabel(MOST_METHODS, count_folded(registry, f"rpc_{side}_method"))
        self.calls = Counter(f"rpc_{side}_calls", "Calls that ended.", ("method", "code"), registry=registry)
        self.duration = Histogram(
            f"rpc_{side}_call_duration_seconds",
            "From a call's begin to its last message.",
            ("method",),
            buckets=BUCKETS_S,
            registry=registry,
        )
        self.active = Gauge(
            f"rpc_{side}_active_calls", "Calls under way.", ("method",), multiprocess_mode="livesum", registry=registry
        )

    def finish(self, method: str, code: str, duration_s: float, exemplar: dict[str, str] | None) -> None:
        """Count a call that has ended."""
        self.active.labels(method).dec()
        self.calls.labels(method, code).inc()
        self.duration.labels(method).observe(duration_s, exemplar)


served_calls: Final = PerRegistry(lambda registry: CallMetrics(registry, "server"))
"""Gives the registry's set for calls that come in."""
made_calls: Final = PerRegistry(lambda registry: CallMetrics(registry, "client"))
"""Gives the registry's set for calls that go out."""
