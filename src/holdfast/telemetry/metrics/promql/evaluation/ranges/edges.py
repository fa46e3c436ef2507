"""Range functions that only look at a window's ends or size: first, last, count, present, and their timestamps."""

from __future__ import annotations

from typing import Final

import numpy as np

from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools, Floats, Ints
from holdfast.telemetry.metrics.promql.evaluation.ranges.kernel import Kernel
from holdfast.telemetry.metrics.promql.evaluation.windows import Windows


def first_over_time(windows: Windows, _args: tuple[Floats, ...], out: Floats) -> Bools:
    """The oldest sample."""
    ok = windows.counts > 0
    out[:] = windows.at(np.where(ok, windows.lo, 0))
    return ok


def last_over_time(windows: Windows, _args: tuple[Floats, ...], out: Floats) -> Bools:
    """The newest sample."""
    ok = windows.counts > 0
    out[:] = windows.at(np.where(ok, windows.hi - 1, 0))
    return ok


def ts_of_first_over_time(windows: Windows, _args: tuple[Floats, ...], out: Floats) -> Bools:
    """The oldest sample's time in seconds."""
    ok = windows.counts > 0
    out[:] = windows.clock_at(np.where(ok, windows.lo, 0)) / 1000
    return ok


def ts_of_last_over_time(windows: Windows, _args: tuple[Floats, ...], out: Floats) -> Bools:
    """The newest sample's time in seconds."""
    ok = windows.counts > 0
    out[:] = windows.clock_at(np.where(ok, windows.hi - 1, 0)) / 1000
    return ok


def count_over_time(windows: Windows, _args: tuple[Floats, ...], out: Floats) -> Bools:
    """The number of samples; downsampled ones count as many as they stand for."""
    out[:] = weigh(windows)
    return windows.counts > 0


def weigh(windows: Windows) -> Floats | Ints:
    """Give how many raw samples each window stands for."""
    if windows.samples.weights is None:
        return windows.counts
    weights = windows.samples.weights[windows.begin : windows.end]
    sums = np.concatenate(([0.0], np.cumsum(weights)))
    return np.asarray(sums.take(windows.bases + windows.hi) - sums.take(windows.bases + windows.lo))


def present_over_time(windows: Windows, _args: tuple[Floats, ...], out: Floats) -> Bools:
    """1 where there is any sample."""
    out[:] = 1.0
    return windows.counts > 0


KERNELS: Final[dict[str, Kernel]] = {
    "first_over_time": first_over_time,
    "last_over_time": last_over_time,
    "ts_of_first_over_time": ts_of_first_over_time,
    "ts_of_last_over_time": ts_of_last_over_time,
    "count_over_time": count_over_time,
    "present_over_time": present_over_time,
    "absent_over_time": present_over_time,
}
