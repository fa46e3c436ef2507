"""Sums and means of many histograms, compensated (Kahan, Neumaier's form) as Prometheus' are.

Histograms of one layout are stacked into a matrix and summed row by row in numpy; only where layouts differ do they
meet one by one, because the order then decides how zero buckets and resolutions are reconciled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from holdfast.telemetry.metrics.histograms import Buckets, Histogram, ResetHint
from holdfast.telemetry.metrics.promql.histograms.arithmetic import (
    Combined,
    add,
    check_schemas,
    divide,
    merged_hint,
    scale,
)
from holdfast.telemetry.metrics.promql.histograms.reconciliation import (
    beyond_zero,
    onto_bounds,
    reconcile_zero,
    reduce_side,
    shared_bounds,
)

Row = npt.NDArray[np.float64]
MOST_NUMBERS: Final = 1 << 23  # of one matrix, 64 MiB: histograms may be as wide as they are hostile


class Layout(NamedTuple):
    """What a row of numbers means: count, sum, zero count, then positive and negative buckets from these indexes on."""

    like: Histogram
    positive_first: int
    positive_end: int
    negative_first: int
    negative_end: int

    def rows(self, histograms: Sequence[Histogram]) -> Row:
        """Give the numbers of histograms that fit, one row each."""
        positive = (self.positive_first, self.positive_end)
        negative = (self.negative_first, self.negative_end)
        rows: Row = np.array(
            [
                (h.count, h.sum, h.zero_count, *_padded(h.positive, positive), *_padded(h.negative, negative))
                for h in histograms
            ]
        )
        return rows

    @staticmethod
    def falls(rows: Row) -> npt.NDArray[np.bool_]:
        """Tell of each row but the first whether a count in it is lower than in the one before; sums may fall."""
        fallen: npt.NDArray[np.bool_] = np.less(rows[1:], rows[:-1])
        fallen[:, 1] = False
        return np.asarray(fallen.any(axis=1))

    def row(self, histogram: Histogram) -> Row:
        """Give the numbers of a histogram that fits."""
        row: Row = self.rows((histogram,))[0]
        return row

    def histograms(self, rows: Row, hint: ResetHint) -> list[Histogram]:
        """Give the histograms of rows."""
        like, positive_first, negative_first = self.like, self.positive_first, self.negative_first
        split = 3 + self.positive_end - positive_first
        return [
            Histogram(
                like.schema,
                row[0],
                row[1],
                like.zero_threshold,
                row[2],
                Buckets(positive_first, tuple(row[3:split])),
                Buckets(negative_first, tuple(row[split:])),
                like.custom_values,
                hint,
            )
            for row in rows.tolist()
        ]

    def histogram(self, row: Row, hint: ResetHint) -> Histogram:
        """Give the histogram of a row."""
        return self.histograms(row.reshape(1, -1), hint)[0]


def shared_layout(histograms: Sequence[Histogram]) -> Layout | None:
    """Give a layout that holds all of them as they are.

    None where schema, zero bucket or bounds differ, or where a matrix of them would take too much memory.
    """
    like = histograms[0]
    for other in histograms:
        if (
            other.schema != like.schema
            or other.zero_threshold != like.zero_threshold
            or other.custom_values != like.custom_values
        ):
            return None
    layout = Layout(like, *_extent([h.positive for h in histograms]), *_extent([h.negative for h in histograms]))
    width = layout.positive_end - layout.positive_first + layout.negative_end - layout.negative_first
    return layout if len(histograms) * width <= MOST_NUMBERS else None


def sum_of(histograms: Sequence[Histogram]) -> Combined:
    """Add up one or more histograms; `is_collision` if a known reset and a known continuation are among them.

    Raises:
        IncompatibleSchemasError: exponential ones and ones with bounds of their own are mixed.
    """
    layout = shared_layout(histograms)
    if layout is None:
        total = _Total(histograms[0])
        for histogram in histograms[1:]:
            total.add(histogram)
        return Combined(total.result(), _collides(histograms), total.is_reconciled)
    sums, lost = _compensated(layout.rows(histograms))
    return Combined(layout.histogram(sums + lost, _hint_of(histograms)), _collides(histograms))


def mean_of(histograms: Sequence[Histogram]) -> Combined:
    """Give the mean of one or more histograms; like `sum_of`, and no sum on the way overflows.

    Raises:
        IncompatibleSchemasError: exponential ones and ones with bounds of their own are mixed.
    """
    layout = shared_layout(histograms)
    if layout is not None:
        sums, lost = _compensated(layout.rows(histograms))
        if not np.isinf(sums).any() or len(histograms) == 1:
            row = sums / len(histograms) + lost / len(histograms)
            return Combined(layout.histogram(row, _hint_of(histograms)), _collides(histograms))
    mean, is_reconciled = _incremental_mean(histograms)
    return Combined(mean, _collides(histograms), is_reconciled)


def _incremental_mean(histograms: Sequence[Histogram]) -> tuple[Histogram, bool]:
    """Sum up as long as nothing overflows, then go on with a running mean."""
    total = _Total(histograms[0])
    is_running_mean = False
    for count, histogram in enumerate(histograms[1:], 2):
        if not is_running_mean:
            attempt = total.copy()
            attempt.add(histogram)
            if not attempt.has_overflow():
                total = attempt
                continue
            is_running_mean = True
            total.divide(count - 1)
        total.scale((count - 1) / count)
        total.add(divide(histogram, count))
    if not is_running_mean:
        total.divide(len(histograms))
    return total.result(), total.is_reconciled


class _Total:
    """A running sum of histograms of any layout, with the histogram of what rounding lost."""

    def __init__(self, first: Histogram) -> None:
        self.sum = first
        self.lost: Histogram | None = None
        self.is_reconciled = False

    def copy(self) -> _Total:
        twin = _Total(self.sum)
        twin.lost, twin.is_reconciled = self.lost, self.is_reconciled
        return twin

    def scale(self, factor: float) -> None:
        self.sum = scale(self.sum, factor)
        self.lost = None if self.lost is None else scale(self.lost, factor)

    def divide(self, divisor: float) -> None:
        self.sum = divide(self.sum, divisor)
        self.lost = None if self.lost is None else divide(self.lost, divisor)

    def has_overflow(self) -> bool:
        numbers = (self.sum.count, self.sum.sum, self.sum.zero_count)
        return bool(np.isinf([*numbers, *self.sum.positive.counts, *self.sum.negative.counts]).any())

    def result(self) -> Histogram:
        return self.sum if self.lost is None else add(self.sum, self.lost).histogram

    def add(self, histogram: Histogram) -> None:
        check_schemas(self.sum, histogram)
        hint = merged_hint(self.sum.hint, histogram.hint)
        lost = self.lost or replace(scale(self.sum, 0.0), count=0.0, sum=0.0, zero_count=0.0)
        if self.sum.is_custom:
            self.is_reconciled |= self.sum.custom_values != histogram.custom_values
            ours, lost, theirs = _on_shared_bounds(self.sum, lost, histogram)
        else:
            ours, lost, theirs = _on_shared_resolution(self.sum, lost, histogram)
        layout = shared_layout((ours, lost, theirs))
        assert layout is not None
        sums, errors = compensated_step(layout.row(ours), layout.row(lost), layout.row(theirs))
        self.sum = layout.histogram(sums, hint)
        self.lost = layout.histogram(errors, hint)


def _on_shared_bounds(ours: Histogram, lost: Histogram, theirs: Histogram) -> tuple[Histogram, Histogram, Histogram]:
    if ours.custom_values == theirs.custom_values:
        return ours, lost, theirs
    bounds = shared_bounds(ours.custom_values, theirs.custom_values)

    def moved(histogram: Histogram) -> Histogram:
        counts = onto_bounds(histogram.positive, histogram.custom_values, bounds)
        return replace(histogram, custom_values=bounds, positive=Buckets(0, tuple(counts)))

    return moved(ours), moved(lost), moved(theirs)


def _on_shared_resolution(
    ours: Histogram, lost: Histogram, theirs: Histogram
) -> tuple[Histogram, Histogram, Histogram]:
    widened, their_zero_count = reconcile_zero(ours, theirs)
    threshold = widened.zero_threshold
    schema = min(ours.schema, theirs.schema)

    def moved(histogram: Histogram, zero_count: float) -> Histogram:
        was = histogram.schema
        return replace(
            histogram,
            schema=schema,
            zero_threshold=threshold,
            zero_count=zero_count,
            positive=reduce_side(beyond_zero(histogram.positive, was, threshold), was, schema),
            negative=reduce_side(beyond_zero(histogram.negative, was, threshold), was, schema),
        )

    # What rounding lost in buckets that the zero bucket swallows is swallowed with them.
    swallowed = moved(lost, lost.zero_count)
    kept = (*swallowed.positive.counts, *swallowed.negative.counts)
    zero_lost = lost.zero_count + sum((*lost.positive.counts, *lost.negative.counts)) - sum(kept)
    return moved(widened, widened.zero_count), replace(swallowed, zero_count=zero_lost), moved(theirs, their_zero_count)


def _padded(side: Buckets, extent: tuple[int, int]) -> tuple[float, ...]:
    """Give the counts of a side from the first index of the extent to its end."""
    if not side.counts:
        return (0.0,) * (extent[1] - extent[0])
    before, after = side.first - extent[0], extent[1] - side.first - len(side.counts)
    return (0.0,) * before + side.counts + (0.0,) * after if before or after else side.counts


def _compensated(rows: Row) -> tuple[Row, Row]:
    sums, lost = rows[0], np.zeros(rows.shape[1])
    for row in rows[1:]:
        sums, lost = compensated_step(sums, lost, row)
    return sums, lost


def compensated_step(sums: Row, lost: Row, row: Row) -> tuple[Row, Row]:
    """Give sums with `row` added, and what all roundings so far lost, 0 where a sum is infinite; any shape."""
    with np.errstate(all="ignore"):
        total = sums + row
        is_ours_larger = np.abs(sums) >= np.abs(row)
        error = np.where(is_ours_larger, (sums - total) + row, (row - total) + sums)
        return total, np.where(np.isinf(total), 0.0, lost + error)


def _hint_of(histograms: Sequence[Histogram]) -> ResetHint:
    hints = {histogram.hint for histogram in histograms}
    if len(hints) == 1:
        return hints.pop()
    return ResetHint.GAUGE if ResetHint.GAUGE in hints else ResetHint.UNKNOWN


def _collides(histograms: Sequence[Histogram]) -> bool:
    hints = {histogram.hint for histogram in histograms}
    return ResetHint.RESET in hints and ResetHint.NOT_RESET in hints


def _extent(sides: Sequence[Buckets]) -> tuple[int, int]:
    populated = [side for side in sides if side.counts]
    if not populated:
        return 0, 0
    return min(side.first for side in populated), max(side.first + len(side.counts) for side in populated)
