"""The engine's own metrics: what runs, what waits, what it costs to write down. Labels are names from code only."""

from __future__ import annotations

from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from holdfast.kernel.runs.model import RunState, StepKind, StepState
from holdfast.kernel.runs.observers import RunObserver

_QUICK: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_LONG: Final = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0)
_CALLS: Final = frozenset({StepKind.STEP, StepKind.COMPENSATION})  # the others only wait
_BATCH: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class RunMetrics(RunObserver):
    """The instruments, registered once per registry; they hear of the engine as its observer."""

    def __init__(self, registry: CollectorRegistry) -> None:
        counter, gauge = partial(Counter, registry=registry), partial(Gauge, registry=registry)
        histogram = partial(Histogram, registry=registry)
        of = ["workflow"]
        self.started = counter("holdfast_runs_started", "Runs whose code began here.", of)
        self.reentered = counter(
            "holdfast_runs_reentered", "Times that a run's code was entered again: after a wait, a crash, a retry.", of
        )
        self.parked = counter("holdfast_runs_parked", "Times that a waiting run left the memory.", of)
        self.finished = counter("holdfast_runs_finished", "Runs that came to an end.", [*of, "state"])
        self.duration = histogram(
            "holdfast_run_duration_seconds", "Time from a run's start to its end, waiting included.", of, buckets=_LONG
        )
        self.step_duration = histogram(
            "holdfast_run_step_duration_seconds",
            "Time of a step that calls code, all its attempts and the pauses between them included.",
            [*of, "state"],
            buckets=_LONG,
        )
        self.step_retries = counter("holdfast_run_step_retries", "Attempts that failed and were tried again.", of)
        self.in_memory = gauge("holdfast_runs_in_memory", "Runs that this process has in memory.")
        self.rows = gauge("holdfast_runs_rows", "Unfinished runs in the database.", ["state"])
        self.stranded = gauge("holdfast_runs_stranded", "Runs whose code has changed under them, waiting for people.")
        self.newly_stranded = counter("holdfast_runs_newly_stranded", "Runs that this process found stranded.", of)
        self.queue_depth = gauge("holdfast_run_queue_depth", "Runs that are due and wait in a queue.", ["queue"])
        self.queue_oldest_wait = gauge(
            "holdfast_run_queue_oldest_wait_seconds", "How long the longest-waiting due run has waited.", ["queue"]
        )
        self.journal_batch = histogram(
            "holdfast_run_journal_batch_size", "Operations that shared one commit.", buckets=_BATCH
        )
        self.journal_commit = histogram(
            "holdfast_run_journal_commit_seconds", "Time until a batch of the journal was durable.", buckets=_QUICK
        )
        self.journal_waiting = gauge("holdfast_run_journal_waiting", "Operations that wait to be written.")
        self.fenced = counter("holdfast_run_writes_fenced", "Writes refused because another process owns the run.")
        self.taken_over = counter("holdfast_run_leases_taken_over", "Runs taken over from a process that gave no sign.")
        self.deleted = counter("holdfast_runs_deleted", "Finished runs that were deleted because of their age.")

    def run_started(self, workflow: str, *, is_reentry: bool) -> None:
        """Count a run whose code begins."""
        (self.reentered if is_reentry else self.started).labels(workflow).inc()

    def run_finished(self, workflow: str, state: RunState, seconds: float) -> None:
        """Count a run that has ended."""
        self.finished.labels(workflow, state.value).inc()
        self.duration.labels(workflow).observe(max(0.0, seconds))

    def run_parked(self, workflow: str) -> None:
        """Count a run that left the memory."""
        self.parked.labels(workflow).inc()

    def run_stranded(self, workflow: str, _reason: str) -> None:
        """Count a run that cannot go on."""
        self.newly_stranded.labels(workflow).inc()

    def step_finished(self, workflow: str, kind: StepKind, state: StepState, seconds: float, attempts: int) -> None:
        """Count a step that has an outcome."""
        if kind in _CALLS:
            self.step_duration.labels(workflow, state.value).observe(max(0.0, seconds))
        if attempts > 1:
            self.step_retries.labels(workflow).inc(attempts - 1)

    def batch_committed(self, entries: int, seconds: float) -> None:
        """Note what a commit of the journal held and took."""
        self.journal_batch.observe(entries)
        self.journal_commit.observe(seconds)

    def writes_fenced(self, count: int) -> None:
        """Count writes of runs that are another process's."""
        self.fenced.inc(count)

    def runs_taken_over(self, count: int) -> None:
        """Count runs of dead processes."""
        self.taken_over.inc(count)
