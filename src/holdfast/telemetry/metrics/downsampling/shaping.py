"""Makes samples out of sums, such that a function of PromQL computes over them what it would over the raw ones.

`increase` and `rate` get a bucket's first and last sample, and between them, where the counter was reset, a sample at
all that it lost and one at zero: then it rises, in all, by as much as the raw one. Weights say how many raw samples
there were, by which extrapolation decides how near a window's edge is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from holdfast.telemetry.metrics.arrivals import STALE_BITS
from holdfast.telemetry.metrics.downsampling.choosing import COUNTERS, DRAWN, HOUR_MS, PLAIN

if TYPE_CHECKING:
    import pyarrow as pa

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Objects = npt.NDArray[np.object_]
MINUTE_MS: Final = 60_000
HELD_MS: Final = 240_000  # less than the five minutes for which a sample is looked back for
_STALE: Final = float(np.array(STALE_BITS, np.uint64).view(np.float64))
LOOK_BACK_MS: Final = HOUR_MS  # how long before a span a sum may still be held into it
_LEAST_MS: Final = 4  # room for three samples between a first and a last one
_VALUES: Final = {
    "max_over_time": "high",
    "min_over_time": "low",
    "sum_over_time": "total",
    "first_over_time": "first",
}


@dataclass(frozen=True, slots=True)
class Buckets:
    """Sums, B of them; `rows` say whose."""

    rows: Ints
    count: Ints
    first_ms: Ints
    last_ms: Ints
    first: Floats
    last: Floats
    low: Floats
    high: Floats
    total: Floats
    lost: Floats
    start_ms: Ints
    mark_ms: Ints

    def only(self, kept: npt.NDArray[np.bool_] | Ints) -> Buckets:
        """Give some of them."""
        return _buckets(lambda name: getattr(self, name)[kept])


COLUMNS: Final = tuple(field.name for field in fields(Buckets))[1:]


def _buckets(column: Callable[[str], Any]) -> Buckets:
    return Buckets(**{name: column(name) for name in ("rows", *COLUMNS)})


@dataclass(frozen=True, slots=True)
class Loose:
    """Samples in any order, and whose they are."""

    rows: Ints
    ts_ms: Ints
    values: Floats
    weights: Floats
    histograms: Objects | None = None

    def only(self, kept: npt.NDArray[np.bool_] | Ints) -> Loose:
        """Give some of them, or all in another order."""
        cells = None if self.histograms is None else self.histograms[kept]
        return Loose(self.rows[kept], self.ts_ms[kept], self.values[kept], self.weights[kept], cells)

    def within(self, start_ms: int, end_ms: int) -> Loose:
        """Give those in (start, end]."""
        return self.only((self.ts_ms > start_ms) & (self.ts_ms <= end_ms))

    @property
    def cells(self) -> Objects:
        """The histograms, None where a number stands."""
        return np.full(len(self.rows), None, np.object_) if self.histograms is None else self.histograms


def buckets_of(table: pa.Table, ids: npt.NDArray[np.uint64]) -> Buckets:
    """Take what the engine gave, of the series that are wanted."""
    series = table["series_id"].to_numpy()
    rows = np.minimum(np.searchsorted(ids, series), len(ids) - 1)
    found = _buckets(lambda name: rows if name == "rows" else table[name].to_numpy())
    return found.only(ids[rows] == series)


def shape(buckets: Buckets, function: str, resolution_ms: int, *, is_exact: bool) -> Loose:
    """Give the samples that stand for buckets."""
    full = buckets.only(buckets.count > 0)
    if function in DRAWN and not is_exact:
        return _drawn_roughly(full, resolution_ms, is_counter=function in COUNTERS)
    if function in DRAWN:
        return _drawn(full, is_counter=function in COUNTERS)
    if function == PLAIN:
        return _plain(buckets, full, is_held=not is_exact and resolution_ms == HOUR_MS)
    values = getattr(full, _VALUES.get(function, "last"))
    if function == "avg_over_time":
        values = full.total / full.count
    at = full.first_ms if function == "first_over_time" else full.last_ms
    return Loose(full.rows, at, values, full.count.astype(np.float64))


def _plain(buckets: Buckets, full: Buckets, *, is_held: bool) -> Loose:
    """Give newest samples and the marks after them; an hour's value is held for the hour where its windows miss it."""
    ended = buckets.only(buckets.mark_ms > 0)
    parts = [
        Loose(full.rows, full.last_ms, full.last, np.ones(len(full.rows))),
        Loose(ended.rows, ended.mark_ms, np.full(len(ended.rows), _STALE), np.ones(len(ended.rows))),
    ]
    if is_held:
        held = full.only(full.mark_ms == 0)
        ones = np.ones(len(held.rows))
        parts += [
            Loose(held.rows, held.last_ms + later_ms, held.last, ones) for later_ms in range(HELD_MS, HOUR_MS, HELD_MS)
        ]
    return joined(parts)


def _drawn(full: Buckets, *, is_counter: bool) -> Loose:
    many = full.only(full.count > 1)
    ends = [
        Loose(full.rows, full.first_ms, full.first, np.ones(len(full.rows))),
        Loose(many.rows, many.last_ms, many.last, (many.count - 1).astype(np.float64)),
    ]
    if is_counter:
        is_reset = (many.lost != 0) | (many.last < many.first)  # below zero, what is lost may add up to nothing
        reset = many.only(is_reset & (many.last_ms - many.first_ms >= _LEAST_MS))
        is_usual = reset.lost >= reset.first
        ends += _usual_resets(reset.only(is_usual)) + _odd_resets(reset.only(~is_usual))
    return joined(ends)


def _drawn_roughly(full: Buckets, resolution_ms: int, *, is_counter: bool) -> Loose:
    """Give a straight line through each bucket, a point a minute, for windows that cut buckets; without resets."""
    order = np.lexsort((full.last_ms, full.rows))
    full = full.only(order)
    is_new = np.diff(full.rows, prepend=-1) != 0
    with np.errstate(invalid="ignore"):  # infinite less infinite
        rise = _finite(full.last - full.first + (full.lost if is_counter else 0.0))
        step = full.first - np.roll(full.last, 1)
    step = _finite(np.where(is_new, 0.0, np.where(step < 0, full.first, step) if is_counter else step))
    # Each series by itself, for what large ones add up to hides small ones. The line ends where the raw samples go on.
    ends = np.empty(len(rise))
    for begin, end in pairwise([*np.flatnonzero(is_new).tolist(), len(rise)]):
        np.cumsum(rise[begin:end] + step[begin:end], out=ends[begin:end])
        ends[begin:end] += _finite(full.last[end - 1] - ends[end - 1])
    minutes = resolution_ms // MINUTE_MS
    parts = [_ones(full.rows, full.first_ms, ends - rise)]
    many, rising, until = full.only(full.count > 1), rise[full.count > 1], ends[full.count > 1]
    for minute in range(1, minutes + 1):
        at = many.first_ms + (many.last_ms - many.first_ms) * minute // minutes
        parts.append(_ones(many.rows, at, until - rising * (1 - minute / minutes)))
    return joined(parts)


def _finite(values: Floats) -> Floats:
    return np.nan_to_num(values, posinf=0.0, neginf=0.0)


def _ones(rows: Ints, ts_ms: Ints, values: Floats) -> Loose:
    return Loose(rows, ts_ms, values, np.ones(len(rows)))


def _usual_resets(reset: Buckets) -> list[Loose]:
    """Give a rise to all that was lost, and a fall below whatever comes next."""
    low = np.where(reset.lost > 0, np.minimum(reset.last, 0), np.minimum(reset.last, reset.lost) - 1)
    return [_between(reset, 1, reset.lost), _between(reset, 2, low)]


def _odd_resets(reset: Buckets) -> list[Loose]:
    """Do the same for what is no counter, for it was below zero: fall twice, as the first sample is lost already."""
    rest = reset.lost - reset.first
    low, lower = np.minimum(reset.first, rest) - 1, np.minimum(reset.last, rest) - 1
    return [_between(reset, 1, low), _between(reset, 2, rest), _between(reset, 3, lower)]


def _between(reset: Buckets, place: int, values: Floats) -> Loose:
    at = reset.first_ms + place * ((reset.last_ms - reset.first_ms) // _LEAST_MS)
    return Loose(reset.rows, at, values, np.zeros(len(values)))


def joined(parts: list[Loose]) -> Loose:
    """Give all samples as one."""
    has_histograms = any(part.histograms is not None for part in parts)
    return Loose(
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.ts_ms for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.weights for part in parts]),
        np.concatenate([part.cells for part in parts]) if has_histograms else None,
    )
