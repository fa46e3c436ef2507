"""Answers a selection out of sums where that is as good as raw samples, or all that is left."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import LimitError
from holdfast.store import QueryLimits, Store
from holdfast.telemetry.metrics.downsampling.choosing import (
    COUNTERS,
    DRAWN,
    MINUTES_MS,
    PLAIN,
    RAW,
    Held,
    Span,
    choose_spans,
    exact_resolution,
    function_of,
)
from holdfast.telemetry.metrics.downsampling.cuts import Cuts, Kept
from holdfast.telemetry.metrics.downsampling.keeping import keep_seconds
from holdfast.telemetry.metrics.downsampling.rolled import RolledSlots
from holdfast.telemetry.metrics.downsampling.shaping import (
    COLUMNS,
    LOOK_BACK_MS,
    Floats,
    Ints,
    Loose,
    buckets_of,
    joined,
    shape,
)
from holdfast.telemetry.metrics.indexing import Chosen
from holdfast.telemetry.metrics.reading import Assembled, SampleReader
from holdfast.telemetry.metrics.selection import Selection
from holdfast.telemetry.metrics.settings import RollupSettings
from holdfast.telemetry.metrics.storing import ANNOUNCE_EVERY_MS
from holdfast.telemetry.metrics.tables import SLOT_MS, STREAM

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId

WEIGHED: Final = DRAWN | {"avg_over_time", "count_over_time"}
_SCRAPE_MS: Final = 15_000
_LISTED: Final = 4_000  # ids in one statement; of more, all between the first and the last are read
_SUMS: Final = "SELECT series_id, {columns} FROM metric_rollups FINAL WHERE {where}"
_NATIVE: Final = "SELECT 1 FROM metric_histograms WHERE {where} LIMIT 1"


@dataclass(frozen=True, slots=True)
class RolledAnswer:
    """Samples of the chosen series in flat columns, as in `SeriesColumns`."""

    offsets: Ints
    ts_ms: Ints
    values: Floats
    weights: Floats | None


class RollupReader:
    """Reads sums, and raw samples where there are none."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        rolled: RolledSlots,
        cuts: Cuts,
        raw: SampleReader,
        settings: RollupSettings,
    ) -> None:
        self._store = store
        self._clock = clock
        self._rolled = rolled
        self._cuts = cuts
        self._raw = raw
        self._settings = settings

    async def read(self, tenant: TenantId, chosen: Chosen, selection: Selection, most: int) -> RolledAnswer | None:
        """Answer a selection; None if raw samples are the answer.

        Raises:
            LimitError: there are more than `most` samples.
        """
        function = function_of(selection)
        start_ms = max(selection.start_ms, int(chosen.first_ms.min()) - 1)
        end_ms = min(selection.end_ms, int(chosen.last_ms.max()) + ANNOUNCE_EVERY_MS)
        if function is None or start_ms >= end_ms:
            return None
        exact_ms = exact_resolution(selection)
        if len(chosen.ids) * (end_ms - start_ms) // _SCRAPE_MS < self._settings.least_samples:
            exact_ms = RAW
        raw_since_ms = await self._since_ms(self._store.retention.seconds(tenant, STREAM), Kept.RAW)
        if exact_ms == RAW and start_ms >= raw_since_ms:
            return None
        minutes_s = keep_seconds(self._store, self._settings, tenant, MINUTES_MS)
        held = Held(await self._rolled.clean(tenant), raw_since_ms, await self._since_ms(minutes_s, Kept.SUMS_5M))
        spans = choose_spans(selection, (start_ms, end_ms), held, exact_ms)
        if all(span.resolution_ms == RAW for span in spans):
            return None
        if await self._has_native(tenant, chosen, (start_ms, end_ms)):
            return None
        is_needed = start_ms < held.raw_since_ms
        parts = []
        for span in spans:
            part = await self._part(tenant, chosen, span, function, most, is_needed=is_needed)
            if part is None:
                return None
            parts.append(part)
            most -= len(part.rows)
            if most < 0:
                raise LimitError("too many samples of sums")
        return await asyncio.to_thread(_answer, parts, len(chosen.ids), function)

    async def _since_ms(self, keep_s: int, kind: Kept) -> int:
        """Give the time from which on something is kept: by its retention, and by what a limit of size has left."""
        since_ms = int(self._clock.now().timestamp() * 1000) - 1000 * keep_s
        slot = (await self._cuts.slots()).get(kind)
        return since_ms if slot is None else max(since_ms, slot * SLOT_MS)

    async def _part(
        self,
        tenant: TenantId,
        chosen: Chosen,
        span: Span,
        function: str,
        most: int,
        *,
        is_needed: bool,
    ) -> Loose | None:
        if span.resolution_ms == RAW:
            return _of_raw(await self._raw.read(tenant, chosen, (span.start_ms, span.end_ms), most=most))
        begin_ms = span.start_ms if span.is_exact or function != PLAIN else span.start_ms - LOOK_BACK_MS
        where = (
            f"{_where(chosen, (begin_ms, span.end_ms))} AND resolution_ms = {span.resolution_ms} "
            f"AND end_ms > {begin_ms} AND end_ms < {span.end_ms + span.resolution_ms}"
        )
        sql = _SUMS.format(columns=", ".join(COLUMNS), where=where)
        limits = replace(QueryLimits.of(self._store.settings), rows=max(most, 1))
        buckets = buckets_of((await self._store.query(sql, tenant=tenant, limits=limits)).combine_chunks(), chosen.ids)
        if function in COUNTERS and not is_needed and buckets.start_ms.any():
            return None  # since when a counter counts is known of single samples only
        return shape(buckets, function, span.resolution_ms, is_exact=span.is_exact).within(span.start_ms, span.end_ms)

    async def _has_native(self, tenant: TenantId, chosen: Chosen, span: tuple[int, int]) -> bool:
        found = await self._store.query(_NATIVE.format(where=_where(chosen, span)), tenant=tenant)
        return bool(found.num_rows)


def _where(chosen: Chosen, span: tuple[int, int]) -> str:
    ids = chosen.ids
    terms = [
        "tenant = {tenant:String}",
        f"slot BETWEEN {span[0] // SLOT_MS} AND {span[1] // SLOT_MS}",
        f"series_id BETWEEN {ids[0]} AND {ids[-1]}",
    ]
    if not chosen.is_whole and len(ids) <= _LISTED:
        terms.append(f"series_id IN ({','.join(map(str, ids.tolist()))})")
    return " AND ".join(terms)


def _of_raw(found: Assembled) -> Loose:
    rows = np.repeat(np.arange(len(found.offsets) - 1), np.diff(found.offsets))
    return Loose(rows, found.ts_ms, found.values, np.ones(len(rows)))


def _answer(parts: Sequence[Loose], series: int, function: str) -> RolledAnswer:
    every = joined(list(parts))
    order = np.lexsort((every.ts_ms, every.rows))
    offsets: Ints = np.zeros(series + 1, np.int64)
    np.cumsum(np.bincount(every.rows, minlength=series), out=offsets[1:])
    weights = every.weights[order] if function in WEIGHED else None
    return RolledAnswer(offsets, every.ts_ms[order], every.values[order], weights)
