"""The samples of one selector, made ready: which series share a clock, which hold histograms, where series ended.

Everything stays in flat columns; a series is a slice of them. Windows over them are `windows`'.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from holdfast.telemetry.metrics.arrivals import STALE_BITS
from holdfast.telemetry.metrics.histograms import Histogram
from holdfast.telemetry.metrics.labels import Labels
from holdfast.telemetry.metrics.promql import histograms
from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools, Floats, Ints, Objects, filled
from holdfast.telemetry.metrics.selection import SeriesColumns

MANY_MARKS: Final = 10_000
Scalar = TypeVar("Scalar", bound=np.generic)
CHUNK: Final = 1 << 16  # samples looked at in one go: half a megabyte, which stays in the cache


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples of S series in flat columns, as `SeriesColumns`, with clocks known.

    Attributes:
        clocks: int64, S: series of the same number have the very same timestamps.
        drops: bool, S: whether the name is still to be dropped (of a subquery's result).
    """

    labels: Sequence[Labels]
    offsets: Ints
    ts: Ints
    values: Floats
    clocks: Ints
    drops: Bools
    histograms: Objects | None = None
    starts: Ints | None = None
    weights: Floats | None = None

    @property
    def count(self) -> int:
        """How many series."""
        return len(self.labels)

    def rows_with_histograms(self) -> list[int]:
        """Give the series that hold at least one histogram."""
        if self.histograms is None:
            return []
        there = np.flatnonzero(filled(self.histograms))
        return np.unique(np.searchsorted(self.offsets, there, side="right") - 1).tolist()  # type: ignore[no-any-return]  # numpy's stub


def samples_of(columns: SeriesColumns) -> Samples:
    """Take over what a source gave."""
    offsets = np.ascontiguousarray(columns.offsets, dtype=np.int64)
    ts = np.ascontiguousarray(columns.ts_ms, dtype=np.int64)
    known = columns.clocks if len(columns.labels) else np.zeros(0, dtype=np.int64)
    clocks = np.asarray(known, dtype=np.int64) if known is not None else find_clocks(offsets, ts)
    samples = Samples(
        columns.labels,
        offsets,
        ts,
        np.ascontiguousarray(columns.values, dtype=np.float64),
        clocks,
        np.zeros(len(columns.labels), dtype=np.bool_),
        columns.histograms,
        columns.starts_ms,
        columns.weights,
    )
    return samples if known is not None else without_empty_series(samples)


def without_empty_series(samples: Samples) -> Samples:
    """Give the samples without series that have none; the columns stay as they are."""
    rows = np.flatnonzero(np.diff(samples.offsets))
    if len(rows) == samples.count:
        return samples
    return replace(
        samples,
        labels=[samples.labels[row] for row in rows.tolist()],
        offsets=np.append(samples.offsets[rows], samples.offsets[-1]),
        clocks=samples.clocks[rows],
        drops=samples.drops[rows],
    )


def is_one_clock(samples: Samples) -> bool:
    """Tell whether there are series, and all have the very same timestamps."""
    return samples.count > 0 and not samples.offsets[0] and bool((samples.clocks == samples.clocks[0]).all())


def find_clocks(offsets: Ints, ts: Ints) -> Ints:
    """Number the series so that equal numbers mean equal timestamps."""
    count = len(offsets) - 1
    clocks = np.zeros(count, dtype=np.int64)
    if count <= 1 or _is_one_clock(offsets, ts):
        return clocks
    known: dict[tuple[int, int, int], list[int]] = {}
    bounds = offsets.tolist()
    for row in range(count):
        mine = ts[bounds[row] : bounds[row + 1]]
        key = (len(mine), int(mine[0]), int(mine[-1])) if len(mine) else (0, 0, 0)
        others = known.setdefault(key, [])
        for other in others:
            if np.array_equal(mine, ts[bounds[other] : bounds[other + 1]]):
                clocks[row] = other
                break
        else:
            clocks[row] = row
            others.append(row)
    return clocks


def _is_one_clock(offsets: Ints, ts: Ints) -> bool:
    lengths = np.diff(offsets)
    if (lengths != lengths[0]).any() or lengths[0] == 0:
        return False
    table = ts[offsets[0] : offsets[-1]].reshape(len(lengths), -1)
    rows = max(1, CHUNK // int(lengths[0]))
    return all((table[at : at + rows] == table[0]).all() for at in range(0, len(table), rows))


def stale_mask(samples: Samples) -> Bools | None:
    """Tell which samples are the marks that end a series; None if none is."""
    bits = samples.values.view(np.int64)
    found = [at for at in range(0, len(bits), CHUNK) if (bits[at : at + CHUNK] == STALE_BITS).any()]
    mask = np.zeros(len(bits), dtype=np.bool_)
    for at in found:
        mask[at : at + CHUNK] = bits[at : at + CHUNK] == STALE_BITS
    if samples.histograms is not None:
        for index in np.flatnonzero(filled(samples.histograms)).tolist():
            if is_stale(samples.histograms[index]):
                mask[index] = True
                found.append(index)
    return mask if found else None


def is_stale(histogram: Histogram) -> bool:
    """Tell whether a histogram is the mark that ends a series."""
    return histogram.sum != histogram.sum and _bits(histogram.sum) == STALE_BITS


def _bits(value: float) -> int:
    return int(struct.unpack("<q", struct.pack("<d", value))[0])


def with_resets_detected(samples: Samples) -> Samples:
    """Give the samples with what each histogram says of a counter reset found out from the one before it."""
    if samples.histograms is None:
        return samples
    cells = samples.histograms.copy()
    there = filled(cells)
    for begin, end in pairwise(samples.offsets.tolist()):
        index = [begin + place for place in np.flatnonzero(there[begin:end]).tolist()]
        alive = [place for place in index if not is_stale(cells[place])]
        for place, histogram in zip(alive, histograms.stats_hints([cells[place] for place in alive]), strict=True):
            cells[place] = histogram
    return replace(samples, histograms=cells)


def without_stale(samples: Samples) -> Samples:
    """Give the samples without the marks that end a series, as range functions see them."""
    mask = stale_mask(samples)
    if mask is None:
        return samples
    marks = np.flatnonzero(mask)
    offsets = samples.offsets - np.searchsorted(marks, samples.offsets)
    clocks = samples.clocks.copy()
    changed = np.unique(np.searchsorted(samples.offsets, marks, side="right") - 1)
    clocks[changed] = samples.clocks.max() + 1 + np.arange(len(changed))  # each of its own; few series end at once
    kept = replace(
        samples,
        offsets=offsets,
        ts=_without(samples.ts, marks),
        values=_without(samples.values, marks),
        clocks=clocks,
        histograms=None if samples.histograms is None else _without(samples.histograms, marks),
        starts=None if samples.starts is None else _without(samples.starts, marks),
        weights=None if samples.weights is None else _without(samples.weights, marks),
    )
    return without_empty_series(kept)


def _without(column: npt.NDArray[Scalar], places: Ints) -> npt.NDArray[Scalar]:
    """Give a column without these places, copied in runs, which is far faster than by a mask while they are few."""
    if len(places) > MANY_MARKS:
        return np.delete(column, places)
    edges = [0, *(places + 1).tolist()]
    return np.concatenate([*(column[a : b - 1] for a, b in pairwise(edges)), column[edges[-1] :]])


def take_series(samples: Samples, rows: Ints) -> Samples:
    """Give these series alone, copied together, in this order."""
    begins, ends = samples.offsets[rows].tolist(), samples.offsets[rows + 1].tolist()
    spans = [slice(a, b) for a, b in zip(begins, ends, strict=True)]
    offsets = np.concatenate(([0], np.cumsum(samples.offsets[rows + 1] - samples.offsets[rows]))).astype(np.int64)

    def gather(column: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        return np.concatenate([column[span] for span in spans])

    return Samples(
        [samples.labels[row] for row in rows.tolist()],
        offsets,
        gather(samples.ts),
        gather(samples.values),
        samples.clocks[rows],
        samples.drops[rows],
        None if samples.histograms is None else gather(samples.histograms),
        None if samples.starts is None else gather(samples.starts),
        None if samples.weights is None else gather(samples.weights),
    )
