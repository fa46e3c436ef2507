"""What is asked of a range function over series that hold histograms; `mixed` and `mixed_stacks` answer it."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.telemetry.metrics.promql.evaluation.arrays import Floats
from holdfast.telemetry.metrics.promql.evaluation.budget import Budget
from holdfast.telemetry.metrics.promql.evaluation.notes import Notes
from holdfast.telemetry.metrics.promql.evaluation.ranges import Kernel
from holdfast.telemetry.metrics.promql.evaluation.samples import Samples
from holdfast.telemetry.metrics.promql.evaluation.windows import Bounds
from holdfast.telemetry.metrics.promql.nodes import Span


@dataclass(frozen=True, slots=True)
class MixedCall:
    """A range function over series that hold histograms."""

    function: str
    mode: str
    kernel: Kernel
    bounds: Bounds
    args: tuple[Floats, ...]
    span: Span
    notes: Notes
    budget: Budget

    @property
    def samples(self) -> Samples:
        """What the windows are cut from."""
        return self.bounds.samples
