"""`sum_over_time`, `avg_over_time`: each window is cut into runs whose lengths are its powers of two.

The runs' sums come from doubling: no differences of prefix sums, so nothing cancels, and pairwise summation is as exact
as Kahan's unless large numbers of both signs meet; those few windows are summed exactly.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools, Floats
from holdfast.telemetry.metrics.promql.evaluation.ranges.kernel import Kernel
from holdfast.telemetry.metrics.promql.evaluation.windows import Windows

CANCELLED: Final = 1e-7  # a sum this small beside its largest term has lost digits that Prometheus keeps


def sum_over_time(windows: Windows, _args: tuple[Floats, ...], out: Floats) -> Bools:
    """Fill `out` with the sum of each window."""
    counts = windows.counts
    with np.errstate(all="ignore"):
        sum_runs(windows, windows.flat, out)
    _mend(windows, out, exact_sum)
    return counts > 0


def avg_over_time(windows: Windows, _args: tuple[Floats, ...], out: Floats) -> Bools:
    """Fill `out` with the mean of each window; by weight where samples are downsampled."""
    counts = windows.counts
    with np.errstate(all="ignore"):
        if windows.samples.weights is None:
            sum_runs(windows, windows.flat, out)
            out /= counts
        else:
            weights = windows.samples.weights[windows.begin : windows.end]
            total = np.empty_like(out)
            sum_runs(windows, weights, total)
            sum_runs(windows, windows.flat * weights, out)
            out /= total
            return counts > 0
    _mend(windows, out, exact_mean)
    return counts > 0


def sum_runs(windows: Windows, flat: Floats, out: Floats) -> None:
    """Sum a column along the block's samples over each window."""
    counts = windows.counts
    out[:] = 0.0
    position = windows.lo.copy()
    run = flat
    for level in range(int(counts.max(initial=0)).bit_length()):
        if level:
            half = 1 << (level - 1)
            longer = run.copy()
            np.add(run[:-half], run[half:], out=longer[:-half])
            run = longer
        is_set = (counts >> level) & 1 == 1
        if windows.is_shared:
            columns = np.flatnonzero(is_set[0])
            if len(columns) == out.shape[1]:
                out += run.reshape(windows.rows, -1).take(position[0], axis=1)
            elif len(columns):
                out[:, columns] += run.reshape(windows.rows, -1).take(position[0][columns], axis=1)
        elif is_set.any():
            rows, columns = np.nonzero(is_set)
            out[rows, columns] += run.take(windows.bases[rows, 0] + position[rows, columns])
        position += is_set.astype(np.int64) << level


def _mend(windows: Windows, out: Floats, exactly: Callable[[Floats], float]) -> None:
    """Compute anew what cancelled or overflowed."""
    flat = windows.flat
    low, high = (float(flat.min()), float(flat.max())) if len(flat) else (0.0, 0.0)
    if not (math.isnan(low) or (low < 0 < high) or math.isinf(low) or math.isinf(high) or max(-low, high) > 1e300):
        return
    matrix_max = np.maximum.reduceat(np.abs(np.nan_to_num(flat, posinf=0, neginf=0)), _row_starts(windows))
    doubtful = ~np.isfinite(out) | (np.abs(out) < CANCELLED * matrix_max[:, None])
    doubtful &= np.broadcast_to(windows.counts > 0, out.shape)
    lo, hi = windows.broadcast(windows.lo), windows.broadcast(windows.hi)
    for row, column in zip(*(part.tolist() for part in np.nonzero(doubtful)), strict=True):
        base = int(windows.bases[row, 0])
        out[row, column] = exactly(flat[base + int(lo[row, column]) : base + int(hi[row, column])])


def _row_starts(windows: Windows) -> list[int]:
    return [min(at, len(windows.flat) - 1) for at in windows.bases[:, 0].tolist()]


def exact_sum(values: Floats) -> float:
    """Sum without loss; infinities as in Prometheus."""
    if not np.isfinite(values).all():
        return float(np.sum(values))
    try:
        return math.fsum(values.tolist())
    except OverflowError:
        return kahan_sum(values.tolist())


def kahan_sum(values: list[float]) -> float:
    """Sum with a running compensation, as Prometheus does; an overflow is infinite."""
    total, lost = 0.0, 0.0
    for value in values:
        next_total = total + value
        if math.isinf(next_total):
            lost = 0.0
        elif abs(total) >= abs(value):
            lost += (total - next_total) + value
        else:
            lost += (value - next_total) + total
        total = next_total
    return total if math.isinf(total) else total + lost


def exact_mean(values: Floats) -> float:
    """Average without loss and without overflow on the way."""
    if not np.isfinite(values).all():
        infinite = values[~np.isfinite(values)]
        return float(np.sum(infinite))
    try:
        return math.fsum(values.tolist()) / len(values)
    except OverflowError:
        return math.fsum((values / len(values)).tolist())


KERNELS: Final[dict[str, Kernel]] = {"sum_over_time": sum_over_time, "avg_over_time": avg_over_time}
