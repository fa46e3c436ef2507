"""Joins blocks into one run of samples per series, cut to the asked span; matrices are copied as matrices.

Series of one scrape share their timestamps, so most blocks are dense: rows of equal length. Those take one copy per
block; the others are gathered sample by sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from holdfast.kernel.errors import LimitError
from holdfast.telemetry.metrics.reading.blocks import Block, Floats, Ids, Ints, Objects, find_clocks, spans
from holdfast.telemetry.metrics.reading.even import Even, combined, join_even

BEGINNING_MS: Final = -(2**63)
END_MS: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Assembled:
    """Samples of the asked series in their order; `clocks` as in `SeriesColumns`."""

    offsets: Ints
    ts_ms: Ints
    values: Floats
    clocks: npt.NDArray[np.int32]
    histograms: Objects | None
    starts_ms: Ints | None
    has_empty: bool  # whether a series has no samples

    @property
    def nbytes(self) -> int:
        """The memory that it takes."""
        return self.offsets.nbytes + self.ts_ms.nbytes + self.values.nbytes


@dataclass(frozen=True, slots=True)
class _Cut:
    """What of a block goes where: for each asked series how many samples, from where, and by which clock."""

    block: Block
    counts: Ints
    starts: Ints
    clock_starts: Ints
    clock: npt.NDArray[np.int64]


def assemble(blocks: Sequence[Block], ids: Ids, start_ms: int, end_ms: int, *, most: int = 2**62) -> Assembled:
    """Join blocks, the earlier before the later, into the samples of `ids` in (start_ms, end_ms].

    Raises:
        LimitError: there are more than `most`.
    """
    within = [each for each in blocks if len(each.values) and each.until_ms > start_ms and each.first_ms <= end_ms]
    even = join_even(within, ids, start_ms, end_ms)
    if even is not None:
        return _as_matrix(even, len(ids), most)
    cuts = [cut for cut in (_cut(block, ids, start_ms, end_ms) for block in within) if cut]
    totals = np.zeros(len(ids), np.int64)
    clocks = np.zeros(len(ids), np.int64)
    for cut in cuts:
        totals += cut.counts
        clocks = combined(clocks, cut.clock)
    offsets = np.zeros(len(ids) + 1, np.int64)
    np.cumsum(totals, out=offsets[1:])
    size = int(offsets[-1])
    if size > most:
        raise LimitError(f"{size} samples")
    ts_ms, values = np.empty(size, np.int64), np.empty(size, np.float64)
    histograms = np.full(size, None, np.object_) if any(cut.block.histograms is not None for cut in cuts) else None
    starts = np.zeros(size, np.int64) if any(cut.block.starts_ms is not None for cut in cuts) else None
    width = int(totals[0]) if len(totals) and (totals == totals[0]).all() else 0
    places = offsets[:-1].copy()
    for cut in cuts:
        if not (width and histograms is None and starts is None and _copy_matrix(cut, ts_ms, values, width, places)):
            _copy_samples(cut, ts_ms, values, places)
            _copy_extras(cut, histograms, starts, places)
        places += cut.counts
    return Assembled(offsets, ts_ms, values, clocks.astype(np.int32), histograms, starts, not totals.all())


def _as_matrix(even: Even, series: int, most: int) -> Assembled:
    width = sum(part.shape[1] for part in even.values)
    if series * width > most:
        raise LimitError(f"{series * width} samples")
    offsets = np.arange(series + 1) * width
    ts_ms, values = even.joined(series)
    return Assembled(offsets, ts_ms, values, even.clocks.astype(np.int32), None, None, not width)


def _cut(block: Block, ids: Ids, start_ms: int, end_ms: int) -> _Cut | None:
    if len(block.ids) == len(ids) and (block.ids == ids).all():
        rows, is_there = np.arange(len(ids)), None
    else:
        rows = np.minimum(np.searchsorted(block.ids, ids), len(block.ids) - 1)
        is_there = block.ids[rows] == ids
        if not is_there.any():
            return None
    begins, ends = _clock_bounds(block, start_ms, end_ms)
    clock = block.clock_of[rows].astype(np.int64)
    counts = (ends - begins)[clock]
    if is_there is not None:
        counts = np.where(is_there, counts, 0)
        clock = np.where(is_there, clock, -1)
    if not counts.any():
        return None
    skipped = begins[clock]
    return _Cut(block, counts, block.offsets[rows] + skipped, block.clock_offsets[clock] + skipped, clock)


def _clock_bounds(block: Block, start_ms: int, end_ms: int) -> tuple[Ints, Ints]:
    """Give for each clock how many timestamps lie before the span, and how many up to its end."""
    lengths = np.diff(block.clock_offsets)
    is_early, is_in = block.clock_ms <= start_ms, block.clock_ms <= end_ms
    begins = np.zeros(len(lengths), np.int64) if not is_early.any() else _counted(is_early, block.clock_offsets)
    ends: Ints = lengths if is_in.all() else np.maximum(_counted(is_in, block.clock_offsets), begins)
    return begins, ends


def _counted(flags: npt.NDArray[np.bool_], offsets: Ints) -> Ints:
    sums = np.zeros(len(flags) + 1, np.int64)
    np.cumsum(flags, out=sums[1:])
    counted: Ints = np.diff(sums[offsets])
    return counted


def _copy_matrix(cut: _Cut, ts_ms: Ints, values: Floats, width: int, places: Ints) -> bool:
    """Copy a dense block's columns; False if it is not dense."""
    block, count, series = cut.block, int(cut.counts[0]), len(cut.counts)
    length = block.width
    if not length:
        return False
    rows, skipped = np.divmod(cut.starts, length)
    if not (
        (cut.counts == count).all()
        and (skipped == skipped[0]).all()
        and (places == np.arange(series) * width + places[0]).all()
    ):
        return False
    to, skip = int(places[0]), int(skipped[0])
    source = block.values.reshape(-1, length)[:, skip : skip + count]
    is_same = len(rows) == len(block.ids) and (rows == np.arange(len(rows))).all()
    values.reshape(series, width)[:, to : to + count] = source if is_same else source[rows]
    times = block.clock_ms.reshape(-1, length)[:, skip : skip + count]
    ts_ms.reshape(series, width)[:, to : to + count] = times[0] if len(times) == 1 else times[cut.clock]
    return True


def _copy_samples(cut: _Cut, ts_ms: Ints, values: Floats, places: Ints) -> None:
    to = spans(places, cut.counts)
    values[to] = cut.block.values[spans(cut.starts, cut.counts)]
    ts_ms[to] = cut.block.clock_ms[spans(cut.clock_starts, cut.counts)]


def _copy_extras(cut: _Cut, histograms: Objects | None, starts: Ints | None, places: Ints) -> None:
    block = cut.block
    if histograms is not None and block.histograms is not None:
        histograms[spans(places, cut.counts)] = block.histograms[spans(cut.starts, cut.counts)]
    if starts is not None and block.starts_ms is not None:
        starts[spans(places, cut.counts)] = block.starts_ms[spans(cut.starts, cut.counts)]


def joined(blocks: Sequence[Block]) -> Block:
    """Make one block of several that follow each other in time or hold other series."""
    ids = blocks[0].ids
    for block in blocks[1:]:
        ids = np.union1d(ids, block.ids)
    return as_block(ids, assemble(blocks, ids, BEGINNING_MS, END_MS))


def united(blocks: list[Block]) -> list[Block]:
    """Make blocks of other series in the same time one, whose series share clocks wherever they were read."""
    if len(blocks) < 2 or any(block.histograms is not None for block in blocks):
        return blocks
    ids = np.concatenate([block.ids for block in blocks])
    if len(np.unique(ids)) < len(ids):
        return blocks
    whole = joined(blocks)
    clock_of, clock_offsets, clock_ms = find_clocks(whole.offsets, whole.ts_ms())
    return [replace(whole, clock_of=clock_of, clock_offsets=clock_offsets, clock_ms=clock_ms)]


def as_block(ids: Ids, samples: Assembled) -> Block:
    """Make a block of the samples of `ids`."""
    _, firsts, clock_of = np.unique(samples.clocks, return_index=True, return_inverse=True)
    lengths = np.diff(samples.offsets)[firsts]
    clock_offsets = np.zeros(len(firsts) + 1, np.int64)
    np.cumsum(lengths, out=clock_offsets[1:])
    return Block(
        ids,
        samples.offsets,
        samples.values,
        clock_of.astype(np.int32),
        clock_offsets,
        samples.ts_ms[spans(samples.offsets[firsts], lengths)],
        samples.histograms,
        samples.starts_ms,
    )
