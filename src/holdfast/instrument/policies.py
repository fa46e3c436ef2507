"""Shows what the policies of `holdfast.resilience` do, as metrics and as log lines: one call at the program's start.

Names of policies become label values, so they are bounded. Successes are not told of: they are in the metrics of
what is called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from holdfast import journal
from holdfast.instrument.labels import BoundedLabel
from holdfast.instrument.registries import PerRegistry, count_folded, watch_once
from holdfast.resilience import BreakerChange, BreakerState, PolicyEvent, listen

MOST_POLICIES: Final = 200
WAIT_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

# What a person may want to know in the morning; the rest is for whoever looks closely, at level debug.
_WARNINGS: Final = frozenset(
    {
        "gave_up",
        "degraded",
        "timed_out",
        "overran",
        "lost",
        "deadlocked",
        "release_failed",
        "store_failed",
        "overflowed",
    }
)


class PolicyMetrics:
    """What policies did, by kind and name."""

    def __init__(self, registry: CollectorRegistry) -> None:
        by_policy = ("kind", "policy")
        self.names = BoundedLabel(MOST_POLICIES, count_folded(registry, "policy"))
        self.events = Counter(
            "resilience_events",
            "What policies did: retried, gave_up, refused, timed_out, hedged, degraded, opened, ...",
            (*by_policy, "what"),
            registry=registry,
        )
        self.waits = Histogram(
            "resilience_retry_wait_seconds",
            "Seconds that retries waited before the next attempt.",
            ("policy",),
            buckets=WAIT_BUCKETS_S,
            registry=registry,
        )
        self.breakers = Gauge(
            "resilience_breaker_state",
            "0 closed, 1 half open, 2 open.",
            ("policy",),
            multiprocess_mode="livemax",
            registry=registry,
        )

    def count(self, event: PolicyEvent) -> None:
        """Take one event in."""
        name = self.names.admit(event.name)
        self.events.labels(event.kind, name, event.what).inc()
        wait_s = event.detail.get("wait_s")
        if event.what == "retried" and isinstance(wait_s, float | int):
            self.waits.labels(name).observe(wait_s)
        if isinstance(event, BreakerChange):
            self.breakers.labels(name).set(_LEVELS[event.after])


_LEVELS: Final = {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}


_METRICS: Final = PerRegistry(PolicyMetrics)


def policy_metrics(registry: CollectorRegistry = REGISTRY) -> PolicyMetrics:
    """Give the registry's set for policies, made at first use; its `count` is a listener."""
    return _METRICS(registry)


def write_policy_event(event: PolicyEvent) -> None:
    """Write one event as a log line, named `retry_gave_up`, `breaker_open`, ...; a listener."""
    fields = dict(event.detail)
    if isinstance(event, BreakerChange):
        fields |= {"before": event.before.value, "after": event.after.value, "failures": event.failures}
    if event.error is not None:
        fields["error"] = f"{type(event.error).__name__}: {event.error}"
    matters = event.what in _WARNINGS or isinstance(event, BreakerChange)
    log = _LOG.warning if matters else _LOG.debug
    log(f"{event.kind}_{event.what}", policy=event.name, **fields)


def watch_policies(registry: CollectorRegistry = REGISTRY, *, is_logging: bool = True) -> Callable[[], None]:
    """Count what every policy of this process does, and log what matters of it, from now on.

    Returns:
        A function that ends it.
    """
    metrics = policy_metrics(registry)
    stops = [watch_once(metrics, registry, lambda: listen(metrics.count))]
    if is_logging:
        stops.append(watch_once(write_policy_event, REGISTRY, lambda: listen(write_policy_event)))

    def stop() -> None:
        for each in stops:
            each()

    return stop


_LOG: Final = journal.get_logger("holdfast.resilience")
