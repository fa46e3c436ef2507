"""`smoothed` instant vectors of series that hold histograms, sample by sample. Source: promql/engine.go."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from holdfast.telemetry.metrics.histograms import Histogram, ResetHint
from holdfast.telemetry.metrics.labels import name_of
from holdfast.telemetry.metrics.promql import histograms
from holdfast.telemetry.metrics.promql.evaluation.frames import Frame
from holdfast.telemetry.metrics.promql.evaluation.notes import Notes
from holdfast.telemetry.metrics.promql.evaluation.samples import Samples
from holdfast.telemetry.metrics.promql.evaluation.windows import Bounds
from holdfast.telemetry.metrics.promql.nodes import Span


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The samples of one series around a step."""

    ts_ms: list[int]
    points: list[object]
    end_ms: int
    name: str


def smooth_histograms(frame: Frame, samples: Samples, bounds: Bounds, span: Span, notes: Notes) -> Frame:
    """Put interpolated histograms into the rows of series that hold any."""
    assert samples.histograms is not None
    cells = np.full(frame.values.shape, None, dtype=np.object_)
    for row in samples.rows_with_histograms():
        windows = bounds.of_row(row)
        for column, (lo, hi) in enumerate(zip(windows.lo[0].tolist(), windows.hi[0].tolist(), strict=True)):
            part = slice(windows.begin + lo, windows.begin + hi)
            points = [
                value if cell is None else cell
                for cell, value in zip(samples.histograms[part].tolist(), samples.values[part].tolist(), strict=True)
            ]
            if not any(isinstance(point, Histogram) for point in points):
                continue
            around = Neighbours(
                samples.ts[part].tolist(), points, int(windows.ends[column]), name_of(samples.labels[row])
            )
            result = interpolate(around, span, notes)
            frame.present[row, column] = result is not None
            cells[row, column] = result
    return replace(frame, histograms=cells)


def interpolate(around: Neighbours, span: Span, notes: Notes) -> Histogram | None:
    """Give the histogram at a step, from the samples before and after it."""
    if not all(isinstance(point, Histogram) for point in around.points):
        notes.mixed_floats_and_histograms(around.name, span)
        return None
    after = next((at for at, ts in enumerate(around.ts_ms) if ts >= around.end_ms), len(around.ts_ms))
    points = [point for point in around.points if isinstance(point, Histogram)]
    if after < len(points) and around.ts_ms[after] == around.end_ms:
        return points[after]
    if after == 0:
        return None
    if after == len(points):
        return points[after - 1]
    one, two = points[after - 1], points[after]
    share = (around.end_ms - around.ts_ms[after - 1]) / (around.ts_ms[after] - around.ts_ms[after - 1])
    if one.is_custom != two.is_custom:
        notes.mixed_schemas(around.name, span)
        return None
    is_counter = {one.hint, two.hint} != {ResetHint.GAUGE}
    between = histograms.interpolate(one, two, share, is_counter=is_counter)
    for note in between.notes:
        notes.reconciled({"reconciled_sub": "subtraction", "reconciled_add": "addition"}[note], span)
    return between.histogram
