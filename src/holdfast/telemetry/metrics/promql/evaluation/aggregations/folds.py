"""Aggregations that fold the floats of a group into one number a step: sum, avg, count, group, min, max, deviations.

Each takes a group's values (R x T) and where they are present, and gives T numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools, Floats
from holdfast.telemetry.metrics.promql.evaluation.ranges.totals import exact_mean

Fold = Callable[[Floats, Bools], Floats]


def fold_sum(values: Floats, present: Bools) -> Floats:
    """Sum; with compensation where signs differ, because large terms may cancel; of -0 alone it is 0."""
    whole = bool(present.all())
    terms = values if whole else np.where(present, values, 0.0)
    if len(terms) <= 2 or float(terms.min(initial=0.0)) >= 0:  # also false for NaN
        return np.asarray(terms.sum(axis=0) + 0.0)
    return _compensated(terms)


def _compensated(terms: Floats) -> Floats:
    total, lost = terms[0] + 0.0, np.zeros(terms.shape[1])
    for term in terms[1:]:
        following = total + term
        is_larger = np.abs(total) >= np.abs(term)
        larger, smaller = np.where(is_larger, total, term), np.where(is_larger, term, total)
        lost += np.where(np.isinf(following), 0.0, (larger - following) + smaller)
        total = following
    return np.asarray(np.where(np.isfinite(total), total + lost, total))


def fold_avg(values: Floats, present: Bools) -> Floats:
    """Mean; where the sum would overflow, without one."""
    mean = fold_sum(values, present) / present.sum(axis=0)
    for column in np.flatnonzero(~np.isfinite(mean)).tolist():
        mean[column] = exact_mean(values[:, column][present[:, column]]) if present[:, column].any() else np.nan
    return np.asarray(mean)


def fold_count(values: Floats, present: Bools) -> Floats:
    """Count."""
    del values
    return np.asarray(present.sum(axis=0), dtype=np.float64)


def fold_group(values: Floats, present: Bools) -> Floats:
    """1 wherever there is anything."""
    del present
    return np.ones(values.shape[1])


def fold_max(values: Floats, present: Bools) -> Floats:
    """Largest; NaN only if there is nothing else."""
    return np.asarray(np.fmax.reduce(np.where(present, values, np.nan), axis=0))


def fold_min(values: Floats, present: Bools) -> Floats:
    """Smallest; NaN only if there is nothing else."""
    return np.asarray(np.fmin.reduce(np.where(present, values, np.nan), axis=0))


def fold_stdvar(values: Floats, present: Bools) -> Floats:
    """Population variance, counted from the first value so that equal values have exactly none."""
    counts = present.sum(axis=0)
    first = values[np.argmax(present, axis=0), np.arange(values.shape[1])]
    apart = np.where(present, values - first, 0.0)
    apart = np.where(present, apart - apart.sum(axis=0) / counts, 0.0)
    return np.asarray((apart * apart).sum(axis=0) / counts)


def fold_stddev(values: Floats, present: Bools) -> Floats:
    """Population standard deviation."""
    return np.sqrt(fold_stdvar(values, present))


FOLDS: Final[dict[str, Fold]] = {
    "sum": fold_sum,
    "avg": fold_avg,
    "count": fold_count,
    "group": fold_group,
    "max": fold_max,
    "min": fold_min,
    "stdvar": fold_stdvar,
    "stddev": fold_stddev,
}
TAKES_HISTOGRAMS: Final = frozenset({"sum", "avg", "count", "group"})
