"""One query while it is evaluated: what was planned and fetched, what it may cost, what there is to say about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from holdfast.telemetry.metrics.promql.evaluation.budget import Budget
from holdfast.telemetry.metrics.promql.evaluation.notes import Notes
from holdfast.telemetry.metrics.promql.evaluation.planning import Plan, Reach
from holdfast.telemetry.metrics.promql.evaluation.samples import (
    Samples,
    samples_of,
    with_resets_detected,
    without_stale,
)
from holdfast.telemetry.metrics.promql.evaluation.steps import Steps
from holdfast.telemetry.metrics.selection import SeriesColumns


@dataclass(slots=True)
class Query:
    """What all nodes of a query share."""

    steps: Steps
    plan: Plan
    columns: list[SeriesColumns]
    notes: Notes
    budget: Budget
    lookback_ms: int
    has_type_labels: bool = False
    step_ms: int = 0
    _raw: dict[tuple[int, bool], Samples] = field(default_factory=dict)
    _fresh: dict[tuple[int, bool], Samples] = field(default_factory=dict)

    def raw(self, reach: Reach) -> Samples:
        """Give the samples that a selector looks at, the marks that end series among them."""
        key = (reach.selection, reach.is_stats)
        if key not in self._raw:
            samples = samples_of(self.columns[reach.selection])
            self._raw[key] = with_resets_detected(samples) if reach.is_stats else samples
        return self._raw[key]

    def fresh(self, reach: Reach) -> Samples:
        """Give the samples that a selector looks at without those marks."""
        key = (reach.selection, reach.is_stats)
        if key not in self._fresh:
            self._fresh[key] = without_stale(self.raw(reach))
        return self._fresh[key]
