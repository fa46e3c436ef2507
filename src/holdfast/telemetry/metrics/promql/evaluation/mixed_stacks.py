"""Range functions over a series of nothing but histograms of one layout: all windows at once, as a matrix.

Gives what `mixed_rates` gives window by window, which does whatever does not suit here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np

from holdfast.telemetry.metrics.histograms import Histogram
from holdfast.telemetry.metrics.labels import name_of
from holdfast.telemetry.metrics.promql import histograms
from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools, Floats, Ints, Objects, filled
from holdfast.telemetry.metrics.promql.evaluation.mixed_call import MixedCall
from holdfast.telemetry.metrics.promql.evaluation.ranges.edges import weigh
from holdfast.telemetry.metrics.promql.evaluation.ranges.rates import NEAR
from holdfast.telemetry.metrics.promql.evaluation.windows import Windows

Fill = Callable[[MixedCall, Windows, histograms.Stack, Objects], Bools | None]


def fill_stacked(call: MixedCall, windows: Windows, cells: Objects) -> Bools | None:
    """Fill in the results of one series, T; tell where there is one, or None if it must go window by window."""
    fill = FILLS.get(call.function)
    samples = call.samples
    part = slice(windows.begin, windows.end)
    assert samples.histograms is not None
    has_starts = samples.starts is not None and bool(samples.starts[part].any())
    if fill is None or call.mode or has_starts or not filled(samples.histograms[part]).all():
        return None
    stack = histograms.Stack.of(samples.histograms[part].tolist())
    return None if stack is None else fill(call, windows, stack, cells)


def _fill_rates(
    call: MixedCall, windows: Windows, stack: histograms.Stack, cells: Objects, *, is_counter: bool, is_rate: bool
) -> Bools:
    present: Bools = windows.counts[0] > 1
    steps = np.flatnonzero(present)
    start, end = windows.lo[0][steps], windows.hi[0][steps]
    name = name_of(call.samples.labels[windows.first_row])
    if is_counter and stack.has_gauge(start, end).any():
        call.notes.not_a_counter(name, call.span)
    if not is_counter and not (stack.is_gauge[start] & stack.is_gauge[end - 1]).all():
        call.notes.not_a_gauge(name, call.span)
    rows = stack.changes(start, end - 1, is_counter=is_counter)
    factors = _stretches(windows, stack, (rows, steps), is_counter=is_counter)
    if is_rate:
        factors = factors / (windows.range_ms / 1000)
    with np.errstate(all="ignore"):
        cells[steps] = _objects(stack.histograms(rows * factors[:, None]))
    return present


def _stretches(windows: Windows, stack: histograms.Stack, changes: tuple[Floats, Ints], *, is_counter: bool) -> Floats:
    """Give by how much each change grows when it is drawn out to the edges of its window."""
    rows, steps = changes
    ts = windows.samples.ts[windows.begin : windows.end]
    first, last = windows.lo[0][steps], windows.hi[0][steps] - 1
    sampled = (ts[last] - ts[first]) / 1000
    average = sampled / (weigh(windows)[0][steps] - 1)
    to_start = (ts[first] - (windows.ends[steps] - windows.range_ms)) / 1000
    to_end = (windows.ends[steps] - ts[last]) / 1000
    to_start = np.where(to_start >= average * NEAR, average / 2, to_start)
    to_end = np.where(to_end >= average * NEAR, average / 2, to_end)
    if is_counter:
        grown, begun = rows[:, 0], stack.rows[first, 0]
        with np.errstate(all="ignore"):
            to_zero = sampled * (begun / grown)
        to_start = np.where((grown > 0) & (begun >= 0) & (to_zero < to_start), to_zero, to_start)
    stretches: Floats = (sampled + to_start + to_end) / sampled
    return stretches


def _fill_sums(
    call: MixedCall, windows: Windows, stack: histograms.Stack, cells: Objects, *, is_mean: bool
) -> Bools | None:
    present: Bools = windows.counts[0] > 0
    steps = np.flatnonzero(present)
    start, end = windows.lo[0][steps], windows.hi[0][steps]
    sums, lost = stack.sums(start, end)
    if is_mean:
        if np.isinf(sums).any():
            return None
        sizes = (end - start)[:, None]
        sums, lost = sums / sizes, lost / sizes
    hints, collides = stack.merged_hints(start, end)
    if collides.any():
        call.notes.reset_collision("aggregation", call.span)
    found = stack.histograms(sums + lost)
    cells[steps] = _objects([histograms.with_hint(each, hint) for each, hint in zip(found, hints, strict=True)])
    return present


def _objects(found: list[Histogram]) -> Objects:
    cells = np.empty(len(found), dtype=np.object_)
    cells[:] = found
    return cells


FILLS: Final[dict[str, Fill]] = {
    "rate": partial(_fill_rates, is_counter=True, is_rate=True),
    "increase": partial(_fill_rates, is_counter=True, is_rate=False),
    "delta": partial(_fill_rates, is_counter=False, is_rate=False),
    "sum_over_time": partial(_fill_sums, is_mean=False),
    "avg_over_time": partial(_fill_sums, is_mean=True),
}
