"""Calls of range functions: reads the windows, runs the function over blocks of series, says what is odd."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.telemetry.metrics.labels import Labels, name_of
from holdfast.telemetry.metrics.promql.evaluation.arrays import Floats
from holdfast.telemetry.metrics.promql.evaluation.blocks import Block, cut_blocks
from holdfast.telemetry.metrics.promql.evaluation.frames import Frame
from holdfast.telemetry.metrics.promql.evaluation.mixed import fill_mixed
from holdfast.telemetry.metrics.promql.evaluation.mixed_call import MixedCall
from holdfast.telemetry.metrics.promql.evaluation.quantiles import check_quantile
from holdfast.telemetry.metrics.promql.evaluation.query import Query
from holdfast.telemetry.metrics.promql.evaluation.ranges import ANCHORED, KERNELS, SMOOTHED, Kernel
from holdfast.telemetry.metrics.promql.evaluation.ranges.resets import find_overlaps
from holdfast.telemetry.metrics.promql.evaluation.reading import RangeSource, read_range, repeat
from holdfast.telemetry.metrics.promql.evaluation.steps import Steps
from holdfast.telemetry.metrics.promql.evaluation.threads import run_blocks
from holdfast.telemetry.metrics.promql.evaluation.vectors import absent
from holdfast.telemetry.metrics.promql.evaluation.windows import Bounds
from holdfast.telemetry.metrics.promql.nodes import Call, MatrixSelector, Subquery
from holdfast.telemetry.metrics.promql.walking import bare

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.promql.evaluation.evaluator import Evaluator

KEEPS_NAME: Final = frozenset({"first_over_time", "last_over_time"})
COUNTER_ENDINGS: Final = ("_total", "_sum", "_count", "_bucket")
BY_MODE: Final = {"": KERNELS, "anchored": ANCHORED, "smoothed": SMOOTHED}


def find_range(node: Call) -> int:
    """Give which argument of a call is a range vector; -1 if none is."""
    for place, arg in enumerate(node.args):
        if isinstance(bare(arg), MatrixSelector | Subquery):
            return place
    return -1


@dataclass(frozen=True, slots=True)
class RangeCall:
    """A range function about to run; `args` are its scalar arguments, T each."""

    node: Call
    source: RangeSource
    args: tuple[Floats, ...]
    range_node: MatrixSelector | Subquery

    @property
    def kernel(self) -> Kernel:
        """The function over floats."""
        return BY_MODE[self.source.mode][self.node.function]


def call_over_range(evaluator: Evaluator, node: Call, steps: Steps) -> Frame:
    """Evaluate a call of a range function."""
    place = find_range(node)
    range_node = bare(node.args[place])
    assert isinstance(range_node, MatrixSelector | Subquery)
    args = tuple(evaluator.scalars(arg, steps).values for number, arg in enumerate(node.args) if number != place)
    source = read_range(evaluator, range_node, steps)
    call = RangeCall(node, source, args, range_node)
    is_fixed = source.reach.at_ms is not None and not args and steps.count > 1
    if is_fixed:
        call = replace(call, source=replace(source, ends=source.ends[:1]))
    frame = run_range(evaluator.query, call, steps.times()[: len(call.source.ends)])
    frame = repeat(frame, steps.count) if is_fixed else frame
    if node.function == "quantile_over_time" and frame.present.any():
        check_quantile(args[0], node.args[0], evaluator.query.notes)
    if node.function == "absent_over_time":
        return absent(frame, node.args[place])
    return frame.without_empty_rows()


def run_range(query: Query, call: RangeCall, times: np.ndarray) -> Frame:
    """Run a range function over all series."""
    samples, source = call.source.samples, call.source
    shape = (samples.count, len(source.ends))
    query.budget.foresee(shape[0] * shape[1] * 9, lambda: source.what)
    values, present = np.empty(shape), np.empty(shape, dtype=np.bool_)
    bounds = bounds_for(query, call, times)
    kernel = call.kernel

    def work(block: Block) -> None:
        if isinstance(block.rows, slice):
            present[block.rows] = kernel(bounds.windows(block), call.args, values[block.rows])
            return
        out = np.empty((len(block.rows), shape[1]))
        present[block.rows] = kernel(bounds.windows(block), call.args, out)
        values[block.rows] = out

    run_blocks(cut_blocks(samples, shape[1]), work, query.budget, cells=max(values.size, len(samples.values)))
    keeps = call.node.function in KEEPS_NAME
    drops = samples.drops if keeps else np.ones_like(samples.drops)
    frame = Frame(samples.labels, values, present, drops)
    if samples.histograms is not None:
        name, span = call.node.function, call.range_node.span
        mixed = MixedCall(name, source.mode, kernel, bounds, call.args, span, query.notes, query.budget)
        frame = fill_mixed(frame, mixed)
    _remark(query, call, frame, bounds)
    return frame


def bounds_for(query: Query, call: RangeCall, times: np.ndarray) -> Bounds:
    """Give the windows of a call; those of extended selectors reach over the edges by the lookback."""
    source = call.source
    left = query.lookback_ms if source.mode else 0
    right = query.lookback_ms if source.mode == "smoothed" else 0
    return Bounds(source.samples, source.ends, source.reach.range_ms, times, left, right)


def _remark(query: Query, call: RangeCall, frame: Frame, bounds: Bounds) -> None:
    """Say what is odd: a rate of what is no counter, start timestamps that overlap."""
    if call.node.function not in {"rate", "increase"}:
        return
    samples, span = call.source.samples, call.range_node.span
    if samples.starts is not None and not call.source.mode:
        for row in find_overlaps(samples, bounds):
            query.notes.start_overlap(name_of(samples.labels[row]), span)
    has_floats = frame.is_float.any(axis=1)
    remark = _remark_type(query, call) if query.has_type_labels else _remark_name(query, call)
    for row in np.flatnonzero(has_floats).tolist():
        remark(samples.labels[row])


def _remark_name(query: Query, call: RangeCall) -> Callable[[Labels], None]:
    said: set[str] = set()

    def remark(labels: Labels) -> None:
        name = name_of(labels)
        if name and name not in said and not name.endswith(COUNTER_ENDINGS):
            query.notes.possibly_no_counter(name, call.range_node.span)
        said.add(name)

    return remark


def _remark_type(query: Query, call: RangeCall) -> Callable[[Labels], None]:
    def remark(labels: Labels) -> None:
        known = dict(labels)
        kind = known.get("__type__", "")
        if known.get("__name__") and kind not in {"counter", "histogram"}:
            query.notes.possibly_no_counter_type(known["__name__"], kind, call.range_node.span)

    return remark
