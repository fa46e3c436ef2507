"""Counter resets in the samples of a block, as a short list: most counters never reset while one looks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools, Floats, Ints
from holdfast.telemetry.metrics.promql.evaluation.samples import Samples
from holdfast.telemetry.metrics.promql.evaluation.windows import Bounds, Windows

WIDEST = 1e6  # between corrections further apart than this, differences of prefix sums would lose digits


@dataclass(frozen=True, slots=True)
class ResetList:
    """Where values fall: the row in the block, the sample's index in its series, the value before it."""

    rows: Ints
    samples: Ints
    lost: Floats

    def of_row(self, row: int) -> tuple[Ints, Floats]:
        """Give the resets of one row."""
        begin, end = np.searchsorted(self.rows, [row, row + 1])
        return self.samples[begin:end], self.lost[begin:end]

    def rows_concerned(self) -> list[int]:
        """Give the rows that have resets."""
        return np.unique(self.rows).tolist()  # type: ignore[no-any-return]  # numpy's stub


def find_resets(windows: Windows, *, believes_starts: bool = True) -> ResetList:
    """Find the resets of all series of a block; a NaN neither falls nor is fallen to."""
    flat = windows.flat
    falls = flat[1:] < flat[:-1]
    if believes_starts and windows.samples.starts is not None:
        falls |= start_resets(windows)
    falls[windows.bases[1:, 0] - 1] = False
    positions = np.flatnonzero(falls) + 1
    rows = np.searchsorted(windows.bases[:, 0], positions, side="right") - 1
    return ResetList(rows, positions - windows.bases[rows, 0], flat[positions - 1])


def start_resets(windows: Windows) -> Bools:
    """Tell by the start timestamps where a counter began anew, for each sample but the first.

    A start before the sample itself and after the one before it is a reset. One exactly at the sample before is one if
    that sample's own start is known to lie before it (a delta), and none if it is not (a cumulative of unknown start).
    """
    assert windows.samples.starts is not None
    starts = windows.samples.starts[windows.begin : windows.end]
    ts = windows.samples.ts[windows.begin : windows.end]
    before, now = starts[:-1], starts[1:]
    is_valid = (now != 0) & (now < ts[1:])
    is_delta = (now == ts[:-1]) & (before != 0) & (before < ts[:-1])
    return np.asarray(is_valid & ((now > ts[:-1]) | is_delta))


def sum_resets(resets: ResetList, row: int, after: Ints, upto: Ints) -> Floats:
    """Sum what one row lost in resets at samples in (after, upto], for each of T windows."""
    samples, lost = resets.of_row(row)
    begin = np.searchsorted(samples, after, side="right")
    end = np.maximum(np.searchsorted(samples, upto, side="right"), begin)
    sizes = np.abs(lost[lost != 0])
    if np.isfinite(lost).all() and (not len(sizes) or sizes.max() <= WIDEST * sizes.min()):
        sums = np.concatenate(([0.0], np.cumsum(lost)))
        return sums[end] - sums[begin]
    return np.array([lost[a:b].sum() for a, b in zip(begin.tolist(), end.tolist(), strict=True)])


def count_resets(resets: ResetList, row: int, after: Ints, upto: Ints) -> Ints:
    """Count the resets of one row at samples in (after, upto]."""
    samples, _ = resets.of_row(row)
    begin, end = np.searchsorted(samples, after, side="right"), np.searchsorted(samples, upto, side="right")
    return np.asarray(np.maximum(end - begin, 0))


def find_overlaps(samples: Samples, bounds: Bounds) -> list[int]:
    """Give the series in which a sample within a window says that it began before the sample before it, falsely."""
    if samples.starts is None or len(samples.ts) < 2:
        return []
    now, before = samples.starts[1:], samples.starts[:-1]
    wrong = (now != 0) & (now < samples.ts[:-1]) & (now != before)
    wrong[samples.offsets[1:-1] - 1] = False
    rows = []
    for row in np.unique(np.searchsorted(samples.offsets, np.flatnonzero(wrong) + 1, side="right") - 1).tolist():
        windows = bounds.of_row(row)
        begin = int(samples.offsets[row])
        places = np.flatnonzero(wrong[begin : int(samples.offsets[row + 1]) - 1]) + 1
        first = windows.lo[0] + 1
        if (np.searchsorted(places, windows.hi[0]) > np.searchsorted(places, first)).any():
            rows.append(row)
    return rows
