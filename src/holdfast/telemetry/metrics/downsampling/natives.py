"""Makes samples out of thinned native histograms; `thinning` says what they are.

Where windows begin and end with buckets, they are given as they are, each with its weight. Where raw ones have gone and
windows cut buckets, `rate` and its kin get the last of each bucket, and where windows are shorter than two buckets
histograms in between, as if observations came evenly.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from holdfast.telemetry.metrics.downsampling.choosing import COUNTERS, DRAWN, HOUR_MS, PLAIN
from holdfast.telemetry.metrics.downsampling.shaping import HELD_MS, Floats, Ints, Loose, Objects
from holdfast.telemetry.metrics.histograms import ResetHint
from holdfast.telemetry.metrics.packing import PackedHistograms, unpack
from holdfast.telemetry.metrics.promql import histograms

if TYPE_CHECKING:
    import pyarrow as pa

    from holdfast.telemetry.metrics.histograms import Histogram

FUNCTIONS: Final = DRAWN | {
    PLAIN,
    "absent_over_time",
    "count_over_time",
    "first_over_time",
    "last_over_time",
    "present_over_time",
}
NATIVE_COLUMNS: Final = ("end_ms", "ts_ms", "start_ms", "weight", "round", *PackedHistograms.__annotations__)


@dataclass(frozen=True, slots=True)
class Natives:
    """Thinned samples, by series and time."""

    rows: Ints
    end_ms: Ints
    ts_ms: Ints
    start_ms: Ints
    weights: Floats
    cells: Objects

    def only(self, kept: npt.NDArray[np.bool_]) -> Natives:
        """Give some of them."""
        columns = (self.rows, self.end_ms, self.ts_ms, self.start_ms, self.weights, self.cells)
        return Natives(*(column[kept] for column in columns))  # type: ignore[arg-type]  # in their order

    def loose(self, weights: Floats | None = None) -> Loose:
        """Give them as samples among others."""
        weights = self.weights if weights is None else weights
        return Loose(self.rows, self.ts_ms, np.zeros(len(self.rows)), weights, self.cells)

    @property
    def has_gauges(self) -> bool:
        """Tell whether any is a gauge, of which only the ends of buckets are known."""
        return any(cell.hint is ResetHint.GAUGE for cell in self.cells.tolist())


def natives_of(table: pa.Table, ids: npt.NDArray[np.uint64]) -> Natives:
    """Take what the engine gave, of the series that are wanted; of a bucket thinned twice only the later round."""
    series = table["series_id"].to_numpy()
    rows = np.minimum(np.searchsorted(ids, series), len(ids) - 1)
    end_ms, ts_ms, rounds = (table[name].to_numpy() for name in ("end_ms", "ts_ms", "round"))
    order = np.lexsort((rounds, ts_ms, end_ms, rows))
    order = order[ids[rows[order]] == series[order]]
    rows, end_ms, ts_ms, rounds = rows[order], end_ms[order], ts_ms[order], rounds[order]
    is_new = (np.diff(rows, prepend=-1) != 0) | (np.diff(end_ms, prepend=0) != 0)
    starts = np.flatnonzero(is_new)
    if len(starts):
        newest = np.maximum.reduceat(rounds, starts)[np.cumsum(is_new) - 1]
        is_same = (np.diff(rows, append=-1) == 0) & (np.diff(ts_ms, append=0) == 0)  # not merged yet by the engine
        last = np.flatnonzero((rounds == newest) & ~is_same)
        rows, end_ms, ts_ms, order = rows[last], end_ms[last], ts_ms[last], order[last]
    cells = np.empty(len(order), np.object_)
    picked = table.take(order)
    cells[:] = unpack({name: picked[name].to_pylist() for name in PackedHistograms.__annotations__})
    weights = picked["weight"].to_numpy().astype(np.float64)
    return Natives(rows, end_ms, ts_ms, picked["start_ms"].to_numpy(), weights, cells)


def shape_natives(natives: Natives, function: str, resolution_ms: int, range_ms: int, *, is_exact: bool) -> Loose:
    """Give the samples that stand for buckets."""
    if is_exact or function not in DRAWN | {PLAIN}:
        return _settled(natives).loose()
    kept = natives.only(natives.weights > 0)
    if function == PLAIN:
        return _held(natives).loose() if resolution_ms == HOUR_MS else natives.loose()
    if range_ms >= 2 * resolution_ms:
        drawn = _settled(kept.only(~_is_first_of_many(kept)))
        return drawn.loose(np.ones(len(drawn.rows)))
    drawn = _between(kept, 1 + -(-2 * resolution_ms // max(range_ms, 1)), 2 * resolution_ms, function in COUNTERS)
    return drawn.loose(np.ones(len(drawn.rows)))


def _settled(natives: Natives) -> Natives:
    """Give the hints that the same samples have among raw ones."""
    edges = np.flatnonzero(np.diff(natives.rows, prepend=-1, append=-1)).tolist()
    cells = natives.cells.copy()
    for begin, end in pairwise(edges):
        cells[begin:end] = histograms.settle_hints(cells[begin:end].tolist())
    return Natives(natives.rows, natives.end_ms, natives.ts_ms, natives.start_ms, natives.weights, cells)


def _is_last(natives: Natives) -> npt.NDArray[np.bool_]:
    return np.asarray((np.diff(natives.rows, append=-1) != 0) | (np.diff(natives.end_ms, append=0) != 0))


def _is_first_of_many(natives: Natives) -> npt.NDArray[np.bool_]:
    is_first = (np.diff(natives.rows, prepend=-1) != 0) | (np.diff(natives.end_ms, prepend=0) != 0)
    is_oldest = np.diff(natives.rows, prepend=-1) != 0
    return np.asarray(is_first & ~_is_last(natives) & ~is_oldest)


def _held(natives: Natives) -> Natives:
    """Give each hour's last histogram again and again until the next, so that instants find it."""
    is_last = _is_last(natives)
    held = natives.only(is_last & (natives.weights > 0))
    copies = [held.ts_ms + later_ms for later_ms in range(HELD_MS, HOUR_MS, HELD_MS)]
    count = 1 + len(copies)

    def again(column: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        return np.tile(column, count)

    ts_ms = np.concatenate((held.ts_ms, *copies))
    marks = natives.only(natives.weights == 0)
    columns = (
        (again(held.rows), marks.rows),
        (again(held.end_ms), marks.end_ms),
        (ts_ms, marks.ts_ms),
        (again(held.start_ms), marks.start_ms),
        (again(held.weights), marks.weights),
        (again(held.cells), marks.cells),
    )
    return Natives(*(np.concatenate(pair) for pair in columns))


def _between(natives: Natives, pieces: int, most_ms: int, is_counter: bool) -> Natives:  # noqa: FBT001
    """Give the last histogram of each bucket, and so many pieces on the way from one to the next."""
    lasts = natives.only(_is_last(natives))
    rows, times, cells = lasts.rows.tolist(), lasts.ts_ms.tolist(), lasts.cells.tolist()
    made: list[tuple[int, int, Histogram]] = []
    for place, (row, at, cell) in enumerate(zip(rows, times, cells, strict=True)):
        if place and rows[place - 1] == row and at - times[place - 1] <= most_ms:
            before_ms, before = times[place - 1], cells[place - 1]
            for piece in range(1, pieces):
                try:
                    found = histograms.interpolate(before, cell, piece / pieces, is_counter=is_counter)
                except histograms.IncompatibleSchemasError:
                    break
                made.append((row, before_ms + (at - before_ms) * piece // pieces, found.histogram))
        made.append((row, at, cell))
    drawn = np.empty(len(made), np.object_)
    drawn[:] = [cell for _, _, cell in made]
    rows_of = np.array([row for row, _, _ in made], np.int64)
    ts_ms = np.array([at for _, at, _ in made], np.int64)
    return Natives(rows_of, ts_ms, ts_ms, np.zeros_like(ts_ms), np.ones(len(made)), drawn)
