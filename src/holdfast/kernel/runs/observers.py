"""The port through which metrics see the engine. Calls must be quick and must not raise."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.kernel.runs.model import RunState, StepKind, StepState
from holdfast.kernel.runs.records import Entry


class RunObserver:
    """Hears what happens in this process; every method does nothing until it is overridden."""

    def run_started(self, workflow: str, *, is_reentry: bool) -> None:
        """A run's code begins, for the first time or again."""

    def run_finished(self, workflow: str, state: RunState, seconds: float) -> None:
        """A run has ended, so long after its start."""

    def run_parked(self, workflow: str) -> None:
        """A waiting run has left the memory."""

    def run_stranded(self, workflow: str, reason: str) -> None:
        """The code of a run has changed under it."""

    def step_finished(self, workflow: str, kind: StepKind, state: StepState, seconds: float, attempts: int) -> None:
        """A step has an outcome."""

    def batch_committed(self, entries: int, seconds: float) -> None:
        """The journal has made a batch durable."""

    def entries_written(self, entries: Sequence[Entry]) -> None:
        """The journal has made these durable."""

    def writes_fenced(self, count: int) -> None:
        """Writes were refused, because another process owns the run."""

    def runs_taken_over(self, count: int) -> None:
        """Runs of a dead process are in their queues again."""
