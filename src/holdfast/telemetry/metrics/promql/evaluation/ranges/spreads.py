"""Range functions of a window's distribution: deviation, variance, quantile, median deviation, times of extremes."""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np

from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools, Floats, Ints
from holdfast.telemetry.metrics.promql.evaluation.quantiles import quantile_of_sorted, sort_nan_first
from holdfast.telemetry.metrics.promql.evaluation.ranges.gathers import Gathered, fill
from holdfast.telemetry.metrics.promql.evaluation.ranges.kernel import Kernel
from holdfast.telemetry.metrics.promql.evaluation.windows import Windows


def variance_over_time(windows: Windows, _args: tuple[Floats, ...], out: Floats, *, is_root: bool) -> Bools:
    """Fill `out` with the population's variance or standard deviation."""

    def compute(part: Gathered) -> Floats:
        variance = variance_of(part.values, part.inside, part.counts)
        return np.sqrt(variance) if is_root else variance

    return fill(windows, windows.counts > 0, out, compute)


def variance_of(values: Floats, inside: Bools, counts: Ints) -> Floats:
    """Give the population variance of each row, counted from its first value so that equal values have exactly none."""
    apart = np.where(inside, values - values[:, :1], 0.0)
    mean = apart.sum(axis=1) / counts
    apart = np.where(inside, apart - mean[:, None], 0.0)
    return np.asarray((apart * apart).sum(axis=1) / counts)


def quantile_over_time(windows: Windows, args: tuple[Floats, ...], out: Floats) -> Bools:
    """Fill `out` with the quantile of each window."""

    def compute(part: Gathered) -> Floats:
        ordered, nans = sort_nan_first(part.values, part.inside)
        return quantile_of_sorted(ordered, part.counts, nans, args[0][part.columns])

    return fill(windows, windows.counts > 0, out, compute)


def mad_over_time(windows: Windows, _args: tuple[Floats, ...], out: Floats) -> Bools:
    """Fill `out` with the median of the distances from the median; one NaN makes it NaN."""

    def compute(part: Gathered) -> Floats:
        half = np.full(len(part.rows), 0.5)
        ordered, nans = sort_nan_first(part.values, part.inside)
        median = quantile_of_sorted(ordered, part.counts, nans, half)
        distances = np.abs(part.values - median[:, None])
        ordered, absent = sort_nan_first(distances, part.inside)
        return np.where(nans > 0, np.nan, quantile_of_sorted(ordered, part.counts, absent, half))

    return fill(windows, windows.counts > 0, out, compute)


def ts_of_extreme(windows: Windows, _args: tuple[Floats, ...], out: Floats, *, is_max: bool) -> Bools:
    """Fill `out` with the time, in seconds, of the last sample that is extreme; of the last NaN if all are."""

    def compute(part: Gathered) -> Floats:
        nothing = -np.inf if is_max else np.inf
        is_number = part.inside & ~np.isnan(part.values)
        values = np.where(is_number, part.values, nothing)
        best = (values.max if is_max else values.min)(axis=1)
        hits = is_number & (values == best[:, None])
        all_nan = ~is_number.any(axis=1)
        hits[all_nan] = part.inside[all_nan]
        last = hits.shape[1] - 1 - np.argmax(hits[:, ::-1], axis=1)
        return np.asarray(part.ts_ms[np.arange(len(last)), last] / 1000)

    return fill(windows, windows.counts > 0, out, compute)


KERNELS: Final[dict[str, Kernel]] = {
    "stddev_over_time": partial(variance_over_time, is_root=True),
    "stdvar_over_time": partial(variance_over_time, is_root=False),
    "quantile_over_time": quantile_over_time,
    "mad_over_time": mad_over_time,
    "ts_of_max_over_time": partial(ts_of_extreme, is_max=True),
    "ts_of_min_over_time": partial(ts_of_extreme, is_max=False),
}
