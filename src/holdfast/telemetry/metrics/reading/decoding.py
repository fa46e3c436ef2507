"""Turns the engine's rows into blocks, without a copy where the engine's order is already that of a block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from holdfast.telemetry.metrics.packing import PackedHistograms, unpack
from holdfast.telemetry.metrics.reading.blocks import (
    Block,
    Floats,
    Ids,
    Ints,
    Loose,
    block_of,
    spans,
)

if TYPE_CHECKING:
    import pyarrow as pa

_NAMED_CLOCKS: Final = 2_000  # more are not worth naming in a statement


@dataclass(frozen=True, slots=True)
class Rows:
    """How many samples each series has in each slot, in the order in which values come.

    Attributes:
        slots, ids: which series in which slot.
        counts: samples of each.
        clock_of: which clock it keeps; equal numbers, equal timestamps.
        firsts: for each clock the first row that keeps it.
        has_starts: whether any start time is known.
    """

    slots: Ints
    ids: Ids
    counts: Ints
    clock_of: Ints
    firsts: Ints
    has_starts: bool = False

    @classmethod
    def of(cls, table: pa.Table) -> Self:
        """Read the engine's answer, sorted by slot and id."""
        slots, ids = table["slot"].to_numpy().astype(np.int64), table["series_id"].to_numpy()
        counts = table["n"].to_numpy().astype(np.int64)
        marks = table["h"].to_numpy() + counts.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        marks ^= slots.astype(np.uint64) * np.uint64(0xBF58476D1CE4E5B9)
        _, firsts, clock_of = np.unique(marks, return_index=True, return_inverse=True)
        order = np.argsort(firsts, kind="stable")  # clocks by their first row, as their timestamps come
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        has_starts = "s" in table.column_names and bool(table["s"].to_numpy().any())
        return cls(slots, ids, counts, place[clock_of], firsts[order], has_starts)

    @property
    def count(self) -> int:
        """Give the number of samples."""
        return int(self.counts.sum())

    def only_clocks(self) -> str:
        """Give the condition that reads each clock's timestamps once; empty where all must be read."""
        if not self._is_named:
            return ""
        pairs = zip(self.slots[self.firsts].tolist(), self.ids[self.firsts].tolist(), strict=True)
        return f" AND (slot, series_id) IN ({','.join(f'({slot},{identity})' for slot, identity in pairs)})"

    @property
    def _is_named(self) -> bool:
        return len(self.firsts) <= _NAMED_CLOCKS and 2 * len(self.firsts) <= len(self.slots)

    def blocks(self, wanted: Ids, values: pa.Table, times: pa.Table) -> list[tuple[int, Block]] | None:
        """Give the blocks of the wanted series; None if the columns do not fit the counts, or times come twice."""
        lengths = self.counts[self.firsts]
        expected = int(lengths.sum()) if self._is_named else self.count
        if values.num_rows != self.count or times.num_rows != expected:
            return None
        ts_ms = times["ts_ms"].to_numpy()
        offsets = np.zeros(len(self.counts) + 1, np.int64)
        np.cumsum(self.counts, out=offsets[1:])
        if not self._is_named:
            ts_ms = ts_ms[spans(offsets[self.firsts], lengths)]
        clock_offsets = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(lengths, out=clock_offsets[1:])
        starts = values["start_ms"].to_numpy() if "start_ms" in values.column_names else None
        columns = _Columns(values["value"].to_numpy(), starts, ts_ms, offsets, clock_offsets)
        edges = np.flatnonzero(np.diff(self.slots)) + 1
        bounds = [0, *edges.tolist(), len(self.slots)]
        blocks = [
            (int(self.slots[begin]), self._block(slice(begin, end), columns, wanted)) for begin, end in pairwise(bounds)
        ]
        return blocks if all(_is_ascending(block) for _, block in blocks) else None

    def _block(self, part: slice, columns: _Columns, wanted: Ids) -> Block:
        ids, counts, starts = self.ids[part], self.counts[part], columns.offsets[part]
        span = slice(int(starts[0]), int(starts[-1] + counts[-1]))
        values = columns.values[span]
        starts_ms = None if columns.starts_ms is None else columns.starts_ms[span]
        clock_of = self.clock_of[part]
        offsets = np.zeros(len(ids) + 1, np.int64)
        np.cumsum(counts, out=offsets[1:])
        clocks, clock_of = np.unique(clock_of, return_inverse=True)
        lengths = np.diff(columns.clock_offsets)[clocks]
        clock_ms = columns.clock_ms[spans(columns.clock_offsets[clocks], lengths)]
        clock_offsets = np.zeros(len(clocks) + 1, np.int64)
        np.cumsum(lengths, out=clock_offsets[1:])
        whole = Block(ids, offsets, values, clock_of.astype(np.int32), clock_offsets, clock_ms, None, starts_ms)
        is_wanted = np.isin(ids, wanted)
        return whole if is_wanted.all() else pick_rows(whole, np.flatnonzero(is_wanted))


@dataclass(frozen=True, slots=True)
class _Columns:
    """All samples of an answer, and where each row's begin."""

    values: Floats
    starts_ms: Ints | None
    clock_ms: Ints
    offsets: Ints
    clock_offsets: Ints


def pick_rows(block: Block, rows: Ints) -> Block:
    """Give the block of some of a block's series, ascending; it shares no memory with the whole."""
    counts = np.diff(block.offsets)[rows]
    places = spans(block.offsets[rows], counts)
    offsets = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    clocks, clock_of = np.unique(block.clock_of[rows], return_inverse=True)
    lengths = np.diff(block.clock_offsets)[clocks]
    clock_offsets = np.zeros(len(clocks) + 1, np.int64)
    np.cumsum(lengths, out=clock_offsets[1:])
    return Block(
        block.ids[rows],
        offsets,
        block.values[places],
        clock_of.astype(np.int32),
        clock_offsets,
        block.clock_ms[spans(block.clock_offsets[clocks], lengths)],
        None if block.histograms is None else block.histograms[places],
        None if block.starts_ms is None else block.starts_ms[places],
    )


def _is_ascending(block: Block) -> bool:
    """Tell whether no timestamp comes twice."""
    is_after = np.diff(block.clock_ms) > 0
    is_after[block.clock_offsets[1:-1] - 1] = True  # from one clock to the next it may go back
    return bool(is_after.all())


def blocks_of_rows(table: pa.Table, wanted: Ids) -> list[tuple[int, Block]] | None:
    """Give the blocks of samples in any order; None if one comes twice."""
    columns = {name: table[name].to_numpy() for name in table.column_names}
    slots, ids, ts_ms, values = (columns[name] for name in ("slot", "series_id", "ts_ms", "value"))
    starts_ms = columns.get("start_ms")
    if starts_ms is not None and not starts_ms.any():
        starts_ms = None
    rows = np.minimum(np.searchsorted(wanted, ids), len(wanted) - 1)
    is_wanted = wanted[rows] == ids
    blocks = []
    for slot in np.unique(slots).tolist():
        is_here = (slots == slot) & is_wanted
        starts = None if starts_ms is None else starts_ms[is_here]
        block = block_of(wanted, Loose(rows[is_here], ts_ms[is_here], values[is_here], None, starts))
        if len(block.values) < np.count_nonzero(is_here):
            return None
        blocks.append((slot, block))
    return blocks


@dataclass(frozen=True, slots=True)
class _ListRows:
    """The engine's answer: one row per series and slot, with flat lists beside."""

    ids: Ids
    marks: Ids
    counts: Ints
    starts: Ints
    values: Floats
    clock_rows: dict[int, Ints]  # by mark
    starts_ms: Ints | None


def blocks_of_lists(table: pa.Table, wanted: Ids, *, has_starts: bool) -> list[tuple[int, Block]]:
    """Give the blocks of rows with lists of values and, once per mark, of timestamps."""
    return list(_list_blocks(table, wanted, has_starts=has_starts)) if table.num_rows else []


def _list_blocks(table: pa.Table, wanted: Ids, *, has_starts: bool) -> Iterator[tuple[int, Block]]:
    table = table.combine_chunks()
    slots = table["slot"].to_numpy()
    ids = table["series_id"].to_numpy()
    offsets, values = _flat(table["v"])
    marks = table["h"].to_numpy()
    clock_offsets, times = _flat(table["t"])
    given = np.flatnonzero(np.diff(clock_offsets))
    clocks = {int(marks[row]): times[clock_offsets[row] : clock_offsets[row + 1]] for row in given.tolist()}
    starts_ms = _flat(table["s"])[1] if has_starts else None
    if starts_ms is not None and not starts_ms.any():
        starts_ms = None
    is_wanted = np.isin(ids, wanted)
    order = np.lexsort((ids, slots))
    for slot in np.unique(slots).tolist():
        rows = order[np.searchsorted(slots, slot, "left", order) : np.searchsorted(slots, slot, "right", order)]
        rows = rows[is_wanted[rows]]
        counts = np.diff(offsets)[rows]
        yield slot, _block(_ListRows(ids[rows], marks[rows], counts, offsets[rows], values, clocks, starts_ms))


def _flat(column: pa.ChunkedArray) -> tuple[Ints, Any]:
    lists = column.chunk(0)
    first = lists.offsets[0].as_py()
    return lists.offsets.to_numpy().astype(np.int64) - first, lists.flatten().to_numpy()


def _block(rows: _ListRows) -> Block:
    """Make a block; rows of equal length, as one scrape gives them, are copied as a matrix."""
    marks, firsts, clock_of = np.unique(rows.marks, return_index=True, return_inverse=True)
    clocks = [rows.clock_rows[int(mark)] for mark in marks.tolist()]
    offsets = np.zeros(len(rows.ids) + 1, np.int64)
    np.cumsum(rows.counts, out=offsets[1:])
    length = int(rows.counts[0]) if len(rows.counts) else 0
    if length and (rows.counts == length).all() and not (rows.starts % length).any() and not len(rows.values) % length:
        values = rows.values.reshape(-1, length)[rows.starts // length].reshape(-1)
    else:
        values = rows.values[spans(rows.starts, rows.counts)]
    starts_ms = None if rows.starts_ms is None else rows.starts_ms[spans(rows.starts, rows.counts)]
    if not all((np.diff(clock) > 0).all() for clock in clocks):
        of_row = np.repeat(np.arange(len(rows.ids)), rows.counts)
        ts_ms = np.concatenate([clocks[clock] for clock in clock_of.tolist()])
        return block_of(rows.ids, Loose(of_row, ts_ms, values, None, starts_ms))
    clock_offsets = np.zeros(len(clocks) + 1, np.int64)
    np.cumsum(rows.counts[firsts], out=clock_offsets[1:])
    clock_ms = np.concatenate(clocks) if clocks else np.zeros(0, np.int64)
    return Block(rows.ids, offsets, values, clock_of.astype(np.int32), clock_offsets, clock_ms, None, starts_ms)


def with_histograms(blocks: dict[int, Block], table: pa.Table, wanted: Ids) -> list[tuple[int, Block]]:
    """Put native histograms among the plain samples."""
    columns = {name: table[name].to_pylist() for name in PackedHistograms.__annotations__}
    made = np.empty(table.num_rows, np.object_)
    made[:] = unpack(columns)
    slots, ids = table["slot"].to_numpy(), table["series_id"].to_numpy()
    ts_ms, starts_ms = table["ts_ms"].to_numpy(), table["start_ms"].to_numpy()
    for slot in np.unique(slots).tolist():
        is_here = (slots == slot) & np.isin(ids, wanted)
        block = blocks.get(slot)
        union = np.unique(ids[is_here]) if block is None else np.union1d(block.ids, ids[is_here])
        rows = np.searchsorted(union, ids[is_here])
        loose = Loose(rows, ts_ms[is_here], np.zeros(len(rows)), made[is_here], starts_ms[is_here])
        blocks[slot] = block_of(union, loose if block is None else _both(union, block, loose))
    return list(blocks.items())


def _both(union: Ids, block: Block, loose: Loose) -> Loose:
    counts = np.diff(block.offsets)
    plain = np.full(len(block.values), None, np.object_)
    plain_starts = np.zeros(len(plain), np.int64) if block.starts_ms is None else block.starts_ms
    assert loose.histograms is not None  # for the types: made right above
    assert loose.starts_ms is not None
    return Loose(
        np.concatenate((np.repeat(np.searchsorted(union, block.ids), counts), loose.rows)),
        np.concatenate((block.ts_ms(), loose.ts_ms)),
        np.concatenate((block.values, loose.values)),
        np.concatenate((plain, loose.histograms)),
        np.concatenate((plain_starts, loose.starts_ms)),
    )
