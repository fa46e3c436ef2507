"""Quantiles and fractions of classic histograms: cumulative counts by upper bound (`le`), many steps at once.

Counts that fall from one bucket to the next are repaired as Prometheus does it (promql/quantile.go), and it is told
where. Columns are steps; which series make up a histogram is the caller's matter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_TOLERANCE: Final = 1e-12  # differences below this share of both counts are noise of floating point
_SMALLEST_NORMAL: Final = float(np.finfo(np.float64).smallest_normal)


class BucketEstimate(NamedTuple):
    """A quantile, and whether and where counts had to be raised for it; the range is empty (inf, -inf) if nowhere."""

    value: float
    is_forced: bool
    min_bucket: float
    max_bucket: float
    max_diff: float


@dataclass(frozen=True, slots=True)
class ClassicQuantiles:
    """One quantile per step, and whether, between which bounds and by how much counts had to be raised for it."""

    values: Floats
    is_forced: Flags
    min_bucket: Floats
    max_bucket: Floats
    max_diff: Floats


def classic_quantiles(
    q: float | Floats, bounds: Floats, counts: Floats, present: Flags | None = None
) -> ClassicQuantiles:
    """Estimate the quantile `q` at each of T steps.

    Args:
        q: one for all steps, or T of them.
        bounds: B upper bounds in any order; several series may have the same.
        counts: B x T cumulative counts.
        present: B x T; False where a bucket has no sample. None if all have.

    The values are NaN without a bucket up to +Inf, with fewer than two buckets or no observations, -Inf where `q` is
    below 0 and +Inf where it is above 1.
    """
    steps = counts.shape[1]
    shares = np.broadcast_to(np.asarray(q, np.float64), (steps,))
    answer = ClassicQuantiles(
        np.full(steps, np.nan),
        np.zeros(steps, np.bool_),
        np.full(steps, np.inf),
        np.full(steps, -np.inf),
        np.zeros(steps),
    )
    with np.errstate(all="ignore"):  # infinities and NaN go through as IEEE 754 says
        for rows, columns in _same_presence(counts, present):
            _fill_quantiles(answer, columns, shares[columns], bounds[rows], counts[np.ix_(rows, columns)])
    answer.values[shares < 0] = -np.inf
    answer.values[shares > 1] = np.inf
    answer.values[np.isnan(shares)] = np.nan
    answer.is_forced[~((shares >= 0) & (shares <= 1))] = False
    return answer


def classic_fractions(
    lower: float | Floats, upper: float | Floats, bounds: Floats, counts: Floats, present: Flags | None = None
) -> Floats:
    """Estimate the share of observations between `lower` and `upper` at each of T steps; shapes as of the quantiles."""
    steps = counts.shape[1]
    lowers = np.broadcast_to(np.asarray(lower, np.float64), (steps,))
    uppers = np.broadcast_to(np.asarray(upper, np.float64), (steps,))
    values = np.full(steps, np.nan)
    with np.errstate(all="ignore"):
        for rows, columns in _same_presence(counts, present):
            span = lowers[columns], uppers[columns]
            values[columns] = _fractions(span, bounds[rows], counts[np.ix_(rows, columns)])
    return values


def bucket_quantile(q: float, bounds: Floats, counts: Floats) -> BucketEstimate:
    """Estimate the quantile of one classic histogram; see `classic_quantiles`."""
    answer = classic_quantiles(q, bounds, counts.reshape(-1, 1))
    return BucketEstimate(
        float(answer.values[0]),
        bool(answer.is_forced[0]),
        float(answer.min_bucket[0]),
        float(answer.max_bucket[0]),
        float(answer.max_diff[0]),
    )


def bucket_fraction(lower: float, upper: float, bounds: Floats, counts: Floats) -> float:
    """Estimate the share of observations between two values of one classic histogram; see `classic_fractions`."""
    return float(classic_fractions(lower, upper, bounds, counts.reshape(-1, 1))[0])


def _same_presence(counts: Floats, present: Flags | None) -> list[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    """Part the steps by which buckets they have: the rows and the columns of each part."""
    rows, steps = counts.shape
    if present is None or present.all():
        return [(np.arange(rows), np.arange(steps))] if rows else []
    patterns, place = np.unique(present, axis=1, return_inverse=True)
    parts = [(np.flatnonzero(patterns[:, i]), np.flatnonzero(place.ravel() == i)) for i in range(patterns.shape[1])]
    return [part for part in parts if part[0].size]


def _coalesced(bounds: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Sort by bound and add up the counts of equal bounds."""
    order = np.argsort(bounds, kind="stable")
    ascending = bounds[order]
    starts = np.flatnonzero(np.concatenate(([True], ascending[1:] != ascending[:-1])))
    return ascending[starts], np.add.reduceat(counts[order], starts, axis=0)


def _fractions(span: tuple[Floats, Floats], bounds: Floats, counts: Floats) -> Floats:
    ascending, merged = _coalesced(bounds, counts)
    low, high = span
    if ascending[-1] != np.inf:
        return np.full(len(low), np.nan)
    whole = merged[-1]
    share: Floats = (_ranks(high, ascending, merged) - _ranks(low, ascending, merged)) / whole
    share[low >= high] = 0.0
    share[(whole == 0) | np.isnan(low) | np.isnan(high)] = np.nan
    return share


def _fill_quantiles(
    answer: ClassicQuantiles, columns: npt.NDArray[np.intp], shares: Floats, bounds: Floats, counts: Floats
) -> None:
    """Fill in the steps that have exactly these buckets."""
    ascending, merged = _coalesced(bounds, counts)
    if ascending[-1] != np.inf:
        return
    _raise_falling(answer, columns, ascending, merged)
    if len(ascending) < 2:
        return
    whole = merged[-1]
    ranks = shares * whole
    every = np.arange(len(columns))
    finite = merged[:-1]
    reaches = finite >= ranks
    place = np.where(reaches.any(axis=0), reaches.argmax(axis=0), len(finite))
    inner = np.minimum(place, len(finite) - 1)
    below = np.where(inner > 0, merged[inner - 1, every], 0.0)
    start = np.where(inner > 0, ascending[inner - 1], 0.0)
    values = start + (ascending[inner] - start) * ((ranks - below) / (merged[inner, every] - below))
    values = np.where((place == 0) & (ascending[0] <= 0), ascending[0], values)
    values = np.where(place == len(finite), ascending[-2], values)
    answer.values[columns] = np.where(whole == 0, np.nan, values)


def _raise_falling(answer: ClassicQuantiles, columns: npt.NDArray[np.intp], bounds: Floats, counts: Floats) -> None:
    """Raise counts that fall to the one before, in place, and note where; tiny differences are dropped in silence."""
    before = counts[0].copy()
    for place in range(1, len(bounds)):
        current = counts[place]
        is_noise = _almost_equal(before, current)
        falls = (current < before) & ~is_noise
        if falls.any():
            at = columns[falls]
            answer.is_forced[at] = True
            answer.min_bucket[at] = np.minimum(answer.min_bucket[at], bounds[place])
            answer.max_bucket[at] = np.maximum(answer.max_bucket[at], bounds[place])
            answer.max_diff[at] = np.maximum(answer.max_diff[at], before[falls] - current[falls])
        before = np.where(is_noise | falls, before, current)
        counts[place] = before


def _almost_equal(left: Floats, right: Floats) -> Flags:
    size, difference = np.abs(left) + np.abs(right), np.abs(left - right)
    is_tiny = (left == 0) | (right == 0) | (size < _SMALLEST_NORMAL)
    allowed = np.where(is_tiny, _SMALLEST_NORMAL, np.minimum(size, np.finfo(np.float64).max)) * _TOLERANCE
    close: Flags = (left == right) | (np.isnan(left) & np.isnan(right)) | (difference < allowed)
    return close


def _ranks(values: Floats, bounds: Floats, counts: Floats) -> Floats:
    """Count the observations below a value at each step, evenly shared out within its bucket."""
    every = np.arange(len(values))
    place = np.searchsorted(bounds, values, side="right")
    lowest = 0.0 if bounds[0] > 0 else -math.inf
    inner = np.minimum(place, len(bounds) - 1)
    below = np.where(inner > 0, counts[inner - 1, every], 0.0)
    start = np.where(inner > 0, bounds[inner - 1], lowest)
    here = counts[inner, every]
    within = below + (here - below) * (values - start) / (bounds[inner] - start)
    ranks = np.where(np.isneginf(start), here, within)
    ranks = np.where(values <= start, below, ranks)
    ranks = np.where(place >= len(bounds), counts[-1], ranks)
    capped: Floats = np.minimum(ranks, counts[-1])
    return capped
