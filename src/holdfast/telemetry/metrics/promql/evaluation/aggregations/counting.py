"""`count_values`: how many series of a group have each value, one result for each value that occurs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels
from holdfast.telemetry.metrics.promql.evaluation.arrays import Ints
from holdfast.telemetry.metrics.promql.evaluation.budget import Budget
from holdfast.telemetry.metrics.promql.evaluation.frames import Frame, empty_frame

_CELL_BYTES: Final = 17  # a count, as a number, and whether there is any


@dataclass(frozen=True, slots=True)
class ValueCount:
    """What to count by: the labels of groups, and the label that the value becomes."""

    label: str
    grouping: tuple[str, ...]
    is_without: bool

    def key(self, labels: Labels, value: str) -> Labels:
        """Give the result's labels for one sample."""
        merged = tuple(sorted((*(pair for pair in labels if pair[0] != self.label), (self.label, value))))
        if self.is_without:
            return tuple(pair for pair in merged if pair[0] not in self.grouping and pair[0] != METRIC_NAME)
        return tuple(pair for pair in merged if pair[0] in self.grouping or pair[0] == self.label)


def count_values(frame: Frame, by: ValueCount, describe: Callable[[object], str], budget: Budget) -> Frame:
    """Count the values of each group; `describe` writes a histogram.

    Raises:
        LimitError: so many values take more memory than a query may.
    """
    steps = frame.values.shape[1]
    numbers: dict[Labels, int] = {}
    parts = [_count_floats(frame, by, numbers)]
    if frame.histograms is not None:
        found = list(zip(*(part.tolist() for part in np.nonzero(frame.is_histogram)), strict=True))
        keys = [by.key(frame.labels[row], describe(frame.histograms[row, column])) for row, column in found]
        targets = np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)
        parts.append((targets, np.array([column for _, column in found], dtype=np.int64)))
    if not numbers:
        return empty_frame(steps)
    budget.foresee(len(numbers) * steps * _CELL_BYTES, lambda: "count_values")
    targets, columns = (np.concatenate(part) for part in zip(*parts, strict=True))
    counts = np.bincount(targets * steps + columns, minlength=len(numbers) * steps).reshape(len(numbers), steps)
    return Frame(list(numbers), counts.astype(np.float64), counts > 0, np.zeros(len(numbers), dtype=np.bool_))


def _count_floats(frame: Frame, by: ValueCount, numbers: dict[Labels, int]) -> tuple[Ints, Ints]:
    """Give the result that each float counts for, and its step; 0 and -0 are two, as they are written differently."""
    groups: dict[Labels, int] = {}
    of_row = np.array([groups.setdefault(by.key(each, ""), len(groups)) for each in frame.labels], dtype=np.int64)
    first_of = np.unique(of_row, return_index=True)[1].tolist()
    rows, columns = np.nonzero(frame.is_float)
    values = frame.values[rows, columns]
    values[np.isnan(values)] = np.nan  # whatever its bits
    bits, value_of = np.unique(values.view(np.int64), return_inverse=True)
    pairs, pair_of = np.unique(of_row[rows] * len(bits) + value_of, return_inverse=True)
    texts = [write_plain(number) for number in bits.view(np.float64).tolist()]
    keys = [
        by.key(frame.labels[first_of[group]], texts[value])
        for group, value in zip(*(part.tolist() for part in np.divmod(pairs, max(len(bits), 1))), strict=True)
    ]
    targets = np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)
    return targets[pair_of], columns


def write_plain(number: float) -> str:
    """Write a number without exponent, shortest that reads back the same, as Go's 'f' format does."""
    if number != number:  # noqa: PLR0124 -- NaN
        return "NaN"
    if number in {float("inf"), float("-inf")}:
        return "+Inf" if number > 0 else "-Inf"
    text = repr(number)
    return np.format_float_positional(number, trim="-") if "e" in text else text.removesuffix(".0")
