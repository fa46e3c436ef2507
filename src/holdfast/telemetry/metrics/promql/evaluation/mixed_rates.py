"""Rates, sums and averages over windows that hold histograms. Source: promql/functions.go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from holdfast.telemetry.metrics.histograms import Histogram, ResetHint
from holdfast.telemetry.metrics.promql import histograms
from holdfast.telemetry.metrics.promql.evaluation.mixed_window import MixedWindow, Result
from holdfast.telemetry.metrics.promql.evaluation.ranges.rates import NEAR

Combine = Callable[[Sequence[Histogram]], histograms.Combined]
REMARKS: Final[dict[str, Callable[[MixedWindow], None]]] = {
    "not_counter": lambda window: window.notes.not_a_counter(window.name, window.span),
    "not_gauge": lambda window: window.notes.not_a_gauge(window.name, window.span),
    "mixed_schemas": lambda window: window.notes.mixed_schemas(window.name, window.span),
    "reconciled_sub": lambda window: window.notes.reconciled("subtraction", window.span),
    "reconciled_add": lambda window: window.notes.reconciled("addition", window.span),
    "start_overlap": lambda window: window.notes.start_overlap(window.name, window.span),
}


def remark(window: MixedWindow, codes: Sequence[str]) -> None:
    """Say what the arithmetic of histograms found odd."""
    for code in codes:
        REMARKS[code](window)


def rate(window: MixedWindow, *, is_counter: bool, is_rate: bool) -> Result:
    """Give the change of a histogram over the window, drawn out to its edges."""
    if window.mode:
        return _extended(window, is_counter=is_counter, is_rate=is_rate)
    if window.has_floats:
        window.notes.mixed_floats_and_histograms(window.name, window.span)
        return None
    points = window.timed_histograms
    start = _known_start(window) if is_counter else None
    if len(points) < 2 and start is None:
        return None
    change: Histogram | None = points[0][1]
    if len(points) > 1:
        delta = histograms.rate_of(points, window.starts, is_counter=is_counter)
        remark(window, delta.notes)
        change = delta.histogram
        if change is not None and start is not None:
            change = _with_first(window, change, points[0][1])
    if change is None:
        return None
    factor = _stretch(window, change, start, is_counter=is_counter)
    result = histograms.scale(change, factor / (window.range_ms / 1000) if is_rate else factor)
    return histograms.with_hint(histograms.compact(result), ResetHint.GAUGE)


def _with_first(window: MixedWindow, change: Histogram, first: Histogram) -> Histogram | None:
    """Add what the counter had counted by the first sample, as it began at zero within the window."""
    try:
        combined = histograms.add(change, histograms.with_hint(first, ResetHint.GAUGE))
    except histograms.IncompatibleSchemasError:
        window.notes.mixed_schemas(window.name, window.span)
        return None
    if combined.is_reconciled:
        window.notes.reconciled("addition", window.span)
    return combined.histogram


def _known_start(window: MixedWindow) -> int | None:
    """Give since when the first sample's counter counts, if that is within the window."""
    if window.starts is None:
        return None
    start = window.starts[0]
    return start if start and window.start_ms < start < window.ts_ms[0] else None


def _stretch(window: MixedWindow, change: Histogram, start: int | None, *, is_counter: bool) -> float:
    """Give by how much the change between the first and last sample grows when it is drawn out to the edges."""
    ts = window.ts_ms
    sampled = (ts[-1] - ts[0]) / 1000
    if len(ts) == 1:
        return 1.0
    average = sampled / (window.count - 1)
    to_start, to_end = (ts[0] - window.start_ms) / 1000, (window.end_ms - ts[-1]) / 1000
    to_start = average / 2 if to_start >= average * NEAR else to_start
    to_end = average / 2 if to_end >= average * NEAR else to_end
    if start is not None:
        known = (ts[-1] - start) / 1000
        return (known + to_end) / known
    first = window.points[0]
    if is_counter and isinstance(first, Histogram) and change.count > 0 and first.count >= 0:
        to_start = min(to_start, sampled * (first.count / change.count))
    return (sampled + to_start + to_end) / sampled


def _extended(window: MixedWindow, *, is_counter: bool, is_rate: bool) -> Result:
    used = window.trimmed()
    if used is None:
        return None
    if used.has_floats and used.histograms:
        window.notes.mixed_floats_and_histograms(window.name, window.span)
        return None
    delta = histograms.extended_rate_of(
        window.timed_histograms,
        window.start_ms,
        window.end_ms,
        is_smoothed=window.mode == "smoothed",
        is_counter=is_counter,
    )
    remark(window, delta.notes)
    if delta.histogram is None or not is_rate:
        return delta.histogram
    return histograms.divide(delta.histogram, window.range_ms / 1000)


def between_last_two(window: MixedWindow, *, is_rate: bool) -> Result:
    """Give the change between the last two samples, if both are histograms."""
    if len(window.points) < 2:
        return None
    before, last = window.points[-2:]
    seconds = (window.ts_ms[-1] - window.ts_ms[-2]) / 1000
    if not isinstance(before, Histogram) or not isinstance(last, Histogram):
        if isinstance(before, Histogram) != isinstance(last, Histogram):
            window.notes.mixed_floats_and_histograms(window.name, window.span)
            return None
        return _between_numbers(window, before, last, seconds, is_rate=is_rate)
    hints = {before.hint, last.hint}
    if is_rate and ResetHint.GAUGE in hints:
        window.notes.not_a_counter(window.name, window.span)
    if not is_rate and hints != {ResetHint.GAUGE}:
        window.notes.not_a_gauge(window.name, window.span)
    result = last
    if not is_rate or not _is_reset(window, before, last):
        try:
            combined = histograms.sub(last, before)
        except histograms.IncompatibleSchemasError:
            window.notes.mixed_schemas(window.name, window.span)
            return None
        if combined.is_reconciled:
            window.notes.reconciled("subtraction", window.span)
        result = combined.histogram
    result = histograms.with_hint(histograms.compact(result), ResetHint.GAUGE)
    return histograms.divide(result, seconds) if is_rate else result


def _between_numbers(
    window: MixedWindow, before: float | Histogram, last: float | Histogram, seconds: float, *, is_rate: bool
) -> Result:
    assert not isinstance(before, Histogram)
    assert not isinstance(last, Histogram)
    if not is_rate:
        return last - before
    fell = last < before or _begins_anew(window)
    return (last if fell else last - before) / seconds


def _is_reset(window: MixedWindow, before: Histogram, last: Histogram) -> bool:
    return _begins_anew(window) or histograms.detects_reset(last, before)


def _begins_anew(window: MixedWindow) -> bool:
    if window.starts is None:
        return False
    return histograms.is_start_reset(window.starts[-2], window.ts_ms[-2], window.starts[-1], window.ts_ms[-1])


def sum_over_time(window: MixedWindow) -> Result:
    """Give the sum of histograms."""
    return _combine(window, histograms.sum_of)


def avg_over_time(window: MixedWindow) -> Result:
    """Give the average of histograms."""
    return _combine(window, histograms.mean_of)


def _combine(window: MixedWindow, combine: Combine) -> Result:
    if window.has_floats:
        window.notes.mixed_floats_and_histograms(window.name, window.span)
        return None
    try:
        combined = combine(window.histograms)
    except histograms.IncompatibleSchemasError:
        window.notes.mixed_schemas(window.name, window.span)
        return None
    if combined.is_collision:
        window.notes.reset_collision("aggregation", window.span)
    if combined.is_reconciled:
        window.notes.reconciled("aggregation", window.span)
    return combined.histogram
