"""Durations as numbers: `[5m * 2]`, `offset (1h + step())` become milliseconds before anything is evaluated.

`step()` and `range()` are those of the whole query, within subqueries too (as in Prometheus).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from holdfast.telemetry.metrics.promql.errors import QuerySyntaxError
from holdfast.telemetry.metrics.promql.evaluation.steps import Steps
from holdfast.telemetry.metrics.promql.nodes import Duration, DurationExpr, NumberLiteral

LONGEST_S: Final = (2**63 - 1) / 1e9
ARITHMETIC: Final[dict[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": math.fmod,
    "^": operator.pow,
    "min": min,
    "max": max,
    "min_of": min,
    "max_of": max,
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
        if math.isnan(seconds) or abs(seconds) > LONGEST_S:
            raise QuerySyntaxError("duration out of range", span=duration.span)
        if seconds <= 0 and not may_be_negative:
            raise QuerySyntaxError("duration must be greater than 0", span=duration.span)
        return round(seconds * 1000)

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
            what = "division" if duration.op == "/" else "modulo"
            raise QuerySyntaxError(f"{what} by zero", span=duration.right.span)
        return ARITHMETIC[duration.op](left, right)
