"""What happened to a histogram over a window: its growth with counter resets made good, as `rate` and `increase` need.

Follows Prometheus' `histogramRate` and, for `anchored` and `smoothed`, `extendedHistogramRate` (promql/functions.go).
Extrapolation to the edges of the window is the caller's, and so are the sentences that the notes stand for.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from holdfast.telemetry.metrics.histograms import Histogram, ResetHint, compact
from holdfast.telemetry.metrics.promql.histograms.arithmetic import (
    Combined,
    IncompatibleSchemasError,
    add,
    scale,
    sub,
    with_hint,
)
from holdfast.telemetry.metrics.promql.histograms.reconciliation import copy_to_schema
from holdfast.telemetry.metrics.promql.histograms.resets import detects_reset

Point = tuple[int, Histogram]
"""When in milliseconds, and what."""


class RangeDelta(NamedTuple):
    """The growth over a window, None where the samples don't fit together, with what has to be said about it.

    Notes: `not_counter`, `not_gauge`, `mixed_schemas`, `reconciled_sub`, `reconciled_add`.
    """

    histogram: Histogram | None
    notes: tuple[str, ...] = ()


class Interpolated(NamedTuple):
    """A histogram between two samples; notes as of `RangeDelta`."""

    histogram: Histogram
    notes: tuple[str, ...] = ()


class _Growth:
    """A histogram that others are added to and subtracted from, and the notes of that."""

    def __init__(self, start: Histogram) -> None:
        self.histogram = start
        self.notes: dict[str, None] = {}

    def add(self, histogram: Histogram) -> None:
        self._take(add(self.histogram, histogram), "reconciled_add")

    def sub(self, histogram: Histogram) -> None:
        self._take(sub(self.histogram, histogram), "reconciled_sub")

    def _take(self, combined: Combined, note: str) -> None:
        self.histogram = combined.histogram
        if combined.is_reconciled:
            self.notes[note] = None

    def delta(self, notes: Sequence[str] = ()) -> RangeDelta:
        whole = compact(with_hint(self.histogram, ResetHint.GAUGE))
        return RangeDelta(whole, tuple(dict.fromkeys((*notes, *self.notes))))


def rate_of(points: Sequence[Point], starts: Sequence[int] | None, *, is_counter: bool) -> RangeDelta:
    """Give last minus first, for a counter plus what resets took away; two points or more.

    `starts` says in milliseconds since when each sample counts, 0 where that is unknown.
    """
    histograms = [histogram for _, histogram in points]
    first, last = histograms[0], histograms[-1]
    notes: tuple[str, ...] = ()
    if is_counter:
        if any(histogram.hint is ResetHint.GAUGE for histogram in histograms):
            notes = ("not_counter",)
        if _is_reset(points, starts, 1):  # then the first sample does not matter, nor whether its buckets fit
            first = Histogram(schema=histograms[1].schema, custom_values=histograms[1].custom_values)
    if last.is_custom != first.is_custom:
        return RangeDelta(None, (*notes, "mixed_schemas"))
    between = histograms[1:-1] if is_counter else []
    if any(histogram.is_custom != first.is_custom for histogram in between):
        return RangeDelta(None, ("mixed_schemas",))
    schema = min(first.schema, last.schema, *(histogram.schema for histogram in between))
    growth = _Growth(copy_to_schema(last, schema))
    growth.sub(first)
    if is_counter:
        previous = first
        for place, current in enumerate(histograms[1:], 1):
            if _starts_anew(points, starts, place) or detects_reset(current, previous):
                growth.add(previous)
            previous = current
    elif first.hint is not ResetHint.GAUGE or last.hint is not ResetHint.GAUGE:
        notes = ("not_gauge",)
    return growth.delta(notes)


def extended_rate_of(
    points: Sequence[Point], start_ms: int, end_ms: int, *, is_smoothed: bool, is_counter: bool
) -> RangeDelta:
    """Give the growth between the very edges of a window, from samples in and around it.

    Anchored, the sample at or before an edge stands for it; smoothed, the line between its neighbours does. None
    without notes if the window holds nothing.
    """
    times = [ts_ms for ts_ms, _ in points]
    last = len(points) - 1
    first = max(0, bisect_right(times, start_ms, 0, last) - 1)
    if is_smoothed:
        last = bisect_left(times, end_ms, 0, last)
    if times[last] <= start_ms or (is_smoothed and times[first] > end_ms):
        return RangeDelta(None)
    histograms = [histogram for _, histogram in points]
    inside = histograms[first : last + 1]
    if any(histogram.is_custom != inside[0].is_custom for histogram in inside):
        return RangeDelta(None, ("mixed_schemas",))
    notes = ["not_counter"] if is_counter and any(h.hint is ResetHint.GAUGE for h in inside) else []
    try:
        left, right = Interpolated(histograms[first]), Interpolated(histograms[last])
        if is_smoothed and times[first] < start_ms:
            left = _between(points[first], points[first + 1], start_ms, is_counter=is_counter)
        if is_smoothed and last > 0 and times[last] > end_ms:
            right = _between(points[last - 1], points[last], end_ms, is_counter=is_counter)
        notes += [*left.notes, *right.notes]
        if not is_counter and {left.histogram.hint, right.histogram.hint} != {ResetHint.GAUGE}:
            notes.append("not_gauge")
        growth = _Growth(right.histogram)
        growth.sub(left.histogram)
        if is_counter:
            is_left_spanning = is_smoothed and times[first] < start_ms
            lost = _lost_to_resets(inside, left.histogram, right.histogram, is_left_spanning=is_left_spanning)
            if lost is not None:
                growth.notes |= lost.notes
                growth.add(lost.histogram)
    except IncompatibleSchemasError:
        return RangeDelta(None, (*notes, "mixed_schemas"))
    return growth.delta(notes)


def interpolate(left: Histogram, right: Histogram, fraction: float, *, is_counter: bool) -> Interpolated:
    """Give the histogram at `fraction` of the way; a counter that began anew is taken to have begun at zero.

    Raises:
        IncompatibleSchemasError: one has bounds of its own and the other has not.
    """
    if fraction == 0:
        return Interpolated(left)
    if fraction == 1:
        return Interpolated(right)
    if is_counter and detects_reset(right, left):
        return Interpolated(scale(right, fraction))
    growth = _Growth(right)
    growth.sub(left)
    growth.histogram = scale(growth.histogram, fraction)
    growth.add(left)
    return Interpolated(growth.histogram, tuple(growth.notes))


def is_start_reset(previous_start: int, previous_ts: int, start: int, ts: int) -> bool:
    """Tell from when they count (0: unknown) whether a counter began anew between two samples.

    A start at the very time of the sample before means one for deltas, and nothing where the start before is not known.
    A start that is not before its own sample says nothing.
    """
    if not 0 != start < ts or start < previous_ts:
        return False
    return start > previous_ts or 0 != previous_start < previous_ts


def _between(left: Point, right: Point, ts_ms: int, *, is_counter: bool) -> Interpolated:
    fraction = (ts_ms - left[0]) / (right[0] - left[0])
    return interpolate(left[1], right[1], fraction, is_counter=is_counter)


def _lost_to_resets(
    inside: Sequence[Histogram], left: Histogram, right: Histogram, *, is_left_spanning: bool
) -> _Growth | None:
    """Sum up what the counter held at each reset between the edges; the edges stand for the first and last sample."""
    first, previous = 1, left
    if is_left_spanning and len(inside) > 1 and detects_reset(inside[1], inside[0]):
        # The line to the left edge has already accounted for this reset.
        previous, first = inside[1], 2
    if first > len(inside) - 1:
        return None
    lost: _Growth | None = None
    for before, current in pairwise((previous, *inside[first:-1], right)):
        if detects_reset(current, before):
            if lost is None:
                lost = _Growth(before)
            else:
                lost.add(before)
    return lost


def _is_reset(points: Sequence[Point], starts: Sequence[int] | None, place: int) -> bool:
    return _starts_anew(points, starts, place) or detects_reset(points[place][1], points[place - 1][1])


def _starts_anew(points: Sequence[Point], starts: Sequence[int] | None, place: int) -> bool:
    return starts is not None and is_start_reset(
        starts[place - 1], points[place - 1][0], starts[place], points[place][0]
    )
