"""`count_values`: how many series of a group have each value, one result for each value that occurs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels
from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools, Floats
from holdfast.telemetry.metrics.promql.evaluation.frames import Frame, empty_frame


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


def count_values(frame: Frame, by: ValueCount, describe: Callable[[object], str]) -> Frame:
    """Count the values of each group; `describe` writes a histogram."""
    steps = frame.values.shape[1]
    found: dict[Labels, np.ndarray] = defaultdict(lambda: np.zeros(steps))
    floats = frame.is_float
    for row, labels in enumerate(frame.labels):
        values = frame.values[row]
        for number, same in _distinct(values, floats[row]):
            found[by.key(labels, write_plain(number))] += same
        if frame.histograms is not None:
            for column in np.flatnonzero(frame.is_histogram[row]).tolist():
                found[by.key(labels, describe(frame.histograms[row, column]))][column] += 1
    if not found:
        return empty_frame(steps)
    values = np.stack(list(found.values()))
    return Frame(list(found), values, values > 0, np.zeros(len(found), dtype=np.bool_))


def _distinct(values: Floats, is_float: Bools) -> Iterator[tuple[float, Bools]]:
    """Give each number that occurs, and where; 0 and -0 are two, as they are written differently."""
    for number in np.unique(values[is_float]).tolist():
        if number != number:  # noqa: PLR0124 -- NaN
            yield number, np.isnan(values) & is_float
        elif number:
            yield number, (values == number) & is_float
        else:
            for zero, is_negative in ((0.0, False), (-0.0, True)):
                same = (values == 0) & (np.signbit(values) == is_negative) & is_float
                if same.any():
                    yield zero, same


def write_plain(number: float) -> str:
    """Write a number without exponent, shortest that reads back the same, as Go's 'f' format does."""
    if number != number:  # noqa: PLR0124 -- NaN
        return "NaN"
    if number in {float("inf"), float("-inf")}:
        return "+Inf" if number > 0 else "-Inf"
    return np.format_float_positional(number, trim="-")
