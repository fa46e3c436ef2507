"""Range aggregations over samples of one series: what is in (t - range, t], for every moment t at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Windows:
    """Samples in order of time, cut for each moment; each stands for as many records as `records` says, or for one."""

    def __init__(
        self, ts_ns: Ints, values: Floats, ends_ns: Ints, range_ns: int, *, records: Ints | None = None
    ) -> None:
        order = np.argsort(ts_ns, kind="stable")
        self.ts_ns, self.values = ts_ns[order], values[order]
        self.records = np.ones(len(order), np.int64) if records is None else records[order]
        self.range_s = range_ns / 1e9
        self.first = np.searchsorted(self.ts_ns, ends_ns - range_ns, side="right")
        self.last = np.searchsorted(self.ts_ns, ends_ns, side="right")

    @property
    def counts(self) -> Ints:
        """How many records are in each window."""
        before = np.concatenate(([0], np.cumsum(self.records)))
        return (before[self.last] - before[self.first]).astype(np.int64)

    def sums(self) -> Floats:
        """Add up each window."""
        return self._reduce(np.add, self.values * self.records)

    def reduce(self, ufunc: np.ufunc) -> Floats:
        """Reduce each window, however many records have a value; what stands for an empty one means nothing."""
        return self._reduce(ufunc, self.values)

    def _reduce(self, ufunc: np.ufunc, values: Floats) -> Floats:
        result = np.zeros(len(self.first))
        full = np.flatnonzero(self.last > self.first)
        if len(full) == 0:
            return result
        padded = np.append(values, 0.0)  # so that an end behind the last sample is a place
        edges = np.stack((self.first[full], self.last[full]), axis=1).ravel()
        result[full] = ufunc.reduceat(padded, edges)[::2]
        return result

    def each(self, function: Callable[[Floats, Ints], float]) -> Floats:
        """Call a function with the values of each window that is not empty, and how many records have each."""
        result = np.zeros(len(self.first))
        with np.errstate(invalid="ignore", over="ignore"):  # infinite values have neither variance nor order
            for place in np.flatnonzero(self.last > self.first).tolist():
                part = slice(self.first[place], self.last[place])
                result[place] = function(self.values[part], self.records[part])
        return result


def _mean(windows: Windows) -> Floats:
    return windows.sums() / np.maximum(windows.counts, 1)


def _variance(values: Floats, records: Ints) -> float:
    mean = np.average(values, weights=records)
    return float(np.average((values - mean) ** 2, weights=records))


def _deviation(values: Floats, records: Ints) -> float:
    return math.sqrt(_variance(values, records))


def _first(windows: Windows) -> Floats:
    return np.append(windows.values, 0.0)[windows.first]


def _last(windows: Windows) -> Floats:
    return np.append(windows.values, 0.0)[np.maximum(windows.last - 1, 0)]


def _rate_counter(windows: Windows) -> Floats:
    """Give the increase per second of a counter, resets added, over the whole window; 0 of a single sample."""
    result = np.zeros(len(windows.first))
    for place in np.flatnonzero(windows.last > windows.first + 1).tolist():
        part = slice(windows.first[place], windows.last[place])
        result[place] = _counted(windows.values[part], windows.ts_ns[part], windows.range_s)
    return result


def _counted(values: Floats, ts_ns: Ints, range_s: float) -> float:
    """Give the rate of one window.

    Loki extrapolates as Prometheus does, but its samples have nanoseconds where the formula takes milliseconds, so that
    the stretch before the first sample, in seconds, is added to microseconds: some millionths, here as there.
    """
    falls = values[1:] < values[:-1]
    increase = float(values[-1] - values[0] + values[:-1][falls].sum())
    sampled = float(ts_ns[-1] - ts_ns[0]) / 1000
    if sampled <= 0:
        return math.nan if not increase else math.copysign(math.inf, increase)
    usual = sampled / (len(values) - 1)
    before = range_s
    if increase > 0 and values[0] >= 0:
        before = min(before, sampled * (float(values[0]) / increase))
    return increase * ((sampled + (before if before < usual * 1.1 else usual / 2)) / sampled) / range_s


OVER_VALUES: Final[dict[str, Callable[[Windows], Floats]]] = {
    "absent_over_time": lambda windows: np.ones(len(windows.first)),
    "count_over_time": lambda windows: windows.counts.astype(np.float64),
    "bytes_over_time": Windows.sums,
    "bytes_rate": lambda windows: windows.sums() / windows.range_s,
    "sum_over_time": Windows.sums,
    "avg_over_time": _mean,
    "min_over_time": lambda windows: windows.reduce(np.minimum),
    "max_over_time": lambda windows: windows.reduce(np.maximum),
    "stddev_over_time": lambda windows: windows.each(_deviation),
    "stdvar_over_time": lambda windows: windows.each(_variance),
    "first_over_time": _first,
    "last_over_time": _last,
    "rate_counter": _rate_counter,
}


def aggregate(op: str, windows: Windows, *, param: float | None, is_unwrapped: bool) -> Floats:
    """Give one value for each moment; those of empty windows mean nothing."""
    if op == "quantile_over_time":
        return windows.each(partial(quantile, param or 0.0))
    if op == "rate":
        return (windows.sums() if is_unwrapped else windows.counts) / windows.range_s
    return OVER_VALUES[op](windows)


def quantile(wanted: float, values: Floats, records: Ints) -> float:
    """Give a quantile, interpolated as in Prometheus and Loki; below 0 and above 1 the infinities.

    What is no number is the least of all, as there.
    """
    if wanted < 0:
        return -math.inf
    if wanted > 1:
        return math.inf
    order = np.lexsort((values, ~np.isnan(values)))
    behind = np.cumsum(records[order])
    rank = wanted * float(behind[-1] - 1)
    lower = math.floor(rank)
    upper = min(lower + 1, int(behind[-1]) - 1)
    low, high = values[order[np.searchsorted(behind, (lower, upper), side="right")]]
    return float(low * (1 - (rank - lower)) + high * (rank - lower))
