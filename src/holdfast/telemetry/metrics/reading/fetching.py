"""Reads blocks out of the engine: how many samples each series has and by which clock, then bare values in order.

Timestamps are read once per clock. That takes half of what lists per series take, which is the way when somebody writes
to the same series in between, or has sent samples twice: then one query must answer all, and the later write wins.
Splitting the work is here, `decoding` makes blocks of the answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.kernel.errors import LimitError
from holdfast.store import QueryLimits, Store
from holdfast.telemetry.metrics.packing import PackedHistograms
from holdfast.telemetry.metrics.reading.blocks import Block, Ids
from holdfast.telemetry.metrics.reading.decoding import Rows, blocks_of_lists, blocks_of_rows, with_histograms
from holdfast.telemetry.metrics.tables import SLOT_MS

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId

SCRAPE_MS: Final = 15_000  # how dense samples are taken to be before they are read
_MOST_ROWS: Final = 20_000_000
_CHUNK: Final = 4_000_000  # samples per query, by that guess
_BIG: Final = 500_000  # from here on three plain queries take less than one with lists: 0.37 s of a core, not 0.57
_SMALL: Final = 100_000  # up to here bare rows, sorted here, take half of what lists take
_LISTED: Final = 4_000  # ids in one statement
_HALVES: Final = 2

_COUNTS: Final = """
    SELECT slot, series_id, count() AS n, sum(intHash64(ts_ms)) AS h{more} FROM metric_points WHERE {where}
    GROUP BY slot, series_id ORDER BY slot, series_id"""
_ROWS: Final = "SELECT {columns} FROM metric_points WHERE {where}"
_COLUMN: Final = "SELECT {columns} FROM metric_points WHERE {where} ORDER BY slot, series_id, ts_ms"
_LISTS: Final = """
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
        is_whole: whether `ids` are all the series between the first and the last one, or most of them.
        span: (start_ms, end_ms], where less than the slots is wanted.
        has_starts: whether start times are wanted.
    """

    ids: Ids
    slots: Sequence[int]
    is_whole: bool = False
    span: tuple[int, int] | None = None
    has_starts: bool = False

    @property
    def guess(self) -> int:
        """Give about how many samples it is."""
        length_ms = len(self.slots) * SLOT_MS
        if self.span is not None:
            length_ms = min(length_ms, self.span[1] - self.span[0])
        return len(self.ids) * max(length_ms // SCRAPE_MS, 1)

    def parts(self, samples: int, least: int) -> list[Wanted]:
        """Cut into at least so many parts where that is worth it, each of about so many samples at most."""
        number = max(-(-self.guess // samples), least if self.guess > samples // 10 else 1)
        if not self.is_whole:
            number = max(number, -(-len(self.ids) // _LISTED))
        number += number % _HALVES if number > 1 else 0
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

    def __init__(self, store: Store, *, is_told: bool) -> None:
        """Prepare; `is_told` says that `note_histograms` is called for whatever is written."""
        self._store = store
        self._is_told = is_told
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
        count = 0
        for begin in range(0, len(parts), _HALVES):
            together = parts[begin : begin + _HALVES]
            for found in await asyncio.gather(*(self._part(tenant, part) for part in together)):
                blocks += found
                count += sum(len(block.values) for _, block in found)
            if count > most:
                raise LimitError(f"more than {most} samples")
        return sorted(blocks, key=lambda one: one[0])

    async def _part(self, tenant: TenantId, part: Wanted) -> list[tuple[int, Block]]:
        limits = QueryLimits.of(self._store.settings)
        limits = QueryLimits(limits.timeout_s, limits.memory_bytes, _MOST_ROWS, limits.size_bytes, threads=1)
        try:
            blocks, has_histograms = await asyncio.gather(
                self._plain(tenant, part, limits), self._has_histograms(tenant)
            )
        except LimitError:
            if len(part.slots) * len(part.ids) == 1:
                raise
            # Denser than it was taken to be.
            halves = [await self._part(tenant, half) for half in _halves(part)]
            return [block for half in halves for block in half]
        return await self._with_native(tenant, part, blocks, limits) if has_histograms else blocks

    async def _plain(self, tenant: TenantId, part: Wanted, limits: QueryLimits) -> list[tuple[int, Block]]:
        blocks = None
        if part.guess >= _BIG:
            blocks = await self._columns(tenant, part, limits)
        elif part.guess <= _SMALL:
            blocks = await self._rows(tenant, part, limits)
        return await self._lists(tenant, part, limits) if blocks is None else blocks

    async def _columns(self, tenant: TenantId, part: Wanted, limits: QueryLimits) -> list[tuple[int, Block]] | None:
        """Read counts, values and clocks one after the other; None if that fails."""
        where = part.where()
        counts = _COUNTS.format(where=where, more=", max(start_ms) AS s" if part.has_starts else "")
        ordered = replace(limits, groups_in_order=True)  # 50 ms of a core for 3 million samples, not 77
        rows = Rows.of(await self._store.query(counts, tenant=tenant, limits=ordered))
        if not rows.count:
            return []
        columns = "value, start_ms" if rows.has_starts else "value"
        values, times = await asyncio.gather(
            self._store.query(_COLUMN.format(columns=columns, where=where), tenant=tenant, limits=limits),
            self._store.query(
                _COLUMN.format(columns="ts_ms", where=f"{where}{rows.only_clocks()}"), tenant=tenant, limits=limits
            ),
        )
        return await asyncio.to_thread(rows.blocks, part.ids, values, times)

    async def _rows(self, tenant: TenantId, part: Wanted, limits: QueryLimits) -> list[tuple[int, Block]] | None:
        """Read few samples as they come; None if any comes twice."""
        columns = "slot, series_id, ts_ms, value, start_ms" if part.has_starts else "slot, series_id, ts_ms, value"
        sql = _ROWS.format(columns=columns, where=part.where())
        return blocks_of_rows(await self._store.query(sql, tenant=tenant, limits=limits), part.ids)

    async def _lists(self, tenant: TenantId, part: Wanted, limits: QueryLimits) -> list[tuple[int, Block]]:
        """Read everything with one query."""
        inner, outer = (", groupArray(start_ms) AS s", ", s") if part.has_starts else ("", "")
        sql = _LISTS.format(where=part.where(), inner=inner, outer=outer)
        table = await self._store.query(sql, tenant=tenant, limits=limits)
        return await asyncio.to_thread(blocks_of_lists, table, part.ids, has_starts=part.has_starts)

    async def _has_histograms(self, tenant: TenantId) -> bool:
        known = self._with_histograms.get(tenant)
        if known is None or not (known or self._is_told):
            found = await self._store.query(_ANY_HISTOGRAM, tenant=tenant)
            # What was told meanwhile is the newer news.
            known = self._with_histograms[tenant] = bool(found.num_rows or self._with_histograms.get(tenant))
        return known

    async def _with_native(
        self, tenant: TenantId, part: Wanted, blocks: list[tuple[int, Block]], limits: QueryLimits
    ) -> list[tuple[int, Block]]:
        columns = ", ".join(f"`{name}`" for name in PackedHistograms.__annotations__)
        table = await self._store.query(
            _HISTOGRAMS.format(columns=columns, where=part.where()), tenant=tenant, limits=limits
        )
        if not table.num_rows:
            return blocks
        return with_histograms(dict(blocks), table, part.ids)


def _halves(part: Wanted) -> list[Wanted]:
    if len(part.slots) > 1:
        middle = len(part.slots) // 2
        slots = (part.slots[:middle], part.slots[middle:])
        return [Wanted(part.ids, half, part.is_whole, part.span, part.has_starts) for half in slots]
    middle = len(part.ids) // 2
    ids = (part.ids[:middle], part.ids[middle:])
    return [Wanted(half, part.slots, part.is_whole, part.span, part.has_starts) for half in ids]
