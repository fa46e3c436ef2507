"""The order of an instant vector: by value, or by labels in natural order (2 before 10)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cmp_to_key
from itertools import zip_longest

import numpy as np

from holdfast.telemetry.metrics.promql.evaluation.frames import Frame

CHUNKS = re.compile(r"(\d+|\D+)")


def sort_by_value(frame: Frame, *, is_descending: bool) -> Frame:
    """Sort by the value at the first step; NaN goes last either way, histograms are left out."""
    floats = replace(frame, present=frame.is_float, histograms=None).without_empty_rows()
    if not len(floats.labels):
        return floats
    values = floats.values[:, 0]
    keys = np.where(np.isnan(values), np.inf, -values if is_descending else values)
    return floats.take(np.lexsort((keys, np.isnan(values))))


def sort_by_labels(frame: Frame, names: Sequence[str], *, is_descending: bool) -> Frame:
    """Sort by these labels, one after the other, then by all labels."""

    def compare(one: int, two: int) -> int:
        left, right = dict(frame.labels[one]), dict(frame.labels[two])
        for name in names:
            a, b = left.get(name, ""), right.get(name, "")
            if a != b:
                return -1 if is_before(a, b) else 1
        return (frame.labels[one] > frame.labels[two]) - (frame.labels[one] < frame.labels[two])

    order = sorted(range(len(frame.labels)), key=cmp_to_key(compare), reverse=is_descending)
    return frame.take(order)


def is_before(one: str, two: str) -> bool:
    """Compare two texts in natural order: runs of digits as numbers, the rest by code points."""
    for a, b in zip_longest(CHUNKS.findall(one), CHUNKS.findall(two), fillvalue=""):
        if a == b:
            continue
        if not a or not b:
            return not a
        if a[0].isdigit() and b[0].isdigit():
            if int(a) != int(b):
                return int(a) < int(b)
            return len(a) < len(b)
        return bool(a < b)
    return False
