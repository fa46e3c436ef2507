"""Aggregations: many series become fewer. Knows frames and groups, nothing of selectors or steps."""

from holdfast.telemetry.metrics.promql.evaluation.aggregations.counting import ValueCount, count_values
from holdfast.telemetry.metrics.promql.evaluation.aggregations.folds import FOLDS, TAKES_HISTOGRAMS
from holdfast.telemetry.metrics.promql.evaluation.aggregations.grouping import Groups, group
from holdfast.telemetry.metrics.promql.evaluation.aggregations.ranking import best_k, first_k, sampled

__all__ = [
    "FOLDS",
    "TAKES_HISTOGRAMS",
    "Groups",
    "ValueCount",
    "best_k",
    "count_values",
    "first_k",
    "group",
    "sampled",
]
