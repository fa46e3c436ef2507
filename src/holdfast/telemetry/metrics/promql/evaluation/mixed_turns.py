"""Changes, resets, first and last over windows that hold histograms. Source: promql/functions.go."""

from __future__ import annotations

from holdfast.telemetry.metrics.histograms import Histogram
from holdfast.telemetry.metrics.promql import histograms
from holdfast.telemetry.metrics.promql.evaluation.mixed_window import MixedWindow, Result


def count_turns(window: MixedWindow, *, is_resets: bool) -> Result:
    """Count changes or resets; going from a number to a histogram or back is one of either."""
    used = window.trimmed()
    if used is None:
        return None
    turns = 0
    for place in range(1, len(used.points)):
        before, now = used.points[place - 1], used.points[place]
        if isinstance(before, Histogram) != isinstance(now, Histogram):
            turns += 1
        elif is_resets:
            turns += _is_reset(used, place)
        else:
            turns += _is_change(before, now)
    return float(turns)


def _is_change(before: float | Histogram, now: float | Histogram) -> bool:
    if isinstance(before, Histogram) and isinstance(now, Histogram):
        return not histograms.equals(now, before)
    return now != before and not (now != now and before != before)  # noqa: PLR0124 -- NaN after NaN is no change


def _is_reset(window: MixedWindow, place: int) -> bool:
    before, now = window.points[place - 1], window.points[place]
    starts, ts = window.starts, window.ts_ms
    if starts is not None and histograms.is_start_reset(starts[place - 1], ts[place - 1], starts[place], ts[place]):
        return True
    if isinstance(before, Histogram) and isinstance(now, Histogram):
        return histograms.detects_reset(now, before)
    assert not isinstance(before, Histogram)
    assert not isinstance(now, Histogram)
    return now < before


def first(window: MixedWindow) -> Result:
    """Give the oldest sample."""
    return window.points[0]


def last(window: MixedWindow) -> Result:
    """Give the newest sample."""
    return window.points[-1]
