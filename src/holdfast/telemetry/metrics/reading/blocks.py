"""Samples of many series within one slot of time, as numpy columns; series that share a clock share timestamps.

`assembling` joins blocks into what PromQL gets; `fetching` makes them from the engine's rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from holdfast.telemetry.metrics.promql.histograms import settle_hints

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Ids = npt.NDArray[np.uint64]
Objects = npt.NDArray[np.object_]
Values = npt.NDArray[Any]  # numbers that become float64 where they are used

_HISTOGRAM_BYTES = 600  # about what one takes in memory


@dataclass(frozen=True, slots=True)
class Block:
    """Samples of S series that keep C clocks.

    Attributes:
        ids: S, ascending.
        offsets: S + 1; the samples of series `i` are `offsets[i]` to `offsets[i + 1]`, ascending by time, each once.
        values: N; 0.0 where a histogram stands. Of a narrower type than float64 where that holds the very same ones.
        clock_of: S, which clock a series keeps; some series keeps each of them.
        clock_offsets: C + 1.
        clock_ms: the timestamps of clock `c` are `clock_offsets[c]` to `clock_offsets[c + 1]`.
        histograms: N, a `Histogram` or None; None if there is none at all.
        starts_ms: N; None if nobody asked.
        width: how many samples each series has; 0 if that differs, or there is none.
        first_ms, until_ms: the earliest and the latest timestamp; zeros if there is none.
    """

    ids: Ids
    offsets: Ints
    values: Values
    clock_of: npt.NDArray[np.int32]
    clock_offsets: Ints
    clock_ms: Ints
    histograms: Objects | None = None
    starts_ms: Ints | None = None
    width: int = field(init=False)
    first_ms: int = field(init=False)
    until_ms: int = field(init=False)

    def __post_init__(self) -> None:
        width = len(self.values) // len(self.ids) if len(self.ids) else 0
        is_even = bool((self.offsets[1:] - self.offsets[:-1] == width).all())
        has_any = len(self.clock_ms) > 0
        object.__setattr__(self, "width", width if is_even else 0)
        object.__setattr__(self, "first_ms", int(self.clock_ms.min()) if has_any else 0)
        object.__setattr__(self, "until_ms", int(self.clock_ms.max()) if has_any else 0)

    @property
    def nbytes(self) -> int:
        """About the memory that it takes."""
        columns = (self.ids, self.offsets, self.values, self.clock_of, self.clock_offsets, self.clock_ms)
        extra = 0 if self.starts_ms is None else self.starts_ms.nbytes
        if self.histograms is not None:
            extra += len(self.histograms) * _HISTOGRAM_BYTES
        return sum(column.nbytes for column in columns) + extra

    def last_ms(self) -> Ints:
        """Give each series' last timestamp; the least number there is where it has no sample."""
        lasts = np.full(len(self.clock_offsets) - 1, np.iinfo(np.int64).min)
        is_full = np.diff(self.clock_offsets) > 0
        lasts[is_full] = self.clock_ms[self.clock_offsets[1:][is_full] - 1]
        return lasts[self.clock_of]

    def ts_ms(self) -> Ints:
        """Give the timestamp of every sample."""
        return self.clock_ms[spans(self.clock_offsets[self.clock_of], np.diff(self.offsets))]


_TRIED: Final = 256  # values that say whether it is worth looking at all
_NARROW: Final = (np.int32, np.float32)  # whole numbers, as counters have them; then halves and the like


def narrowed(block: Block) -> Block:
    """Give the block with its values in half the memory, where not a bit of any gets lost."""
    if block.values.dtype != np.float64 or not len(block.values):
        return block
    bits = block.values.view(np.int64)
    with np.errstate(all="ignore"):
        for kind in _NARROW:
            head = block.values[:_TRIED].astype(kind).astype(np.float64)
            if not (head.view(np.int64) == bits[:_TRIED]).all():
                continue
            values = block.values.astype(kind)
            if (values.astype(np.float64).view(np.int64) == bits).all():
                return replace(block, values=values)
    return block


def without_starts(block: Block) -> Block:
    """Give the block without start times."""
    return block if block.starts_ms is None else replace(block, starts_ms=None)


def spans(starts: Ints, counts: Ints) -> Ints:
    """Give the indices of runs: `counts[i]` consecutive ones from `starts[i]` on."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(starts - (ends - counts), counts) + np.arange(total)


@dataclass(frozen=True, slots=True)
class Loose:
    """Samples in any order: `rows` say which of `ids` each belongs to; a later one replaces one of the same time."""

    rows: Ints
    ts_ms: Ints
    values: Floats
    histograms: Objects | None = None
    starts_ms: Ints | None = None


def block_of(ids: Ids, loose: Loose) -> Block:
    """Sort samples into a block."""
    order = np.lexsort((loose.ts_ms, loose.rows))
    rows, ts_ms = loose.rows[order], loose.ts_ms[order]
    if len(rows):
        is_last = np.ones(len(rows), np.bool_)
        is_last[:-1] = (rows[1:] != rows[:-1]) | (ts_ms[1:] != ts_ms[:-1])
        if not is_last.all():
            order, rows, ts_ms = order[is_last], rows[is_last], ts_ms[is_last]
    offsets = np.zeros(len(ids) + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=len(ids)), out=offsets[1:])
    clock_of, clock_offsets, clock_ms = find_clocks(offsets, ts_ms)
    return Block(
        ids,
        offsets,
        loose.values[order],
        clock_of,
        clock_offsets,
        clock_ms,
        None if loose.histograms is None else _with_settled_hints(loose.histograms[order], offsets),
        None if loose.starts_ms is None else loose.starts_ms[order],
    )


def _with_settled_hints(histograms: Objects, offsets: Ints) -> Objects:
    """Say of each histogram whether it surely goes on from the one before it, as Prometheus' storage does."""
    for begin, end in pairwise(offsets.tolist()):
        histograms[begin:end] = settle_hints(histograms[begin:end].tolist())
    return histograms


def find_clocks(offsets: Ints, ts_ms: Ints) -> tuple[npt.NDArray[np.int32], Ints, Ints]:
    """Find series with the very same timestamps: `clock_of`, `clock_offsets`, `clock_ms` of a block.

    By a sum of mixed bits over each series' timestamps: that two different ones agree is as likely as a bit error.
    """
    mixed = ts_ms.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(32)
    sums = np.zeros(len(mixed) + 1, np.uint64)
    np.cumsum(mixed, out=sums[1:])
    counts = np.diff(offsets)
    marks = sums[offsets[1:]] - sums[offsets[:-1]] + counts.astype(np.uint64)
    return share_clocks(marks, offsets[:-1], counts, ts_ms)


def share_clocks(
    marks: npt.NDArray[np.uint64], starts: Ints, counts: Ints, ts_ms: Ints
) -> tuple[npt.NDArray[np.int32], Ints, Ints]:
    """Keep the timestamps of one series of each mark."""
    _, firsts, clock_of = np.unique(marks, return_index=True, return_inverse=True)
    lengths = counts[firsts]
    clock_offsets = np.zeros(len(firsts) + 1, np.int64)
    np.cumsum(lengths, out=clock_offsets[1:])
    return clock_of.astype(np.int32), clock_offsets, ts_ms[spans(starts[firsts], lengths)]
