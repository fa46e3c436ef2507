"""The moments at which an expression is evaluated: those of the query, or those of a subquery within it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdfast.telemetry.metrics.promql.evaluation.arrays import Ints


@dataclass(frozen=True, slots=True)
class Steps:
    """Evenly spaced moments in milliseconds, both ends included; none at all if the end lies before the start."""

    start_ms: int
    end_ms: int
    step_ms: int

    @property
    def count(self) -> int:
        """How many moments there are."""
        return max(0, (self.end_ms - self.start_ms) // self.step_ms + 1)

    @property
    def is_single(self) -> bool:
        """Tell whether this is one moment, as of an instant query."""
        return self.start_ms == self.end_ms

    def times(self) -> Ints:
        """Give the moments, T of them."""
        return np.arange(self.count, dtype=np.int64) * self.step_ms + self.start_ms

    def subquery(self, *, range_ms: int, step_ms: int, offset_ms: int, at_ms: int | None) -> Steps:
        """Give the moments of a subquery: multiples of its step within its windows, which are open on the left."""
        final = self.start_ms + max(0, self.count - 1) * self.step_ms  # the end of the range may be no step
        first, last = (self.start_ms, final) if at_ms is None else (at_ms, at_ms)
        left = first - offset_ms - range_ms
        start = step_ms * int(left / step_ms)  # rounds towards zero, as Go divides
        if start <= left:
            start += step_ms
        return Steps(start, last - offset_ms, step_ms)
