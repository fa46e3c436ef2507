"""`min_over_time`, `max_over_time`: each window is two overlapping runs whose lengths are a power of two.

The runs' extremes come from doubling, so the cost does not depend on how long the window is. NaN loses to any number.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np

from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools, Floats, Ints
from holdfast.telemetry.metrics.promql.evaluation.ranges.kernel import Kernel
from holdfast.telemetry.metrics.promql.evaluation.windows import Windows

MANY: Final = 0.2  # of the windows: then all are computed and most kept, which is faster than picking


def extreme_over_time(windows: Windows, _args: tuple[Floats, ...], out: Floats, *, is_max: bool) -> Bools:
    """Fill `out` with the extreme of each window."""
    flat = windows.flat
    has_nan = bool(np.isnan(flat).any())
    extreme: np.ufunc = (np.fmax if is_max else np.fmin) if has_nan else (np.maximum if is_max else np.minimum)
    counts = windows.counts
    levels = levels_of(counts)
    run = flat
    for level in range(int(levels.max(initial=-1)) + 1):
        if level:
            half = 1 << (level - 1)
            longer = run.copy() if len(run) else run
            extreme(run[:-half], run[half:], out=longer[:-half])
            run = longer
        _fill_level(windows, run, levels == level, 1 << level, extreme, out)
    return counts > 0


def levels_of(counts: Ints) -> Ints:
    """Give for each window the power of two that its two runs are long; -1 for an empty window."""
    levels = np.full(counts.shape, -1, dtype=np.int64)
    filled = counts > 0
    levels[filled] = np.frexp(counts[filled].astype(np.float64))[1] - 1
    return levels


def _fill_level(windows: Windows, run: Floats, mask: Bools, length: int, extreme: np.ufunc, out: Floats) -> None:
    if not mask.any():
        return
    if windows.is_shared:
        columns = np.flatnonzero(mask[0])
        table = run.reshape(windows.rows, -1)
        left = table.take(windows.lo[0][columns], axis=1)
        right = table.take(windows.hi[0][columns] - length, axis=1)
        if len(columns) == out.shape[1]:
            extreme(left, right, out=out)
        else:
            out[:, columns] = extreme(left, right)
        return
    if mask.mean() > MANY:
        left, right = windows.bases + windows.lo, windows.bases + windows.hi - length
        np.copyto(out, extreme(run.take(left, mode="clip"), run.take(right, mode="clip")), where=mask)
        return
    rows, columns = np.nonzero(mask)
    bases = windows.bases[rows, 0]
    out[rows, columns] = extreme(
        run.take(bases + windows.lo[rows, columns]), run.take(bases + windows.hi[rows, columns] - length)
    )


KERNELS: Final[dict[str, Kernel]] = {
    "max_over_time": partial(extreme_over_time, is_max=True),
    "min_over_time": partial(extreme_over_time, is_max=False),
}
