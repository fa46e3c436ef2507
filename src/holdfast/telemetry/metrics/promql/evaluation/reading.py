"""Reads what selectors select: instant vectors, and samples under windows; a subquery's result reads like samples."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from holdfast.telemetry.metrics.histograms import Histogram, ResetHint
from holdfast.telemetry.metrics.promql import histograms
from holdfast.telemetry.metrics.promql.evaluation.arrays import Ints, Objects, filled
from holdfast.telemetry.metrics.promql.evaluation.blocks import Block, cut_blocks
from holdfast.telemetry.metrics.promql.evaluation.frames import Frame
from holdfast.telemetry.metrics.promql.evaluation.planning import Reach, describe
from holdfast.telemetry.metrics.promql.evaluation.query import Query
from holdfast.telemetry.metrics.promql.evaluation.samples import Samples, find_clocks, without_empty_series
from holdfast.telemetry.metrics.promql.evaluation.selectors import Picked, pick_last, smooth
from holdfast.telemetry.metrics.promql.evaluation.smoothing import smooth_histograms
from holdfast.telemetry.metrics.promql.evaluation.steps import Steps
from holdfast.telemetry.metrics.promql.evaluation.threads import run_blocks
from holdfast.telemetry.metrics.promql.evaluation.windows import Bounds
from holdfast.telemetry.metrics.promql.nodes import MatrixSelector, Subquery, VectorSelector

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.promql.evaluation.evaluator import Evaluator


@dataclass(frozen=True, slots=True)
class RangeSource:
    """Samples for windows, and where those end (T)."""

    samples: Samples
    ends: Ints
    reach: Reach
    what: str
    mode: str = ""


def moments(reach: Reach, steps: Steps) -> Ints:
    """Give the moments at which a selector looks."""
    times = steps.times() if reach.at_ms is None else np.full(steps.count, reach.at_ms, dtype=np.int64)
    return times - reach.offset_ms


def read_instant(query: Query, node: VectorSelector, steps: Steps, *, needs_index: bool = False) -> Picked:
    """Read an instant vector."""
    reach = query.plan.reach(node)
    return read_selection(query, node, reach, steps, needs_index=needs_index)


def read_selection(
    query: Query, node: VectorSelector, reach: Reach, steps: Steps, *, needs_index: bool = False
) -> Picked:
    """Read the instant vector of a selection."""
    times = moments(reach, steps)
    samples = query.fresh(reach) if node.mode == "smoothed" else query.raw(reach)
    is_fixed = reach.at_ms is not None and len(times) > 1
    query.budget.foresee(samples.count * len(times) * 9, lambda: describe(query.plan.selections[reach.selection]))
    if is_fixed:
        times = times[:1]
    if node.mode == "smoothed":
        picked = Picked(_read_smoothed(query, samples, times, node), np.zeros((0, 0), dtype=np.int64))
    else:
        picked = pick_last(samples, times, query.lookback_ms, query.budget, needs_index=needs_index)
    if is_fixed:
        picked = Picked(repeat(picked.frame, steps.count), np.repeat(picked.index, steps.count, axis=1))
    return picked


def repeat(frame: Frame, steps: int) -> Frame:
    """Give what was found at one step at every step."""
    return replace(
        frame,
        values=np.repeat(frame.values, steps, axis=1),
        present=np.repeat(frame.present, steps, axis=1),
        histograms=None if frame.histograms is None else np.repeat(frame.histograms, steps, axis=1),
    )


def _read_smoothed(query: Query, samples: Samples, times: Ints, node: VectorSelector) -> Frame:
    shape = (samples.count, len(times))
    values, present = np.zeros(shape), np.zeros(shape, dtype=np.bool_)
    bounds = Bounds(samples, times, query.lookback_ms, times, reach_right_ms=query.lookback_ms)

    def work(block: Block) -> None:
        windows = bounds.windows(block)
        out = np.empty((windows.rows, len(times)))
        present[block.rows] = smooth(windows, out)
        values[block.rows] = out

    run_blocks(cut_blocks(samples, len(times)), work, query.budget, cells=values.size)
    frame = Frame(samples.labels, values, present, samples.drops)
    if samples.histograms is None:
        return frame
    return smooth_histograms(frame, samples, bounds, node.span, query.notes)


def read_range(evaluator: Evaluator, node: MatrixSelector | Subquery, steps: Steps) -> RangeSource:
    """Read the samples under the windows of a range selector, or evaluate a subquery."""
    query = evaluator.query
    reach = query.plan.reach(node)
    ends = moments(reach, steps)
    if isinstance(node, MatrixSelector):
        what = describe(query.plan.selections[reach.selection])
        return RangeSource(query.fresh(reach), ends, reach, what, node.selector.mode)
    assert reach.inner is not None
    query.budget.foresee(8 * reach.inner.count, lambda: "a subquery")
    frame = evaluator.frame(node.expr, reach.inner)
    return RangeSource(as_samples(frame, reach.inner), ends, reach, "a subquery")


def as_samples(frame: Frame, steps: Steps) -> Samples:
    """Give a frame as columns of samples, one at each step at which there is a value."""
    present = frame.present
    times = steps.times()
    offsets = np.concatenate(([0], np.cumsum(present.sum(axis=1)))).astype(np.int64)
    if present.all():
        ts, clocks = np.tile(times, len(frame.labels)), np.zeros(len(frame.labels), dtype=np.int64)
    else:
        ts = np.broadcast_to(times, present.shape)[present]
        clocks = find_clocks(offsets, ts)
    cells = None if frame.histograms is None else _forget_hints(frame.histograms[present])
    samples = Samples(frame.labels, offsets, ts, frame.values[present], clocks, frame.drops, cells)
    return without_empty_series(samples)


def _forget_hints(cells: Objects) -> Objects:
    """A subquery may leave out or repeat samples, so what they say of resets no longer holds."""
    for index in np.flatnonzero(filled(cells)).tolist():
        cell = cells[index]
        if isinstance(cell, Histogram) and cell.hint in {ResetHint.RESET, ResetHint.NOT_RESET}:
            cells[index] = histograms.with_hint(cell, ResetHint.UNKNOWN)
    return cells
