"""Aggregations that keep some of the series as they are: topk, bottomk, limitk, limit_ratio."""

from __future__ import annotations

import numpy as np

from holdfast.telemetry.metrics.promql.evaluation.aggregations.grouping import Groups
from holdfast.telemetry.metrics.promql.evaluation.aggregations.label_hash import hash_labels
from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools, Floats, Ints
from holdfast.telemetry.metrics.promql.evaluation.frames import Frame

LARGEST_HASH = float(2**64 - 1)


def best_k(frame: Frame, groups: Groups, k: Floats, *, is_top: bool) -> tuple[Bools, list[int]]:
    """Tell where a value is among the k best of its group (S x T), and the order of series at the first step."""
    chosen = np.zeros(frame.values.shape, dtype=np.bool_)
    there = frame.is_float
    ranking: list[int] = []
    for rows in groups.rows():
        mine = there[rows].T
        worth = np.where(mine, -frame.values[rows].T if is_top else frame.values[rows].T, np.nan)
        order = _rank(worth, mine)
        limits = np.minimum(k.astype(np.int64), mine.sum(axis=1))
        mask = np.zeros(mine.shape, dtype=np.bool_)
        np.put_along_axis(mask, order, np.arange(len(rows)) < limits[:, None], axis=1)
        chosen[rows] = mask.T
        ranking += rows[order[0, : int(limits[0])]].tolist() if len(limits) else []
    return chosen, ranking


def _rank(worth: Floats, there: Bools) -> Ints:
    """Give each step's series (T x R), smallest first; NaN after all numbers, what is absent after NaN; ties stay."""
    order = np.argsort(worth, axis=1, kind="stable")
    mixed = np.flatnonzero((np.isnan(worth) & there).any(axis=1) & ~there.all(axis=1))
    for step in mixed.tolist():
        late = ~there[step][order[step]]
        order[step] = order[step][np.argsort(late, kind="stable")]
    return order


def first_k(frame: Frame, groups: Groups, k: Floats) -> Bools:
    """Tell where a sample is among the first k of its group, in the order of labels."""
    chosen = np.zeros(frame.values.shape, dtype=np.bool_)
    for rows in groups.rows():
        there = frame.present[rows]
        chosen[rows] = there & (np.cumsum(there, axis=0) <= k.astype(np.int64))
    return chosen


def sampled(frame: Frame, ratio: Floats) -> Bools:
    """Tell which series a ratio keeps: a fixed share by the hash of labels, the rest for the negative counterpart."""
    place = np.array([hash_labels(labels) / LARGEST_HASH for labels in frame.labels])[:, None]
    capped = np.clip(ratio, -1.0, 1.0)
    keep = np.where(capped >= 0, place < capped, place >= 1.0 + capped) & (capped != 0)
    return np.asarray(frame.present & keep)
