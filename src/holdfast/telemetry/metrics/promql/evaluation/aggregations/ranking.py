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
    steps = frame.values.shape[1]
    chosen = np.zeros(frame.values.shape, dtype=np.bool_)
    is_float, whole = frame.is_float, k.astype(np.int64)
    ranking: dict[int, list[int]] = {}
    for numbers, rows in groups.batches(steps):
        shape = (len(numbers) * steps, len(rows))  # step by step of one group, then of the next
        mine = is_float[rows].reshape(shape[::-1]).T
        worth = frame.values[rows].reshape(shape[::-1]).T
        worth = np.where(mine, -worth if is_top else worth, np.nan)
        limits = np.minimum(np.tile(whole, len(numbers)), mine.sum(axis=1))
        if steps > 1:
            chosen[rows] = _best(worth, mine, limits).T.reshape(*rows.shape, steps)
            continue
        order = _rank(worth, mine)
        for place, number in enumerate(numbers.tolist()):
            best = rows[order[place, : int(limits[place])], place]
            chosen[best] = True
            ranking[number] = best.tolist()
    return chosen, [row for number in sorted(ranking) for row in ranking[number]]


def _best(worth: Floats, there: Bools, limits: Ints) -> Bools:
    """Tell for each step (T x R) which are the smallest so many; sorted are only steps at which a NaN is among them."""
    mask: Bools = there & (there.sum(axis=1) <= limits)[:, None]
    is_plain = (limits == limits.max(initial=0)) & (np.sum(~np.isnan(worth), axis=1) >= limits) & (limits > 0)
    left = ~mask.any(axis=1) & (limits > 0)
    plain, rest = np.flatnonzero(left & is_plain), np.flatnonzero(left & ~is_plain)
    if len(plain):
        mask[plain] = _smallest(worth[plain], int(limits[plain[0]]))
    if len(rest):
        sorted_out = np.zeros((len(rest), worth.shape[1]), dtype=np.bool_)
        ranks = np.arange(worth.shape[1]) < limits[rest][:, None]
        np.put_along_axis(sorted_out, _rank(worth[rest], there[rest]), ranks, axis=1)
        mask[rest] = sorted_out
    return mask


def _smallest(worth: Floats, k: int) -> Bools:
    """Tell for each step (T x R) which are the k smallest numbers, of equal ones the first; there are as many."""
    last = np.partition(worth, k - 1, axis=1)[:, k - 1 : k]
    mask, same = worth < last, worth == last
    room = k - mask.sum(axis=1)
    tied = np.flatnonzero(same.sum(axis=1) > room)
    same[tied] &= np.cumsum(same[tied], axis=1) <= room[tied][:, None]
    return np.asarray(mask | same)


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
