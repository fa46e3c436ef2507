"""Quantiles as Prometheus interpolates them: NaN counts as the smallest value, ranks run from 0 to n - 1."""

from __future__ import annotations

import math

import numpy as np

from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools, Floats, Ints
from holdfast.telemetry.metrics.promql.evaluation.notes import Notes
from holdfast.telemetry.metrics.promql.nodes import Expr
from holdfast.telemetry.metrics.promql.walking import bare


def sort_nan_first(values: Floats, inside: Bools) -> tuple[Floats, Ints]:
    """Sort each row's numbers, and count its NaNs, which would come before them; what is not inside goes last."""
    is_nan = np.isnan(values) & inside
    nans = is_nan.sum(axis=1)
    ordered = np.sort(np.where(inside & ~is_nan, values, np.nan), axis=1)
    return ordered, nans


def quantile_of_sorted(ordered: Floats, counts: Ints, nans: Ints, q: Floats) -> Floats:
    """Give each row's quantile `q`: `ordered` as of `sort_nan_first`, `counts` with the NaNs in it."""
    with np.errstate(all="ignore"):
        rank = np.where(np.isnan(q), 0.0, np.clip(q, 0.0, 1.0)) * (counts - 1)
        floor = np.floor(rank)
        weight = rank - floor
        lower = np.maximum(floor.astype(np.int64), 0)
        upper = np.minimum(lower + 1, counts - 1)
        mixed = _entry(ordered, lower - nans) * (1 - weight) + _entry(ordered, upper - nans) * weight
        mixed = np.where(counts == 0, np.nan, mixed)
        mixed = np.where(q < 0, -np.inf, mixed)
        mixed = np.where(q > 1, np.inf, mixed)
    return np.where(np.isnan(q), np.nan, mixed)


def _entry(ordered: Floats, index: Ints) -> Floats:
    if not ordered.shape[1]:
        return np.full(len(index), np.nan)
    found = ordered[np.arange(len(index)), np.clip(index, 0, ordered.shape[1] - 1)]
    return np.where(index < 0, np.nan, found)


def check_quantile(q: Floats, param: Expr, notes: Notes) -> None:
    """Warn of quantiles outside 0 to 1."""
    if np.isnan(q).any():
        notes.invalid_quantile(math.nan, bare(param).span)
    if len(q) and np.nanmax(q, initial=-math.inf) > 1:
        notes.invalid_quantile(float(np.nanmax(q)), bare(param).span)
    if len(q) and np.nanmin(q, initial=math.inf) < 0:
        notes.invalid_quantile(float(np.nanmin(q)), bare(param).span)
