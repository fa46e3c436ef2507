"""Reads blocks out of the engine: values series by series, and each clock's timestamps only once.

Measured on 5.76 M samples, two clients side by side: 0.15 s, where whole rows in order take 0.32 s. Rows of a series
may come out of order between parts of the table, and twice where a sender has sent again: both is mended here, the
later write wins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from holdfast.kernel.errors import LimitError
from holdfast.store import QueryLimits, Store
from holdfast.telemetry.metrics.packing import PackedHistograms, unpack
from holdfast.telemetry.metrics.reading.blocks import Block, Floats, Ids, Ints, Loose, block_of, spans
from holdfast.telemetry.metrics.tables import SLOT_MS

if TYPE_CHECKING:
    import pyarrow as pa

    from holdfast.kernel.ids import TenantId

SCRAPE_MS: Final = 15_000  # how dense samples are taken to be before they are read
_CHUNK: Final = 3_000_000  # samples per query, by that guess
_LISTED: Final = 4_000  # ids in one statement
_HALVES: Final = 2

_POINTS: Final = """
    SELECT slot, series_id, v, h, if(row_number() OVER (PARTITION BY h) = 1, t, []) AS t{outer} FROM (
      SELECT slot, series_id, groupArray(value) AS v, groupArray(ts_ms) AS t, cityHash64(t) AS h{inner}
      FROM metric_points WHERE {where} GROUP BY slot, series_id SETTINGS optimize_aggregation_in_order = 1)"""
_HISTOGRAMS: Final = "SELECT slot, series_id, ts_ms, start_ms, {columns} FROM metric_histograms WHERE {where}"
_ANY_HISTOGRAM: Final = "SELECT 1 FROM metric_histograms WHERE tenant = {tenant:String} LIMIT 1"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Samples to be read.

    Attributes:
        ids: whose, ascending.
        slots: when, ascending.
        is_whole: whether `ids` are all the series between the first and the last one.
        span: (start_ms, end_ms], where less than the slots is wanted.
        has_starts: whether start times are wanted.
    """

    ids: Ids
    slots: Sequence[int]
    is_whole: bool = False
    span: tuple[int, int] | None = None
    has_starts: bool = False

    def parts(self, samples: int, least: int) -> list[Wanted]:
        """Cut into at least so many parts where that is worth it, each of about so many samples at most."""
        guess = len(self.ids) * len(self.slots) * (SLOT_MS // SCRAPE_MS)
        number = max(-(-guess // samples), least if guess > samples // 10 else 1)
        if not self.is_whole:
            number = max(number, -(-len(self.ids) // _LISTED))
        by_slot = min(len(self.slots), number)
        by_id = min(-(-number // by_slot), len(self.ids))
        return [
            Wanted(ids, slots.tolist(), self.is_whole, self.span, self.has_starts)
            for slots in np.array_split(np.array(self.slots, np.int64), by_slot)
            for ids in np.array_split(self.ids, by_id)
        ]

    def where(self) -> str:
        """Give the condition; numbers only, so nothing needs to be bound but the tenant."""
        first, last = self.slots[0], self.slots[-1]
        is_run = last - first + 1 == len(self.slots)
        terms = [
            "tenant = {tenant:String}",
            f"slot BETWEEN {first} AND {last}" if is_run else f"slot IN ({','.join(map(str, self.slots))})",
            f"series_id BETWEEN {self.ids[0]} AND {self.ids[-1]}",
        ]
        if not self.is_whole:
            terms.append(f"series_id IN ({','.join(map(str, self.ids.tolist()))})")
        if self.span is not None:
            terms.append(f"ts_ms > {self.span[0]} AND ts_ms <= {self.span[1]}")
        return " AND ".join(terms)


class Fetcher:
    """Reads blocks."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._with_histograms: dict[TenantId, bool] = {}

    def note_histograms(self, tenant: TenantId) -> None:
        """Take that the tenant has native histograms."""
        self._with_histograms[tenant] = True

    async def fetch(self, tenant: TenantId, wanted: Wanted, most: int) -> list[tuple[int, Block]]:
        """Give blocks by slot, ascending; one slot may come in several blocks of different series.

        Raises:
            LimitError: there are more than `most` samples.
        """
        parts = wanted.parts(_CHUNK, _HALVES)
        blocks: list[tuple[int, Block]] = []
        has_histograms = await self._has_histograms(tenant)
        count = 0
        for begin in range(0, len(parts), _HALVES):
            together = parts[begin : begin + _HALVES]
            for found in await asyncio.gather(*(self._part(tenant, part, has_histograms) for part in together)):
                blocks += found
                count += sum(len(block.values) for _, block in found)
            if count > most:
                raise LimitError(f"more than {most} samples")
        return sorted(blocks, key=lambda one: one[0])

    async def _part(self, tenant: TenantId, part: Wanted, has_histograms: bool) -> list[tuple[int, Block]]:  # noqa: FBT001
        extra = {"inner": ", groupArray(start_ms) AS s", "outer": ", s"} if part.has_starts else {}
        sql = _POINTS.format(where=part.where(), inner=extra.get("inner", ""), outer=extra.get("outer", ""))
        limits = QueryLimits.of(self._store.settings)
        limits = QueryLimits(limits.timeout_s, limits.memory_bytes, 10_000_000, limits.size_bytes, threads=1)
        try:
            table = await self._store.query(sql, tenant=tenant, limits=limits)
        except LimitError:
            if len(part.slots) * len(part.ids) == 1:
                raise
            # Denser than it was taken to be.
            return [block for half in _halves(part) for block in await self._part(tenant, half, has_histograms)]
        blocks = await asyncio.to_thread(lambda: list(_blocks(table, part)))
        return await self._with_native(tenant, part, blocks, limits) if has_histograms else blocks

    async def _has_histograms(self, tenant: TenantId) -> bool:
        if not self._with_histograms.get(tenant):
            found = await self._store.query(_ANY_HISTOGRAM, tenant=tenant)
            self._with_histograms[tenant] = bool(found.num_rows)
        return self._with_histograms[tenant]

    async def _with_native(
        self, tenant: TenantId, part: Wanted, blocks: list[tuple[int, Block]], limits: QueryLimits
    ) -> list[tuple[int, Block]]:
        columns = ", ".join(f"`{name}`" for name in PackedHistograms.__annotations__)
        table = await self._store.query(
            _HISTOGRAMS.format(columns=columns, where=part.where()), tenant=tenant, limits=limits
        )
        if not table.num_rows:
            return blocks
        return _merged(part, dict(blocks), table)


def _halves(part: Wanted) -> list[Wanted]:
    if len(part.slots) > 1:
        middle = len(part.slots) // 2
        slots = (part.slots[:middle], part.slots[middle:])
        return [Wanted(part.ids, half, part.is_whole, part.span, part.has_starts) for half in slots]
    middle = len(part.ids) // 2
    ids = (part.ids[:middle], part.ids[middle:])
    return [Wanted(half, part.slots, part.is_whole, part.span, part.has_starts) for half in ids]


@dataclass(frozen=True, slots=True)
class _Rows:
    """The engine's answer: one row per series and slot, with flat lists beside."""

    ids: Ids
    marks: Ids
    counts: Ints
    starts: Ints
    values: Floats
    clock_rows: dict[int, Ints]  # by mark
    starts_ms: Ints | None


def _blocks(table: pa.Table, part: Wanted) -> Iterator[tuple[int, Block]]:
    if not table.num_rows:
        return
    table = table.combine_chunks()
    slots = table["slot"].to_numpy()
    ids = table["series_id"].to_numpy()
    offsets, values = _flat(table["v"])
    marks = table["h"].to_numpy()
    clock_offsets, times = _flat(table["t"])
    given = np.flatnonzero(np.diff(clock_offsets))
    clocks = {int(marks[row]): times[clock_offsets[row] : clock_offsets[row + 1]] for row in given.tolist()}
    starts_ms = _flat(table["s"])[1] if part.has_starts else None
    is_wanted = np.isin(ids, part.ids) if part.is_whole else None
    order = np.lexsort((ids, slots))
    for slot in np.unique(slots).tolist():
        rows = order[np.searchsorted(slots, slot, "left", order) : np.searchsorted(slots, slot, "right", order)]
        if is_wanted is not None:
            rows = rows[is_wanted[rows]]
        counts = np.diff(offsets)[rows]
        yield slot, _block(_Rows(ids[rows], marks[rows], counts, offsets[rows], values, clocks, starts_ms))


def _flat(column: pa.ChunkedArray) -> tuple[Ints, Any]:
    lists = column.chunk(0)
    first = lists.offsets[0].as_py()
    return lists.offsets.to_numpy().astype(np.int64) - first, lists.flatten().to_numpy()


def _block(rows: _Rows) -> Block:
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


def _merged(part: Wanted, blocks: dict[int, Block], table: pa.Table) -> list[tuple[int, Block]]:
    """Put native histograms among the plain samples."""
    columns = {name: table[name].to_pylist() for name in PackedHistograms.__annotations__}
    made = np.empty(table.num_rows, np.object_)
    made[:] = unpack(columns)
    slots, ids = table["slot"].to_numpy(), table["series_id"].to_numpy()
    ts_ms, starts_ms = table["ts_ms"].to_numpy(), table["start_ms"].to_numpy()
    for slot in np.unique(slots).tolist():
        is_here = (slots == slot) & np.isin(ids, part.ids)
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
