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
        worth = frame.values[rows] if is_top else -frame.values[rows]
        key = np.where(np.isnan(worth), -np.inf, worth)
        order = _rank(key, np.isnan(worth), there[rows])
        limits = np.minimum(k.astype(np.int64), there[rows].sum(axis=0))
        picked = np.arange(len(rows))[:, None] < limits
        mask = np.zeros(picked.shape, dtype=np.bool_)
        np.put_along_axis(mask, order, picked, axis=0)
        chosen[rows] = mask
        ranking += rows[order[: int(limits[0]), 0]].tolist() if len(limits) else []
    return chosen, ranking


def _rank(key: Floats, is_nan: Bools, there: Bools) -> Ints:
    """Give each column's rows, best first; NaN after all numbers, what is absent after NaN; ties stay as they are."""
    order = np.argsort(-key, axis=0, kind="stable")
    lateness = is_nan.astype(np.int8) + 2 * ~there
    late = np.take_along_axis(lateness, order, axis=0)
    if not late.any():
        return order
    return np.take_along_axis(order, np.argsort(late, axis=0, kind="stable"), axis=0)


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
