"""Range functions over series that hold histograms: window by window, with what is odd said.

Series and windows of floats alone go another way (`ranges`). Source: promql/functions.go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from holdfast.telemetry.metrics.histograms import Histogram
from holdfast.telemetry.metrics.labels import name_of
from holdfast.telemetry.metrics.promql.evaluation import mixed_rates, mixed_turns
from holdfast.telemetry.metrics.promql.evaluation.arrays import Floats, Ints, Objects, filled
from holdfast.telemetry.metrics.promql.evaluation.frames import Frame
from holdfast.telemetry.metrics.promql.evaluation.mixed_call import MixedCall
from holdfast.telemetry.metrics.promql.evaluation.mixed_stacks import fill_stacked
from holdfast.telemetry.metrics.promql.evaluation.mixed_window import MixedWindow, Result
from holdfast.telemetry.metrics.promql.evaluation.samples import Samples
from holdfast.telemetry.metrics.promql.evaluation.windows import Windows

BLIND: Final = frozenset(
    {
        "absent_over_time",
        "count_over_time",
        "present_over_time",
        "ts_of_first_over_time",
        "ts_of_last_over_time",
    }
)


Handler = Callable[[MixedWindow], Result]
HANDLERS: Final[dict[str, Handler]] = {
    "rate": lambda window: mixed_rates.rate(window, is_counter=True, is_rate=True),
    "increase": lambda window: mixed_rates.rate(window, is_counter=True, is_rate=False),
    "delta": lambda window: mixed_rates.rate(window, is_counter=False, is_rate=False),
    "irate": lambda window: mixed_rates.between_last_two(window, is_rate=True),
    "idelta": lambda window: mixed_rates.between_last_two(window, is_rate=False),
    "sum_over_time": mixed_rates.sum_over_time,
    "avg_over_time": mixed_rates.avg_over_time,
    "changes": lambda window: mixed_turns.count_turns(window, is_resets=False),
    "resets": lambda window: mixed_turns.count_turns(window, is_resets=True),
    "first_over_time": mixed_turns.first,
    "last_over_time": mixed_turns.last,
}


def fill_mixed(frame: Frame, call: MixedCall) -> Frame:
    """Replace what the function over floats made of windows that hold histograms."""
    rows = call.samples.rows_with_histograms()
    if not rows or call.function in BLIND:
        return frame
    handler = HANDLERS.get(call.function)
    if handler is None:
        return _ignore_histograms(frame, call, rows)
    cells = np.full(frame.values.shape, None, dtype=np.object_)
    for row in rows:
        call.budget.check()
        windows = call.bounds.of_row(row)
        present = fill_stacked(call, windows, cells[row])
        if present is not None:
            frame.present[row] = present
            continue
        for column in np.flatnonzero(_histograms_in(call.samples, windows)).tolist():
            _put(frame, cells, (row, column), handler(_cut(call, windows, column)))
    return replace(frame, histograms=cells)


def _put(frame: Frame, cells: Objects, at: tuple[int, int], result: Result) -> None:
    frame.present[at] = result is not None
    if isinstance(result, Histogram):
        cells[at] = result
    elif result is not None:
        frame.values[at] = result


def _histograms_in(samples: Samples, windows: Windows) -> Ints:
    """Count the histograms in each window of one series."""
    assert samples.histograms is not None
    there = filled(samples.histograms[windows.begin : windows.end]).astype(np.int64)
    sums = np.concatenate(([0], np.cumsum(there)))
    return np.asarray(sums[windows.hi[0]] - sums[np.minimum(windows.lo[0], windows.hi[0])])


def _cut(call: MixedCall, windows: Windows, column: int) -> MixedWindow:
    samples = call.samples
    part = slice(windows.begin + int(windows.lo[0, column]), windows.begin + int(windows.hi[0, column]))
    assert samples.histograms is not None
    return MixedWindow(
        samples.ts[part].tolist(),
        _points(samples.values[part], samples.histograms[part]),
        None if samples.starts is None else samples.starts[part].tolist(),
        int(windows.ends[column]),
        windows.range_ms,
        call.mode,
        name_of(samples.labels[windows.first_row]),
        call.span,
        call.notes,
        part.stop - part.start if samples.weights is None else float(samples.weights[part].sum()),
    )


def _points(values: Floats, cells: Objects) -> Sequence[float | Histogram]:
    return [value if cell is None else cell for cell, value in zip(cells.tolist(), values.tolist(), strict=True)]


def _ignore_histograms(frame: Frame, call: MixedCall, rows: list[int]) -> Frame:
    """Compute these rows again from their numbers alone, and say where histograms were passed over."""
    for row in rows:
        windows = call.bounds.of_row(row)
        numbers = only_floats(call.samples, row)
        if not len(numbers.ts):
            frame.present[row] = False
            continue
        alone = replace(call.bounds, samples=numbers, _known={}).of_row(0)
        frame.present[row] = call.kernel(alone, call.args, frame.values[row : row + 1])[0]
        if ((_histograms_in(call.samples, windows) > 0) & (alone.counts[0] > 0)).any():
            call.notes.ignored_in_range(name_of(call.samples.labels[row]), call.span)
    return frame


def only_floats(samples: Samples, row: int) -> Samples:
    """Give the numbers of one series."""
    assert samples.histograms is not None
    part = slice(int(samples.offsets[row]), int(samples.offsets[row + 1]))
    keep = ~filled(samples.histograms[part])
    ts = samples.ts[part][keep]
    return Samples(
        [samples.labels[row]],
        np.array([0, len(ts)], dtype=np.int64),
        ts,
        samples.values[part][keep],
        np.zeros(1, dtype=np.int64),
        samples.drops[row : row + 1],
    )
