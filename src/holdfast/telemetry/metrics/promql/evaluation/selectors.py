"""Instant vectors from samples: at each step the newest sample within the lookback, unless the series ended there.

Also the `smoothed` kind, which interpolates between the neighbours of a step. Source: promql/engine.go.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdfast.telemetry.metrics.arrivals import STALE_BITS
from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools, Floats, Ints, Objects, filled
from holdfast.telemetry.metrics.promql.evaluation.blocks import Block, cut_blocks
from holdfast.telemetry.metrics.promql.evaluation.budget import Budget
from holdfast.telemetry.metrics.promql.evaluation.frames import Frame
from holdfast.telemetry.metrics.promql.evaluation.samples import Samples, is_one_clock, is_stale
from holdfast.telemetry.metrics.promql.evaluation.threads import run_blocks
from holdfast.telemetry.metrics.promql.evaluation.windows import Bounds, Windows


@dataclass(frozen=True, slots=True)
class Picked:
    """An instant vector, with the index of each sample in the flat columns; meaningless where nothing is present."""

    frame: Frame
    index: Ints


def pick_last(samples: Samples, times: Ints, lookback_ms: int, budget: Budget, *, needs_index: bool = False) -> Picked:
    """Give the instant vector at `times`."""
    if len(times) == 1 and not needs_index and samples.histograms is None and is_one_clock(samples):
        return _pick_at_once(samples, int(times[0]), lookback_ms)
    shape = (samples.count, len(times))
    values, present = np.empty(shape), np.empty(shape, dtype=np.bool_)
    keep_index = needs_index or samples.histograms is not None
    index = np.zeros(shape if keep_index else (0, 0), dtype=np.int64)
    bounds = Bounds(samples, times, lookback_ms, times)

    def work(block: Block) -> None:
        windows = bounds.windows(block)
        rows = block.rows
        found = windows.counts > 0
        last = np.where(found, windows.hi - 1, 0)
        newest = windows.at(last)
        values[rows] = newest
        alive = newest.view(np.int64) != STALE_BITS
        present[rows] = alive if found.all() else alive & found
        if keep_index:
            index[rows] = samples.offsets[:-1][rows][:, None] + last

    run_blocks(cut_blocks(samples, len(times)), work, budget, cells=values.size)
    histograms = _pick_histograms(samples, index, present)
    return Picked(Frame(samples.labels, values, present, samples.drops, histograms), index)


def _pick_at_once(samples: Samples, at_ms: int, lookback_ms: int) -> Picked:
    """Give the instant vector at one moment of series that keep one clock: a column of a matrix."""
    clock = samples.ts[: samples.offsets[1]]
    begin, end = clock.searchsorted((at_ms - lookback_ms, at_ms), side="right")
    if begin == end:
        values, present = np.zeros(samples.count), np.zeros(samples.count, dtype=np.bool_)
    else:
        values = np.ascontiguousarray(samples.values[: samples.offsets[-1]].reshape(samples.count, -1)[:, end - 1])
        present = values.view(np.int64) != STALE_BITS
    frame = Frame(samples.labels, values[:, None], present[:, None], samples.drops)
    return Picked(frame, np.zeros((0, 0), dtype=np.int64))


def _pick_histograms(samples: Samples, index: Ints, present: Bools) -> Objects | None:
    if samples.histograms is None:
        return None
    picked: Objects = np.full(index.shape, None, dtype=np.object_)
    if len(samples.histograms):
        picked[present] = samples.histograms.take(index[present], mode="clip")
    for row, column in zip(*(part.tolist() for part in np.nonzero(filled(picked))), strict=True):
        if is_stale(picked[row, column]):
            present[row, column] = False
            picked[row, column] = None
    return picked


def smooth(windows: Windows, out: Floats) -> Bools:
    """Fill `out` with values interpolated between the neighbours of each step; the last value goes on by itself."""
    ends = windows.ends
    rows = range(windows.first_row, windows.end_row)
    lo, hi = windows.broadcast(windows.lo), windows.broadcast(windows.hi)
    offsets, ts = windows.samples.offsets, windows.samples.ts
    after = np.stack([np.searchsorted(ts[offsets[row] : offsets[row + 1]], ends, side="left") for row in rows])
    has_after = after < hi
    before = np.maximum(after - 1, 0)
    block_ts, flat, bases = ts[windows.begin : windows.end], windows.flat, windows.bases
    t_after, v_after = block_ts.take(bases + after, mode="clip"), flat.take(bases + after, mode="clip")
    t_before, v_before = block_ts.take(bases + before, mode="clip"), flat.take(bases + before, mode="clip")
    is_exact = has_after & (t_after == ends)
    has_before = (after - 1 >= lo) & (hi > lo)
    with np.errstate(all="ignore"):
        between = v_before + (v_after - v_before) * ((ends - t_before) / (t_after - t_before))
    out[:] = np.where(is_exact, v_after, np.where(has_after, between, v_before))
    return np.asarray(is_exact | has_before)
