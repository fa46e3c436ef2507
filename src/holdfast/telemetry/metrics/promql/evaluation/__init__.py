"""Evaluates the tree of a query over samples: plans what to fetch, then computes over all series and steps at once.

Owns no input or output: `engine` fetches. Knows nothing of the query's text but its positions.
"""

from holdfast.telemetry.metrics.promql.evaluation.budget import AbandonedError, Budget
from holdfast.telemetry.metrics.promql.evaluation.durations import DurationFolder
from holdfast.telemetry.metrics.promql.evaluation.evaluator import Evaluator, Value
from holdfast.telemetry.metrics.promql.evaluation.frames import Frame, Scalars, drop_names
from holdfast.telemetry.metrics.promql.evaluation.notes import Notes
from holdfast.telemetry.metrics.promql.evaluation.planning import Plan, Planner
from holdfast.telemetry.metrics.promql.evaluation.query import Query
from holdfast.telemetry.metrics.promql.evaluation.reading import read_range
from holdfast.telemetry.metrics.promql.evaluation.samples import Samples
from holdfast.telemetry.metrics.promql.evaluation.steps import Steps

__all__ = [
    "AbandonedError",
    "Budget",
    "DurationFolder",
    "Evaluator",
    "Frame",
    "Notes",
    "Plan",
    "Planner",
    "Query",
    "Samples",
    "Scalars",
    "Steps",
    "Value",
    "drop_names",
    "read_range",
]
