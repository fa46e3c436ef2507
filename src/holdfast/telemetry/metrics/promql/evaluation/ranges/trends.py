"""Range functions that follow a window in time: `deriv`, `predict_linear`, `double_exponential_smoothing`."""

from __future__ import annotations

from typing import Final

import numpy as np

from holdfast.telemetry.metrics.promql.errors import QueryExecutionError
from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools, Floats, Ints
from holdfast.telemetry.metrics.promql.evaluation.ranges.gathers import Gathered, fill
from holdfast.telemetry.metrics.promql.evaluation.ranges.kernel import Kernel
from holdfast.telemetry.metrics.promql.evaluation.windows import Windows


def fit_line(part: Gathered, origin_ms: Ints) -> tuple[Floats, Floats]:
    """Fit a line by least squares to each window: slope per second, and its value at `origin_ms`."""
    x = np.where(part.inside, (part.ts_ms - origin_ms[:, None]) / 1000, 0.0)
    y = part.values
    n = part.counts
    sum_x, sum_y = x.sum(axis=1), y.sum(axis=1)
    covariance = (x * y).sum(axis=1) - sum_x * sum_y / n
    variance = (x * x).sum(axis=1) - sum_x * sum_x / n
    slope = covariance / variance
    intercept = sum_y / n - slope * sum_x / n
    first = y[:, 0]
    is_flat = ((y == first[:, None]) | ~part.inside).all(axis=1)
    is_endless = np.isinf(first)
    slope = np.where(is_flat, np.where(is_endless, np.nan, 0.0), slope)
    return slope, np.where(is_flat, np.where(is_endless, np.nan, first), intercept)


def deriv(windows: Windows, _args: tuple[Floats, ...], out: Floats) -> Bools:
    """Fill `out` with the slope per second; needs two samples."""
    return fill(windows, windows.counts >= 2, out, lambda part: fit_line(part, part.ts_ms[:, 0])[0])


def predict_linear(windows: Windows, args: tuple[Floats, ...], out: Floats) -> Bools:
    """Fill `out` with where the line stands so many seconds after the evaluation."""

    def compute(part: Gathered) -> Floats:
        slope, intercept = fit_line(part, windows.times[part.columns])
        return slope * args[0][part.columns] + intercept

    return fill(windows, windows.counts >= 2, out, compute)


def double_exponential_smoothing(windows: Windows, args: tuple[Floats, ...], out: Floats) -> Bools:
    """Fill `out` with the smoothed last value: `args` are the smoothing and the trend factor.

    Raises:
        QueryExecutionError: a factor is not between 0 and 1.
    """
    for factor, name in zip(args, ("smoothing", "trend"), strict=True):
        wrong = factor[(factor <= 0) | (factor >= 1)]
        if len(wrong):
            letter = name[0]
            raise QueryExecutionError(f"invalid {name} factor. Expected: 0 < {letter}f < 1, got: {wrong[0]:f}")

    def compute(part: Gathered) -> Floats:
        return _smooth(part, args[0][part.columns], args[1][part.columns])

    return fill(windows, windows.counts >= 2, out, compute)


def _smooth(part: Gathered, smoothing: Floats, trend: Floats) -> Floats:
    values = part.values
    level, before = values[:, 0], np.zeros(len(values))
    slope = values[:, 1] - values[:, 0] if values.shape[1] > 1 else np.zeros(len(values))
    result = level
    for at in range(1, values.shape[1]):
        if at > 1:
            slope = trend * (level - before) + (1 - trend) * slope
        before, level = level, smoothing * values[:, at] + (1 - smoothing) * (level + slope)
        result = np.where(part.inside[:, at], level, result)
    return result


KERNELS: Final[dict[str, Kernel]] = {
    "deriv": deriv,
    "predict_linear": predict_linear,
    "double_exponential_smoothing": double_exponential_smoothing,
}
