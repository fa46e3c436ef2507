"""Range functions over `anchored` and `smoothed` selectors: the window's edges get a value of their own.

Anchored: the last sample at or before the left edge stands for it. Smoothed: both edges are interpolated. Source:
promql/functions.go, extendedRate. Windows here reach further than the range, by the lookback.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np

from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools, Floats, Ints
from holdfast.telemetry.metrics.promql.evaluation.ranges.kernel import Kernel
from holdfast.telemetry.metrics.promql.evaluation.ranges.resets import find_resets, sum_resets
from holdfast.telemetry.metrics.promql.evaluation.ranges.turns import changed, fell
from holdfast.telemetry.metrics.promql.evaluation.windows import Windows


class _Reach:
    """Which samples of the extended windows count, all (R x T)."""

    __slots__ = ("first", "last", "lefts", "ok", "rights", "ts_first", "ts_last", "windows")

    def __init__(self, windows: Windows, *, is_smoothed: bool) -> None:
        self.windows = windows
        self.lefts: Ints = windows.ends - windows.range_ms
        self.rights: Ints = windows.ends
        lo, hi = windows.broadcast(windows.lo), windows.broadcast(windows.hi)
        ok = hi > lo
        newest = np.maximum(hi - 1, 0)
        self.first = np.clip(_seek(windows, self.lefts, side="right") - 1, np.where(ok, lo, 0), newest)
        self.last = newest
        if is_smoothed:
            self.last = np.clip(_seek(windows, self.rights, side="left"), np.where(ok, lo, 0), newest)
        self.ts_first: Ints = windows.samples.ts.take(windows.begin + windows.bases + self.first, mode="clip")
        self.ts_last: Ints = windows.samples.ts.take(windows.begin + windows.bases + self.last, mode="clip")
        within = (self.ts_last > self.lefts) & (self.ts_first <= self.rights)
        self.ok: Bools = np.asarray(ok & within)

    def value(self, index: Ints) -> Floats:
        """Give the values at these samples of each row."""
        flat = self.windows.flat
        return flat.take(self.windows.bases + np.maximum(index, 0), mode="clip")

    def moment(self, index: Ints) -> Ints:
        """Give the times of these samples of each row."""
        ts = self.windows.samples.ts[self.windows.begin : self.windows.end]
        return ts.take(self.windows.bases + np.maximum(index, 0), mode="clip")


def _seek(windows: Windows, moments: Ints, *, side: str) -> Ints:
    found = []
    for row in range(windows.first_row, windows.end_row):
        ts = windows.samples.ts[windows.samples.offsets[row] : windows.samples.offsets[row + 1]]
        found.append(np.searchsorted(ts, moments, side=side))  # type: ignore[call-overload]  # "left" or "right"
    return np.stack(found)


def interpolate(reach: _Reach, before: Ints, moment: Ints, *, is_counter: bool) -> Floats:
    """Give the value at a moment between sample `before` and the next; a counter that fell was zero in between."""
    one, two = reach.value(before), reach.value(before + 1)
    if is_counter:
        one = np.where(two < one, 0.0, one)
    t_one, t_two = reach.moment(before), reach.moment(before + 1)
    return one + (two - one) * ((moment - t_one) / (t_two - t_one))


def extended_rate(
    windows: Windows,
    _args: tuple[Floats, ...],
    out: Floats,
    *,
    is_counter: bool,
    is_rate: bool,
    is_smoothed: bool,
) -> Bools:
    """Fill `out` with the change between the window's edges."""
    reach = _Reach(windows, is_smoothed=is_smoothed)
    left, right = reach.value(reach.first), reach.value(reach.last)
    with np.errstate(all="ignore"):
        if is_smoothed:
            between = (reach.ts_first < reach.lefts) & (reach.last > reach.first)
            left = np.where(between, interpolate(reach, reach.first, reach.lefts, is_counter=is_counter), left)
            beyond = (reach.ts_last > reach.rights) & (reach.last > windows.broadcast(windows.lo))
            right = np.where(beyond, interpolate(reach, reach.last - 1, reach.rights, is_counter=is_counter), right)
        np.subtract(right, left, out=out)
        if is_counter:
            out += _lost(windows, reach, left, right)
    if is_rate:
        out /= windows.range_ms / 1000
    return reach.ok


def _lost(windows: Windows, reach: _Reach, left: Floats, right: Floats) -> Floats:
    """Sum what the counter lost in resets from the left edge over the samples inside to the right edge."""
    inner_first = reach.first + (reach.ts_first <= reach.lefts)
    inner_last = reach.last - (reach.ts_last >= reach.rights)
    has_inner = inner_last >= inner_first
    inner = np.zeros(left.shape)
    resets = find_resets(windows, believes_starts=False)  # as Prometheus has it
    for row in resets.rows_concerned():
        inner[row] = sum_resets(resets, row, inner_first[row], inner_last[row])
    oldest, newest = reach.value(inner_first), reach.value(inner_last)
    through = inner + np.where(oldest < left, left, 0.0) + np.where(right < newest, newest, 0.0)
    return np.where(has_inner, through, np.where(right < left, left, 0.0))


def anchored_turns(windows: Windows, _args: tuple[Floats, ...], out: Floats, *, is_resets: bool) -> Bools:
    """Fill `out` with the changes or resets since the last sample at or before the left edge."""
    reach = _Reach(windows, is_smoothed=False)
    mask = fell(windows) if is_resets else changed(windows.flat)
    sums = np.concatenate(([0], np.cumsum(mask)))
    bases = windows.bases
    out[:] = sums.take(bases + reach.last + 1, mode="clip") - sums.take(bases + reach.first + 1, mode="clip")
    return reach.ok


ANCHORED: Final[dict[str, Kernel]] = {
    "rate": partial(extended_rate, is_counter=True, is_rate=True, is_smoothed=False),
    "increase": partial(extended_rate, is_counter=True, is_rate=False, is_smoothed=False),
    "delta": partial(extended_rate, is_counter=False, is_rate=False, is_smoothed=False),
    "changes": partial(anchored_turns, is_resets=False),
    "resets": partial(anchored_turns, is_resets=True),
}
SMOOTHED: Final[dict[str, Kernel]] = {
    "rate": partial(extended_rate, is_counter=True, is_rate=True, is_smoothed=True),
    "increase": partial(extended_rate, is_counter=True, is_rate=False, is_smoothed=True),
    "delta": partial(extended_rate, is_counter=False, is_rate=False, is_smoothed=True),
}
