"""The samples of one selector, made ready: which series share a clock, which hold histograms, where series ended.

Everything stays in flat columns; a series is a slice of them. Windows over them are `windows`'.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

import numpy as np

from holdfast.telemetry.metrics.arrivals import STALE_BITS
from holdfast.telemetry.metrics.histograms import Histogram
from holdfast.telemetry.metrics.labels import Labels
from holdfast.telemetry.metrics.promql import histograms
from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools, Floats, Ints, Objects, filled
from holdfast.telemetry.metrics.selection import SeriesColumns

CHUNK = 1 << 16  # samples looked at in one go: half a megabyte, which stays in the cache


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
    known = columns.clocks
    clocks = np.asarray(known, dtype=np.int64) if known is not None else find_clocks(offsets, ts)
    return Samples(
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
    keep = ~mask
    kept = np.concatenate(([0], np.cumsum(keep)))
    offsets, ts = kept[samples.offsets], samples.ts[keep]
    return replace(
        samples,
        offsets=offsets,
        ts=ts,
        values=samples.values[keep],
        clocks=find_clocks(offsets, ts),
        histograms=None if samples.histograms is None else samples.histograms[keep],
        starts=None if samples.starts is None else samples.starts[keep],
        weights=None if samples.weights is None else samples.weights[keep],
    )


@lru_cache(maxsize=1)
def _block_bytes() -> int:
    return 1 << 20  # a block's grid and its slice of samples stay in a core's second cache


def blocks(samples: Samples, steps: int) -> Iterator[tuple[int, int, bool]]:
    """Cut the series into blocks that fit the cache: first row, end row, whether all share one clock."""
    if not samples.count:
        return
    breaks = np.flatnonzero(np.diff(samples.clocks)) + 1
    edges = [0, *breaks.tolist(), samples.count]
    lengths = np.diff(samples.offsets)
    run_start = 0
    for begin, end in pairwise(edges):
        width = max(steps, int(lengths[begin]), 1)
        rows = max(1, _block_bytes() // (8 * width))
        if end - begin >= min(rows, 8) or len(edges) == 2:
            yield from _plain(samples, run_start, begin, steps)
            yield from ((at, min(at + rows, end), True) for at in range(begin, end, rows))
            run_start = end
    yield from _plain(samples, run_start, samples.count, steps)


def _plain(samples: Samples, begin: int, end: int, steps: int) -> Iterator[tuple[int, int, bool]]:
    while begin < end:
        longest = max(steps, int(samples.offsets[begin + 1] - samples.offsets[begin]), 1)
        rows = max(1, _block_bytes() // (8 * longest))
        stop = min(begin + rows, end)
        yield begin, stop, False
        begin = stop
