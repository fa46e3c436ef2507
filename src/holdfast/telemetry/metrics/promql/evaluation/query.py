"""One query while it is evaluated: what was planned and fetched, what it may cost, what there is to say about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from holdfast.telemetry.metrics.promql.evaluation.budget import Budget
from holdfast.telemetry.metrics.promql.evaluation.notes import Notes
from holdfast.telemetry.metrics.promql.evaluation.planning import Plan
from holdfast.telemetry.metrics.promql.evaluation.samples import Samples, samples_of, without_stale
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
    _raw: dict[int, Samples] = field(default_factory=dict)
    _fresh: dict[int, Samples] = field(default_factory=dict)

    def raw(self, selection: int) -> Samples:
        """Give the samples of a selection, the marks that end series among them."""
        if selection not in self._raw:
            self._raw[selection] = samples_of(self.columns[selection])
        return self._raw[selection]

    def fresh(self, selection: int) -> Samples:
        """Give the samples of a selection without those marks."""
        if selection not in self._fresh:
            self._fresh[selection] = without_stale(self.raw(selection))
        return self._fresh[selection]
