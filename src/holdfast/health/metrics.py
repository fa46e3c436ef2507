"""Health's own metrics: is the schedule kept, what runs, what was lost. Of the checks' results see `results`."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_LATENESS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_DURATION = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class HealthMetrics:
    """The instruments, registered once per registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.lateness = Histogram(
            "holdfast_health_schedule_lateness_seconds",
            "Time from when a check was due to when it began.",
            buckets=_LATENESS,
            registry=registry,
        )
        self.probe_duration = Histogram(
            "holdfast_health_probe_duration_seconds",
            "Time of one attempt.",
            ["kind"],
            buckets=_DURATION,
            registry=registry,
        )
        self.attempts = Counter(
            "holdfast_health_attempts_total", "Attempts by kind and verdict.", ["kind", "verdict"], registry=registry
        )
        self.skipped = Counter(
            "holdfast_health_skipped_total",
            "Scheduled runs that did not happen: still running, missed, breaker open.",
            ["reason"],
            registry=registry,
        )
        self.running = Gauge("holdfast_health_running", "Checks that are being asked right now.", registry=registry)
        self.waiting = Gauge("holdfast_health_waiting", "Due checks that wait for a free slot.", registry=registry)
        self.checks = Gauge("holdfast_health_checks", "Checks on the schedule.", registry=registry)
        self.transitions = Counter(
            "holdfast_health_transitions_total", "Changes of the visible verdict.", ["to"], registry=registry
        )
        self.uncommitted = Counter(
            "holdfast_health_uncommitted_total",
            "Transitions that could not be written down; they are tried again with the next run.",
            registry=registry,
        )
        self.faults = Counter(
            "holdfast_health_run_faults_total", "Runs that ended in an unexpected error.", registry=registry
        )
        self.results_waiting = Gauge(
            "holdfast_health_results_waiting", "Results that are not in the store yet.", registry=registry
        )
        self.results_dropped = Counter(
            "holdfast_health_results_dropped_total",
            "Results given up because the store did not take them in time.",
            registry=registry,
        )
        self.samples_dropped = Counter(
            "holdfast_health_samples_dropped_total",
            "Samples of results that the metric store refused.",
            registry=registry,
        )
