"""Durations as numbers: `[5m * 2]`, `offset (1h + step())` become milliseconds before anything is evaluated.

`step()` and `range()` are those of the whole query, within subqueries too (as in Prometheus).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from holdfast.telemetry.metrics.promql.errors import QuerySyntaxError
from holdfast.telemetry.metrics.promql.evaluation.steps import Steps
from holdfast.telemetry.metrics.promql.nodes import Duration, DurationExpr, NumberLiteral

LONGEST_S: Final = (2**63 - 1) / 1e9
# numpy's, because Python's raise or turn complex where IEEE 754 has infinities and NaN
ARITHMETIC: Final[dict[str, np.ufunc]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "min": np.minimum,
    "max": np.maximum,
    "min_of": np.minimum,
    "max_of": np.maximum,
}


@dataclass(frozen=True, slots=True)
class DurationFolder:
    """Folds the durations of one query, whose own steps are `steps`."""

    steps: Steps
    step_ms: int

    def fold(self, duration: Duration | None, *, may_be_negative: bool = False) -> int:
        """Give a duration in milliseconds; 0 for none.

        Raises:
            QuerySyntaxError: it is not positive where it must be, or out of bounds, or divides by zero.
        """
        if duration is None:
            return 0
        seconds = self._seconds(duration)
        if seconds <= 0 and not may_be_negative:
            raise _refusal(duration, "duration must be greater than 0")
        if math.isnan(seconds) or abs(seconds) > LONGEST_S:
            raise _refusal(duration, "duration is out of range")
        if isinstance(duration, NumberLiteral):
            return duration.milliseconds
        return int(seconds * 1000)

    def _seconds(self, duration: Duration) -> float:
        if isinstance(duration, NumberLiteral):
            return duration.value
        if duration.op == "step":
            return self.step_ms / 1000
        if duration.op == "range":
            return (self.steps.end_ms - self.steps.start_ms) / 1000
        return self._arithmetic(duration)

    def _arithmetic(self, duration: DurationExpr) -> float:
        assert duration.right is not None or duration.left is not None
        if duration.left is None or duration.right is None:
            only = duration.right if duration.left is None else duration.left
            assert only is not None
            return -self._seconds(only) if duration.op == "-" else self._seconds(only)
        left, right = self._seconds(duration.left), self._seconds(duration.right)
        if right == 0 and duration.op in {"/", "%"}:
            raise _refusal(duration, f"{'division' if duration.op == '/' else 'modulo'} by zero")
        with np.errstate(all="ignore"):
            return float(ARITHMETIC[duration.op](np.float64(left), np.float64(right)))


def _refusal(duration: Duration, problem: str) -> QuerySyntaxError:
    """Give the error of a duration with its place, as Prometheus writes it: from where to where, counted from 0."""
    return QuerySyntaxError(f"{duration.span.start}:{duration.span.end}: {problem}", span=duration.span)
