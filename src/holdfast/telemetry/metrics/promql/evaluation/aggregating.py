"""Evaluates aggregations: groups the series, checks the parameter, hands each group to its fold or ranking."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.telemetry.metrics.promql import histograms
from holdfast.telemetry.metrics.promql.errors import QueryExecutionError
from holdfast.telemetry.metrics.promql.evaluation import aggregations
from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools, Floats
from holdfast.telemetry.metrics.promql.evaluation.folding import fold_histograms
from holdfast.telemetry.metrics.promql.evaluation.frames import Frame, empty_frame
from holdfast.telemetry.metrics.promql.evaluation.notes import Notes
from holdfast.telemetry.metrics.promql.evaluation.quantiles import check_quantile, quantile_of_sorted, sort_nan_first
from holdfast.telemetry.metrics.promql.evaluation.steps import Steps
from holdfast.telemetry.metrics.promql.evaluation.vectors import is_label_name
from holdfast.telemetry.metrics.promql.nodes import Aggregation
from holdfast.telemetry.metrics.promql.walking import bare

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.promql.evaluation.evaluator import Evaluator

RANKED: Final = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})


def aggregate(evaluator: Evaluator, node: Aggregation, steps: Steps) -> Frame:
    """Evaluate an aggregation.

    Raises:
        QueryExecutionError: the parameter makes no sense.
    """
    node = replace(node, expr=bare(node.expr))  # notes are about what stands within the parentheses, as in Prometheus
    notes = evaluator.query.notes
    if node.op == "count_values":
        return _count_values(evaluator, node, steps)
    param = evaluator.scalars(node.param, steps).values if node.param is not None else np.zeros(steps.count)
    frame = evaluator.frame(node.expr, steps)
    if node.op in RANKED:
        if not check_rank(node, param, notes):
            return empty_frame(steps.count)
        return _rank(node, frame, param, steps, notes)
    if node.op == "quantile" and node.param is not None:
        check_quantile(param, node.param, notes)
    groups = aggregations.group(frame.labels, node.grouping, is_without=node.is_without)
    floats = _ignore_histograms(node, frame, notes)
    if node.op == "quantile":
        values, present = _each_group(
            floats, groups, lambda mine, there, count: quantile_of_columns(mine, there, np.tile(param, count))
        )
    else:
        values, present = fold_groups(node.op, floats, groups)
    result = Frame(groups.labels, values, present, groups.any_of(frame.drops))
    if frame.histograms is not None and node.op in {"sum", "avg"}:
        result = fold_histograms(node, frame, groups, result, notes)
    return result.without_empty_rows()


def _ignore_histograms(node: Aggregation, frame: Frame, notes: Notes) -> Frame:
    if frame.histograms is None or node.op in {"count", "group"}:
        return replace(frame, histograms=None)
    if node.op not in aggregations.TAKES_HISTOGRAMS and frame.is_histogram.any():
        notes.ignored_in_aggregation(node.op, node.expr.span)
    return replace(frame, present=frame.is_float, histograms=None)


def fold_groups(op: str, frame: Frame, groups: aggregations.Groups) -> tuple[Floats, Bools]:
    """Fold each group's floats."""
    fold = aggregations.FOLDS[op]
    return _each_group(frame, groups, lambda values, there, _: fold(values, there))


def _each_group(
    frame: Frame, groups: aggregations.Groups, fold: Callable[[Floats, Bools, int], Floats]
) -> tuple[Floats, Bools]:
    """Fold the columns of groups of one size side by side; `fold` is told how many groups these are."""
    steps = frame.values.shape[1]
    values, present = np.zeros((groups.count, steps)), np.zeros((groups.count, steps), dtype=np.bool_)
    for numbers, rows in groups.batches(steps):
        shape = (len(rows), len(numbers) * steps)
        mine, there = (cells[rows].reshape(shape) for cells in (frame.values, frame.present))
        present[numbers] = there.any(axis=0).reshape(-1, steps)
        with np.errstate(all="ignore"):
            values[numbers] = fold(mine, there, len(numbers)).reshape(-1, steps)
    return values, present


def quantile_of_columns(values: Floats, there: Bools, q: Floats) -> Floats:
    """Give each column's quantile; the usual column, without gaps or NaN, is sorted no more than it must be."""
    if not len(q) or not (q == q[0]).all() or not 0 <= q[0] <= 1:
        return _sorted_quantiles(values, there, q)
    result = np.empty(len(q))
    is_whole = there.all(axis=0)
    if not is_whole.all():
        rest = ~is_whole
        result[rest] = _sorted_quantiles(values[:, rest], there[:, rest], q[rest])
    columns = np.ascontiguousarray(values.T if is_whole.all() else values.T[is_whole])
    if np.isnan(columns).any():
        return _sorted_quantiles(values, there, q)
    rank = q[0] * (columns.shape[1] - 1)
    lower = int(rank)
    upper = min(lower + 1, columns.shape[1] - 1)
    columns.partition(sorted({lower, upper}), axis=1)
    weight = rank - lower
    with np.errstate(all="ignore"):
        result[is_whole] = columns[:, lower] * (1 - weight) + columns[:, upper] * weight
    return result


def _sorted_quantiles(values: Floats, there: Bools, q: Floats) -> Floats:
    ordered, nans = sort_nan_first(np.ascontiguousarray(values.T), there.T)
    return quantile_of_sorted(ordered, there.sum(axis=0), nans, q)


def check_rank(node: Aggregation, param: Floats, notes: Notes) -> bool:
    """Check how many are wanted; false if none ever are.

    Raises:
        QueryExecutionError: it is no number, or too large for one.
    """
    if np.isnan(param).any():
        what = "Ratio" if node.op == "limit_ratio" else "Parameter"
        raise QueryExecutionError(f"{what} value is NaN")
    most, least = float(param.max(initial=-math.inf)), float(param.min(initial=math.inf))
    if node.op != "limit_ratio":
        if most < 1:
            return False
        if least <= -(2.0**63):
            raise QueryExecutionError(f"Scalar value {histograms.write_number(least)} underflows int64")
        if most >= 2.0**63:
            raise QueryExecutionError(f"Scalar value {histograms.write_number(most)} overflows int64")
        return True
    assert node.param is not None
    if most > 1:
        notes.invalid_ratio(most, 1.0, bare(node.param).span)
    if least < -1:
        notes.invalid_ratio(least, -1.0, bare(node.param).span)
    return not most == least == 0


def _rank(node: Aggregation, frame: Frame, param: Floats, steps: Steps, notes: Notes) -> Frame:
    ordered = frame.take(sorted(range(len(frame.labels)), key=frame.labels.__getitem__))
    if node.op == "limit_ratio":
        return replace(ordered, present=aggregations.sampled(ordered, param)).without_empty_rows()
    groups = aggregations.group(ordered.labels, node.grouping, is_without=node.is_without)
    if node.op == "limitk":
        return replace(ordered, present=aggregations.first_k(ordered, groups, param)).without_empty_rows()
    if ordered.histograms is not None and ordered.is_histogram.any() and param.max() >= 1:
        notes.ignored_in_aggregation(node.op, node.span)
    chosen, ranking = aggregations.best_k(ordered, groups, param, is_top=node.op == "topk")
    kept = replace(ordered, present=chosen, histograms=None)
    return kept.take(ranking) if steps.is_single else kept.without_empty_rows()


def _count_values(evaluator: Evaluator, node: Aggregation, steps: Steps) -> Frame:
    label = evaluator.evaluate(node.param, steps) if node.param is not None else ""
    assert isinstance(label, str)
    if not is_label_name(label):
        written = repr(label)
        raise QueryExecutionError(f"invalid label name {_write_bytes(label) if node.param else written}")
    frame = evaluator.frame(node.expr, steps)
    by = aggregations.ValueCount(label, node.grouping, node.is_without)
    describe: Callable[..., str] = histograms.describe_histogram  # cells are objects
    return aggregations.count_values(frame, by, describe, evaluator.query.budget)


def _write_bytes(text: str) -> str:
    data = text.encode("utf-8", "surrogateescape")
    shown = "".join(chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}" for byte in data)
    return f'"{shown}"'
