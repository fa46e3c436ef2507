"""The `histogram_*` functions: reads their arguments, estimates for classic and native histograms, says what is odd."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.telemetry.metrics.histograms import Histogram
from holdfast.telemetry.metrics.labels import Labels, labels_of, name_of
from holdfast.telemetry.metrics.promql import histograms
from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools, Floats
from holdfast.telemetry.metrics.promql.evaluation.classic import HistogramInput, all_drop, gather_histograms
from holdfast.telemetry.metrics.promql.evaluation.frames import Frame, empty_frame
from holdfast.telemetry.metrics.promql.evaluation.notes import Notes, Raised, of_name
from holdfast.telemetry.metrics.promql.evaluation.steps import Steps
from holdfast.telemetry.metrics.promql.nodes import Call, Expr, Span
from holdfast.telemetry.metrics.promql.walking import bare

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.promql.evaluation.evaluator import Evaluator

NAN_NOTES: Final = {
    "nan_result": "input to histogram_quantile has NaN observations, result is NaN",
    "nan_skew": "input to histogram_quantile has NaN observations, result is skewed higher",
    "nan_excluded": "input to histogram_fraction has NaN observations, which are excluded from all fractions",
}
Estimate = Callable[[Histogram, int], histograms.Estimate]
Row = tuple[Labels, Floats, Bools]

SIMPLE: Final[dict[str, Callable[[Histogram], float]]] = {
    "histogram_count": lambda histogram: histogram.count,
    "histogram_sum": lambda histogram: histogram.sum,
    "histogram_avg": lambda histogram: _ratio(histogram.sum, histogram.count),
    "histogram_stddev": histograms.stddev,
    "histogram_stdvar": histograms.stdvar,
}


def _ratio(total: float, count: float) -> float:
    with np.errstate(all="ignore"):
        return float(np.float64(total) / np.float64(count))


def simple(evaluator: Evaluator, node: Call, steps: Steps) -> Frame:
    """Evaluate a function of each native histogram by itself; numbers are passed over."""
    frame = evaluator.frame(node.args[0], steps)
    compute = SIMPLE[node.function]
    where = frame.is_histogram
    values = np.zeros(frame.values.shape)
    if frame.histograms is not None:
        for at in zip(*(part.tolist() for part in np.nonzero(where)), strict=True):
            values[at] = compute(frame.histograms[at])
    return Frame(frame.labels, values, where, all_drop(frame.labels)).without_empty_rows()


def histogram_quantile(evaluator: Evaluator, node: Call, steps: Steps) -> Frame:
    """Evaluate `histogram_quantile(q, vector)`."""
    q = evaluator.scalars(node.args[0], steps).values
    frame = evaluator.frame(node.args[1], steps)
    notes = evaluator.query.notes
    _check_quantile(q, node.args[0], notes)
    remarks = _Remarks(notes, steps, bare(node.args[1]).span)
    given = gather_histograms(frame, remarks.span, notes)
    return _assemble(_quantile_rows(given, q, remarks), steps)


def histogram_quantiles(evaluator: Evaluator, node: Call, steps: Steps) -> Frame:
    """Evaluate `histogram_quantiles(vector, "label", q, ...)`: one result for each quantile, told by the label."""
    frame = evaluator.frame(node.args[0], steps)
    label = evaluator.evaluate(node.args[1], steps)
    assert isinstance(label, str)
    notes = evaluator.query.notes
    remarks = _Remarks(notes, steps, bare(node.args[0]).span)
    rows: list[Row] = []
    given: HistogramInput | None = None
    for arg in node.args[2:]:
        q = evaluator.scalars(arg, steps).values
        _check_quantile(q, arg, notes)
        given = given or gather_histograms(frame, remarks.span, notes)
        for labels, values, present in _quantile_rows(given, q, remarks):
            for share in np.unique(q).tolist():
                same = np.isnan(q) if math.isnan(share) else q == share
                marked = labels_of({**dict(labels), label: _write_share(share)})
                rows.append((marked, values, present & same))
    return _assemble(rows, steps)


def _write_share(share: float) -> str:
    """Write a number as OpenMetrics does for labels."""
    if share == int(share) if math.isfinite(share) else False:
        return f"{share:.1f}"
    return histograms.write_number(share)


def histogram_fraction(evaluator: Evaluator, node: Call, steps: Steps) -> Frame:
    """Evaluate `histogram_fraction(lower, upper, vector)`."""
    lower, upper = (evaluator.scalars(node.args[place], steps).values for place in (0, 1))
    frame = evaluator.frame(node.args[2], steps)
    remarks = _Remarks(evaluator.query.notes, steps, bare(node.args[2]).span)
    given = gather_histograms(frame, remarks.span, remarks.notes)
    rows: list[Row] = []
    for labels, found in given.classic.items():
        bounds, counts, present = given.buckets(found)
        values = histograms.classic_fractions(lower, upper, bounds, counts, present)
        rows.append((labels, values, np.asarray(present.any(axis=0))))

    def estimate(histogram: Histogram, step: int) -> histograms.Estimate:
        return histograms.fraction(float(lower[step]), float(upper[step]), histogram)

    return _assemble([*_native_rows(given, estimate, remarks), *rows], steps)


class _Remarks:
    """What one call has to say of its histograms, which come from `span`."""

    def __init__(self, notes: Notes, steps: Steps, span: Span) -> None:
        self.notes, self.steps, self.span = notes, steps, span
        self._told: dict[Labels, Bools] = {}

    def raised(self, labels: Labels, answer: histograms.ClassicQuantiles, there: Bools) -> None:
        """Tell of one histogram's counts that had to be raised; each sample once, for however many quantiles."""
        forced = answer.is_forced & there & ~self._told.get(labels, np.zeros_like(there))
        if not forced.any():
            return
        self._told[labels] = forced | self._told.get(labels, forced)
        times = self.steps.times()[forced]
        raised = Raised(
            float(answer.min_bucket[forced].min()),
            float(answer.max_bucket[forced].max()),
            float(answer.max_diff[forced].max()),
            int(forced.sum()),
            int(times[0]),
            int(times[-1]),
        )
        self.notes.forced_monotonicity(name_of(labels), raised, self.span)

    def nan(self, labels: Labels, codes: tuple[str, ...]) -> None:
        """Tell of observations of NaN."""
        for code in codes:
            self.notes.info(NAN_NOTES[code] + of_name(name_of(labels)), self.span)


def _quantile_rows(given: HistogramInput, q: Floats, remarks: _Remarks) -> list[Row]:
    rows: list[Row] = []
    for labels, found in given.classic.items():
        bounds, counts, present = given.buckets(found)
        answer = histograms.classic_quantiles(q, bounds, counts, present)
        there: Bools = np.asarray(present.any(axis=0))
        remarks.raised(labels, answer, there)
        rows.append((labels, answer.values, there))

    def estimate(histogram: Histogram, step: int) -> histograms.Estimate:
        return histograms.quantile(float(q[step]), histogram)

    return [*_native_rows(given, estimate, remarks), *rows]


def _native_rows(given: HistogramInput, estimate: Estimate, remarks: _Remarks) -> list[Row]:
    rows: list[Row] = []
    frame = given.frame
    for row in np.flatnonzero(given.natives.any(axis=1)).tolist():
        values = np.zeros(frame.values.shape[1])
        assert frame.histograms is not None
        for step in np.flatnonzero(given.natives[row]).tolist():
            found = estimate(frame.histograms[row, step], step)
            values[step] = found.value
            remarks.nan(frame.labels[row], found.notes)
        rows.append((frame.labels[row], values, given.natives[row]))
    return rows


def _check_quantile(q: Floats, arg: Expr, notes: Notes) -> None:
    for share in np.unique(q[np.isnan(q) | (q < 0) | (q > 1)]).tolist():
        notes.invalid_quantile(share, bare(arg).span)


def _assemble(rows: list[Row], steps: Steps) -> Frame:
    if not rows:
        return empty_frame(steps.count)
    labels = [row[0] for row in rows]
    values, present = np.stack([row[1] for row in rows]), np.stack([row[2] for row in rows])
    return Frame(labels, values, present, all_drop(rows)).without_empty_rows()


HANDLERS: Final = {
    **dict.fromkeys(SIMPLE, simple),
    "histogram_quantile": histogram_quantile,
    "histogram_quantiles": histogram_quantiles,
    "histogram_fraction": histogram_fraction,
}
