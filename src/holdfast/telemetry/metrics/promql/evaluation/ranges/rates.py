"""`rate`, `increase`, `delta` with Prometheus' extrapolation, and `irate`, `idelta`; of floats.

Source: promql/functions.go, extrapolatedRate and instantValue. Histograms go another way (`mixed`).
"""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np

from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools, Floats, Ints
from holdfast.telemetry.metrics.promql.evaluation.ranges.edges import weigh
from holdfast.telemetry.metrics.promql.evaluation.ranges.kernel import Kernel
from holdfast.telemetry.metrics.promql.evaluation.ranges.resets import find_resets, start_resets, sum_resets
from holdfast.telemetry.metrics.promql.evaluation.windows import Windows

NEAR: Final = 1.1  # a gap to the edge of up to this many average intervals is bridged whole


def extrapolated(windows: Windows, _args: tuple[Floats, ...], out: Floats, *, is_counter: bool, is_rate: bool) -> Bools:
    """Fill `out` with the change over each window, drawn out to its edges; needs two samples."""
    counts = windows.counts
    begins = find_start_points(windows) if is_counter and windows.samples.starts is not None else None
    ok = counts >= 2
    enough = ok if begins is None else ok | (begins[0] & (counts == 1))
    first_at, last_at = np.where(counts > 0, windows.lo, 0), np.where(counts > 0, windows.hi - 1, 0)
    first = windows.at(first_at)
    np.subtract(windows.at(last_at), first, out=out)
    if is_counter:
        add_resets(windows, first_at, last_at, out)
    with np.errstate(all="ignore"):
        _draw_out(windows, _Edges(windows, first_at, last_at), first if is_counter else None, begins, out)
        if is_rate:
            out /= windows.range_ms / 1000
    return enough


class _Edges:
    """Times between a window's edges and its samples, in seconds, (1 or R) x T."""

    __slots__ = ("average", "sampled", "threshold", "to_end", "to_start")

    def __init__(self, windows: Windows, first_at: Ints, last_at: Ints) -> None:
        first_ts, last_ts = windows.clock_at(first_at), windows.clock_at(last_at)
        self.sampled: Floats = (last_ts - first_ts) / 1000
        self.average: Floats = self.sampled / (weigh(windows) - 1)
        self.threshold: Floats = self.average * NEAR
        self.to_start: Floats = (first_ts - (windows.ends - windows.range_ms)) / 1000
        self.to_end: Floats = (windows.ends - last_ts) / 1000


def _draw_out(
    windows: Windows, edges: _Edges, first: Floats | None, begins: tuple[Bools, Ints] | None, out: Floats
) -> None:
    half = edges.average / 2
    to_start = np.where(edges.to_start >= edges.threshold, half, edges.to_start)
    to_end = np.where(edges.to_end >= edges.threshold, half, edges.to_end)
    if begins is not None and first is not None:
        _draw_out_from_starts(edges, first, begins, (to_start, to_end, windows.counts == 1), out)
        return
    if first is not None:
        # A counter cannot have been below zero: where it would have been zero within the gap, the gap ends there.
        suspicious = (first < out * (to_start / edges.sampled)) & (first >= 0)
        if suspicious.any():
            to_zero = np.broadcast_to(edges.sampled, out.shape)[suspicious] * (first[suspicious] / out[suspicious])
            to_start = np.broadcast_to(to_start, out.shape).copy()
            to_start[suspicious] = to_zero
    out *= (edges.sampled + to_start + to_end) / edges.sampled


def _draw_out_from_starts(
    edges: _Edges,
    first: Floats,
    begins: tuple[Bools, Ints],
    gaps: tuple[Floats, Floats, Bools],
    out: Floats,
) -> None:
    """As above, but where it is known since when the counter counts, it was zero then: nothing is drawn out there."""
    is_known, gap_ms = begins
    to_start, to_end, is_lonely = gaps
    with np.errstate(all="ignore"):
        to_zero = np.where((out > 0) & (first >= 0), edges.sampled * (first / out), np.inf)
    start = np.minimum(np.broadcast_to(to_start, out.shape), to_zero)
    gap = np.broadcast_to(gap_ms / 1000, out.shape)
    sampled = np.broadcast_to(edges.sampled, out.shape)
    whole = np.where(is_known, sampled + gap, sampled)
    left = np.where(is_known, 0.0, start)
    right = np.where(np.broadcast_to(is_lonely, out.shape), 0.0, np.broadcast_to(to_end, out.shape))
    out += np.where(is_known, first, 0.0)
    out *= (whole + left + right) / whole


def find_start_points(windows: Windows) -> tuple[Bools, Ints]:
    """Tell for each window whether its first sample's counter began within it, and how long before that sample."""
    assert windows.samples.starts is not None
    starts = windows.samples.starts[windows.begin : windows.end]
    first_at = np.where(windows.counts > 0, windows.lo, 0)
    since = windows.pick(starts, first_at)
    first_ts = np.broadcast_to(windows.clock_at(first_at), since.shape)
    gap = first_ts - since
    is_known = (since != 0) & (since < first_ts) & (since > windows.ends - windows.range_ms) & (windows.counts > 0)
    return is_known, np.asarray(gap, dtype=np.int64)


def add_resets(windows: Windows, first_at: Ints, last_at: Ints, out: Floats) -> None:
    """Add to each window what its counter lost in resets between its first and last sample."""
    resets = find_resets(windows)
    for row in resets.rows_concerned():
        shared = 0 if windows.is_shared else row
        out[row] += sum_resets(resets, row, first_at[shared], last_at[shared])


def between_last_two(windows: Windows, _args: tuple[Floats, ...], out: Floats, *, is_rate: bool) -> Bools:
    """Fill `out` with the change between the last two samples, per second for `irate`."""
    counts = windows.counts
    ok = counts >= 2
    last_at = np.where(ok, windows.hi - 1, 0)
    before_at = np.where(ok, windows.hi - 2, 0)
    last, before = windows.at(last_at), windows.at(before_at)
    np.subtract(last, before, out=out)
    if is_rate:
        fell = last < before
        if windows.samples.starts is not None:
            began = np.concatenate(([False], start_resets(windows)))
            fell |= windows.pick(began, last_at) & ok
        np.copyto(out, last, where=fell)
        with np.errstate(all="ignore"):
            out /= (windows.clock_at(last_at) - windows.clock_at(before_at)) / 1000
    return ok


KERNELS: Final[dict[str, Kernel]] = {
    "rate": partial(extrapolated, is_counter=True, is_rate=True),
    "increase": partial(extrapolated, is_counter=True, is_rate=False),
    "delta": partial(extrapolated, is_counter=False, is_rate=False),
    "irate": partial(between_last_two, is_rate=True),
    "idelta": partial(between_last_two, is_rate=False),
}
