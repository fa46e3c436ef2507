"""Calls of functions that take no range: evaluates the arguments and hands them to the function.

A table of handlers by name; the parser has checked names, numbers and types of arguments.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.telemetry.metrics.promql.evaluation import estimating, vectors
from holdfast.telemetry.metrics.promql.evaluation.arrays import Floats
from holdfast.telemetry.metrics.promql.evaluation.frames import Frame, Scalars
from holdfast.telemetry.metrics.promql.evaluation.reading import read_instant, read_selection
from holdfast.telemetry.metrics.promql.evaluation.steps import Steps
from holdfast.telemetry.metrics.promql.nodes import Call, VectorSelector
from holdfast.telemetry.metrics.promql.walking import bare

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.promql.evaluation.evaluator import Evaluator

Handler = Callable[["Evaluator", Call, Steps], Frame | Scalars]
SORTED: Final = "sort is ineffective for range queries since results are always ordered by labels"


def call_function(evaluator: Evaluator, node: Call, steps: Steps) -> Frame | Scalars:
    """Evaluate a call."""
    if node.function in vectors.PLAIN:
        return vectors.apply_plain(node.function, evaluator.frame(node.args[0], steps))
    if node.function in vectors.PARTS:
        return _calendar(evaluator, node, steps)
    return HANDLERS[node.function](evaluator, node, steps)


def _text(evaluator: Evaluator, node: Call, place: int, steps: Steps) -> str:
    value = evaluator.evaluate(node.args[place], steps)
    assert isinstance(value, str)
    return value


def _scalar_arg(evaluator: Evaluator, node: Call, place: int, steps: Steps, otherwise: float = 0.0) -> Floats:
    if place >= len(node.args):
        return np.full(steps.count, otherwise)
    return evaluator.scalars(node.args[place], steps).values


def _calendar(evaluator: Evaluator, node: Call, steps: Steps) -> Frame:
    if not node.args:
        return _one_series(vectors.read_calendar(node.function, (steps.times() // 1000).astype(np.float64)))
    frame = evaluator.frame(node.args[0], steps)
    return vectors.each_number(frame, vectors.read_calendar(node.function, frame.values))


def _one_series(values: Floats) -> Frame:
    shape = (1, len(values))
    return Frame([()], values[None, :], np.ones(shape, dtype=np.bool_), np.zeros(1, dtype=np.bool_))


def _scalar(evaluator: Evaluator, node: Call, steps: Steps) -> Scalars:
    frame = evaluator.frame(node.args[0], steps)
    floats = frame.is_float
    if not len(frame.labels):
        return Scalars(np.full(steps.count, math.nan))
    first = frame.values[floats.argmax(axis=0), np.arange(steps.count)]
    return Scalars(np.where(floats.sum(axis=0) == 1, first, math.nan))


def _clamp(evaluator: Evaluator, node: Call, steps: Steps) -> Frame:
    frame = evaluator.frame(node.args[0], steps)
    lowest, highest = np.full(steps.count, -math.inf), np.full(steps.count, math.inf)
    if node.function == "clamp":
        lowest, highest = _scalar_arg(evaluator, node, 1, steps), _scalar_arg(evaluator, node, 2, steps)
    elif node.function == "clamp_min":
        lowest = _scalar_arg(evaluator, node, 1, steps)
    else:
        highest = _scalar_arg(evaluator, node, 1, steps)
    return vectors.clamp(frame, lowest, highest)


def _timestamp(evaluator: Evaluator, node: Call, steps: Steps) -> Frame:
    arg = bare(node.args[0])
    if isinstance(arg, VectorSelector) and arg.mode != "smoothed":
        picked = read_instant(evaluator.query, arg, steps, needs_index=True)
        ts = evaluator.query.raw(evaluator.query.plan.reach(arg)).ts
        frame, values = picked.frame, ts.take(picked.index, mode="clip") / 1000 if len(ts) else picked.frame.values
    else:
        frame = evaluator.frame(arg, steps)
        values = np.broadcast_to(steps.times() / 1000, frame.values.shape)
    return replace(frame, values=values, drops=np.ones_like(frame.drops), histograms=None).without_empty_rows()


def _start_timestamp(evaluator: Evaluator, node: Call, steps: Steps) -> Frame:
    arg = bare(node.args[0])
    if not isinstance(arg, VectorSelector) or arg.mode == "smoothed":
        frame = evaluator.frame(arg, steps)
        return replace(frame, present=np.zeros_like(frame.present)).without_empty_rows()
    picked = read_instant(evaluator.query, arg, steps, needs_index=True)
    starts = evaluator.query.raw(evaluator.query.plan.reach(arg)).starts
    frame = picked.frame
    values = np.zeros_like(frame.values)
    if starts is not None and len(starts):
        values = starts.take(picked.index, mode="clip") / 1000
    return replace(frame, values=values, drops=np.ones_like(frame.drops), histograms=None).without_empty_rows()


def _sort(evaluator: Evaluator, node: Call, steps: Steps) -> Frame:
    frame = evaluator.frame(node.args[0], steps)
    is_descending = node.function.endswith("_desc")
    if not steps.is_single:
        evaluator.query.notes.warn(SORTED, node.span)
    if node.function.startswith("sort_by_label"):
        names = [_text(evaluator, node, place, steps) for place in range(1, len(node.args))]
        return vectors.sort_by_labels(frame, names, is_descending=is_descending) if steps.is_single else frame
    if steps.is_single:
        return vectors.sort_by_value(frame, is_descending=is_descending)
    return replace(frame, present=frame.is_float, histograms=None).without_empty_rows()


def _label_replace(evaluator: Evaluator, node: Call, steps: Steps) -> Frame:
    frame = evaluator.frame(node.args[0], steps)
    target, template, source, pattern = (_text(evaluator, node, place, steps) for place in range(1, 5))
    return vectors.label_replace(frame, target, template, source, pattern)


def _label_join(evaluator: Evaluator, node: Call, steps: Steps) -> Frame:
    frame = evaluator.frame(node.args[0], steps)
    target, separator, *sources = (_text(evaluator, node, place, steps) for place in range(1, len(node.args)))
    return vectors.label_join(frame, target, separator, sources)


def _info(evaluator: Evaluator, node: Call, steps: Steps) -> Frame:
    query = evaluator.query
    frame = evaluator.frame(node.args[0], steps)
    reach = query.plan.reaches[id(node)]
    second = bare(node.args[1]) if len(node.args) > 1 else None
    chosen = second.matchers if isinstance(second, VectorSelector) else ()
    picked = read_selection(query, VectorSelector("", chosen, span=node.span), reach, steps, needs_index=True)
    ts = query.raw(reach).ts
    times = ts.take(picked.index, mode="clip") if len(ts) else np.zeros(picked.frame.values.shape, dtype=np.int64)
    return vectors.enrich(frame, vectors.InfoSeries(picked.frame, times), vectors.Enrichment(chosen))


def _absent(evaluator: Evaluator, node: Call, steps: Steps) -> Frame:
    return vectors.absent(evaluator.frame(node.args[0], steps), node.args[0])


def _round(evaluator: Evaluator, node: Call, steps: Steps) -> Frame:
    frame = evaluator.frame(node.args[0], steps)
    return vectors.round_to(frame, _scalar_arg(evaluator, node, 1, steps, 1.0))


def _constant(seconds: Callable[[Evaluator], float]) -> Handler:
    return lambda evaluator, _node, steps: Scalars(np.full(steps.count, seconds(evaluator)))


def _of_two(choose: Callable[[Floats, Floats], Floats]) -> Handler:
    def call(evaluator: Evaluator, node: Call, steps: Steps) -> Scalars:
        one, two = _scalar_arg(evaluator, node, 0, steps), _scalar_arg(evaluator, node, 1, steps)
        return Scalars(choose(one, two))

    return call


HANDLERS: Final[dict[str, Handler]] = {
    "absent": _absent,
    "clamp": _clamp,
    "clamp_max": _clamp,
    "clamp_min": _clamp,
    "end": _constant(lambda evaluator: evaluator.query.steps.end_ms / 1000),
    "info": _info,
    "label_join": _label_join,
    "label_replace": _label_replace,
    "max_of": _of_two(np.maximum),
    "min_of": _of_two(np.minimum),
    "pi": _constant(lambda _: math.pi),
    "range": _constant(lambda evaluator: (evaluator.query.steps.end_ms - evaluator.query.steps.start_ms) / 1000),
    "round": _round,
    "scalar": _scalar,
    "sort": _sort,
    "sort_by_label": _sort,
    "sort_by_label_desc": _sort,
    "sort_desc": _sort,
    "start": _constant(lambda evaluator: evaluator.query.steps.start_ms / 1000),
    "start_timestamp": _start_timestamp,
    "step": _constant(lambda evaluator: 0 if evaluator.query.steps.is_single else evaluator.query.step_ms / 1000),
    "time": lambda _evaluator, _node, steps: Scalars(steps.times() / 1000),
    "timestamp": _timestamp,
    "vector": lambda evaluator, node, steps: _one_series(_scalar_arg(evaluator, node, 0, steps)),
    **estimating.HANDLERS,
}
