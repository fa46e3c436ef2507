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

MANY: Final = 0.2  # of the windows: then all are computed and most kept, which is faster than picking
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
        elif is_set.mean() > MANY:
            np.add(out, run.take(windows.bases + position, mode="clip"), out=out, where=is_set)
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
    """Sum with a running compensation, step by step as Prometheus does; an overflow is infinite."""
    total, lost = 0.0, 0.0
    for value in values.tolist():
        total, lost = add_compensated(value, total, lost)
    return total if math.isinf(total) else total + lost


def exact_mean(values: Floats) -> float:
    """Average step by step as Prometheus does; once the sum would overflow, the mean itself is carried on."""
    first, *rest = values.tolist()
    total, lost, mean, is_carried = first, 0.0, 0.0, False
    for count, value in enumerate(rest, start=2):
        if not is_carried:
            following, loss = add_compensated(value, total, lost)
            if not math.isinf(following):
                total, lost = following, loss
                continue
            is_carried, mean, lost = True, total / (count - 1), lost / (count - 1)
        share = (count - 1) / count
        mean, lost = add_compensated(value / count, share * mean, share * lost)
    return mean + lost if is_carried else total / len(values) + lost / len(values)


def add_compensated(value: float, total: float, lost: float) -> tuple[float, float]:
    """Add a value to a sum and what was lost in rounding to its compensation (Neumaier)."""
    following = total + value
    if math.isinf(following):
        return following, 0.0
    if abs(total) >= abs(value):
        return following, lost + ((total - following) + value)
    return following, lost + ((value - following) + total)


KERNELS: Final[dict[str, Kernel]] = {"sum_over_time": sum_over_time, "avg_over_time": avg_over_time}
