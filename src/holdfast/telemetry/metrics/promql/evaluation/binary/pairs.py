"""Computes a binary operation for rows that have found each other: numbers at once, histograms one by one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools, Floats, Objects, filled
from holdfast.telemetry.metrics.promql.evaluation.binary.elements import Element, ElementOperator
from holdfast.telemetry.metrics.promql.evaluation.binary.operators import COMPARISONS, TRIMS, compute
from holdfast.telemetry.metrics.promql.evaluation.notes import Notes
from holdfast.telemetry.metrics.promql.nodes import Span


@dataclass(frozen=True, slots=True)
class Side:
    """Values of one side, broadcastable to P x T; histograms where there are any."""

    values: Floats
    histograms: Objects | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """P x T: the values, where a result is kept, where the operation took place at all, and histograms."""

    values: Floats
    kept: Bools
    happened: Bools
    histograms: Objects | None = None


def operate(op: str, left: Side, right: Side, present: Bools, *, returns_bool: bool) -> Outcome:
    """Compute numbers only; `present` is where both sides have a sample."""
    values, holds = compute(op, left.values, right.values)
    if returns_bool and holds is not None:
        return Outcome(holds.astype(np.float64), present, present)
    kept = present if holds is None else present & holds
    return Outcome(values, kept, present)


def operate_with_histograms(
    op: str, left: Side, right: Side, present: Bools, *, span: Span, notes: Notes, returns_bool: bool
) -> Outcome:
    """Compute where histograms stand on one or both sides, or where the operator is one of histograms only."""
    shape = present.shape
    l_hist, r_hist = _spread(left, shape), _spread(right, shape)
    special = present & (filled(l_hist) | filled(r_hist))
    if op in TRIMS and (present & ~special).any():
        notes.incompatible_types("float", op, "float", span)
    plain = operate(op, left, right, present & ~special, returns_bool=returns_bool)
    values, kept = np.array(np.broadcast_to(plain.values, shape)), np.array(plain.kept)
    happened, results = np.array(plain.happened), np.full(shape, None, dtype=np.object_)
    l_values, r_values = np.broadcast_to(left.values, shape), np.broadcast_to(right.values, shape)
    operator = ElementOperator(op, span, notes)
    for at in zip(*(part.tolist() for part in np.nonzero(special)), strict=True):
        one: Element = float(l_values[at]) if l_hist[at] is None else l_hist[at]
        two: Element = float(r_values[at]) if r_hist[at] is None else r_hist[at]
        result, holds = operator.apply(one, two)
        if result is None:
            continue
        happened[at] = True
        if returns_bool and op in COMPARISONS:
            values[at], kept[at] = float(holds), True
            continue
        kept[at] = holds
        if isinstance(result, float):
            values[at] = result
        else:
            results[at] = result
    return Outcome(values, kept, happened, results)


def _spread(side: Side, shape: tuple[int, ...]) -> Objects:
    if side.histograms is None:
        return np.full(shape, None, dtype=np.object_)
    return np.broadcast_to(side.histograms, shape)
