"""Sums and averages of histograms in an aggregation: sample by sample, with what is odd said.

Source: promql/engine.go, aggregation.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from holdfast.telemetry.metrics.histograms import Histogram
from holdfast.telemetry.metrics.labels import name_of
from holdfast.telemetry.metrics.promql import histograms
from holdfast.telemetry.metrics.promql.evaluation.aggregations import Groups
from holdfast.telemetry.metrics.promql.evaluation.frames import Frame
from holdfast.telemetry.metrics.promql.evaluation.notes import Notes
from holdfast.telemetry.metrics.promql.nodes import Aggregation

COMBINE: Final = {"sum": histograms.sum_of, "avg": histograms.mean_of}


def fold_histograms(node: Aggregation, frame: Frame, groups: Groups, result: Frame, notes: Notes) -> Frame:
    """Add to the result of the floats that of the histograms; where both meet in a group there is none."""
    assert frame.histograms is not None
    is_histogram, is_float = frame.is_histogram, frame.is_float
    cells = np.full(result.values.shape, None, dtype=np.object_)
    present = result.present.copy()
    for number, rows in enumerate(groups.rows()):
        columns = np.flatnonzero(is_histogram[rows].any(axis=0))
        for column in columns.tolist():
            if is_float[rows, column].any():
                notes.warn("encountered a mix of histograms and floats for aggregation", node.expr.span)
                present[number, column] = False
                continue
            members = rows[is_histogram[rows, column]].tolist()
            cells[number, column] = _combine(node, frame, members, column, notes)
            present[number, column] = cells[number, column] is not None
    return replace(result, present=present, histograms=cells)


def _combine(node: Aggregation, frame: Frame, rows: list[int], column: int, notes: Notes) -> Histogram | None:
    assert frame.histograms is not None
    span = node.expr.span
    try:
        combined = COMBINE[node.op]([frame.histograms[row, column] for row in rows])
    except histograms.IncompatibleSchemasError:
        notes.mixed_schemas(_name_of_misfit(frame, rows, column), span)
        return None
    if combined.is_collision:
        notes.reset_collision("aggregation", span)
    if combined.is_reconciled:
        notes.reconciled("aggregation", span)
    return histograms.compact(combined.histogram)


def _name_of_misfit(frame: Frame, rows: list[int], column: int) -> str:
    """Name the metric whose histogram is the first that does not go with those before it."""
    assert frame.histograms is not None
    first: Histogram = frame.histograms[rows[0], column]
    for row in rows[1:]:
        if frame.histograms[row, column].is_custom != first.is_custom:
            return name_of(frame.labels[row])
    return name_of(frame.labels[rows[0]])
