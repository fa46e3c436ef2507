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
from holdfast.telemetry.metrics.arrivals import STALE_BITS
from holdfast.telemetry.metrics.downsampling.choosing import (
    COUNTERS,
    DRAWN,
    HOUR_MS,
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
from holdfast.telemetry.metrics.downsampling.natives import FUNCTIONS, NATIVE_COLUMNS, natives_of, shape_natives
from holdfast.telemetry.metrics.downsampling.rolled import RolledSlots
from holdfast.telemetry.metrics.downsampling.shaping import (
    COLUMNS,
    LOOK_BACK_MS,
    Floats,
    Ints,
    Loose,
    Objects,
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
    import pyarrow as pa

    from holdfast.kernel.ids import TenantId

WEIGHED: Final = DRAWN | {"avg_over_time", "count_over_time"}
REACHING: Final = frozenset({PLAIN})  # an instant may look at what is held from before the span
_SCRAPE_MS: Final = 15_000
_FIRST_SLOT: Final = -(2**31)
_LISTED: Final = 4_000  # ids in one statement; of more, all between the first and the last are read
_SUMS: Final = "SELECT series_id, {columns} FROM metric_rollups FINAL WHERE {where}"
_NATIVES: Final = "SELECT series_id, {columns} FROM metric_histogram_rollups WHERE {where}"
_ANY_NATIVE: Final = """(SELECT 1 FROM metric_histograms WHERE {where} LIMIT 1)
    UNION ALL (SELECT 1 FROM metric_histogram_rollups WHERE {where} LIMIT 1)"""

# Slots of which as many raw samples are there as were summed up, and stay for now.
_KEPT: Final = f"""
    SELECT there.at AS slot FROM (
      SELECT intDiv(ts_ms - 1, {SLOT_MS}) AS at, uniqExact(series_id, ts_ms) AS n, min(expires_at) AS until
      FROM metric_points WHERE {{where}} AND reinterpretAsUInt64(value) != {STALE_BITS} GROUP BY at) AS there
    LEFT JOIN (
      SELECT slot AS at, sum(count) AS summed FROM metric_rollups FINAL
      WHERE {{where}} AND resolution_ms = {HOUR_MS} GROUP BY at) AS before USING at
    WHERE n >= summed AND until > toDateTime({{now_s}}, 'UTC')"""  # noqa: S608 -- constants of this package


@dataclass(frozen=True, slots=True)
class RolledAnswer:
    """Samples of the chosen series in flat columns, as in `SeriesColumns`."""

    offsets: Ints
    ts_ms: Ints
    values: Floats
    weights: Floats | None
    histograms: Objects | None = None


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is wanted of every span.

    Attributes:
        is_needed: whether raw samples have gone, so that sums must do.
        has_natives: whether there are native histograms.
    """

    function: str
    range_ms: int
    is_needed: bool
    has_natives: bool


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
        start_ms = max(selection.start_ms, chosen.lives.first_begun_ms - 1)
        end_ms = min(selection.end_ms, chosen.lives.last_heard_ms + ANNOUNCE_EVERY_MS)
        if function is None or start_ms >= end_ms:
            return None
        exact_ms = exact_resolution(selection)
        guess = len(chosen.ids) * (end_ms - start_ms) // _SCRAPE_MS
        if not self._settings.enabled or guess < self._settings.least_samples:
            exact_ms = RAW  # nobody would sum up again what comes late, or it is not worth it
        held = await self._with_kept(await self._held(tenant), tenant, chosen, (start_ms, end_ms))
        has_all_raw = held.has_all_raw((start_ms, end_ms))
        if exact_ms == RAW and has_all_raw:
            return None
        spans = choose_spans(selection, (start_ms, end_ms), held, exact_ms)
        if all(span.resolution_ms == RAW for span in spans):
            return None
        has_natives = await self._has_natives(tenant, chosen, (start_ms, end_ms))
        if has_natives and function not in FUNCTIONS:
            return None
        wish = _Wish(function, selection.range_ms, not has_all_raw, has_natives)
        parts = []
        for span in spans:
            part = await self._part(tenant, chosen, span, wish, most)
            if part is None:
                return None
            parts.append(part)
            most -= len(part.rows)
            if most < 0:
                raise LimitError("too many samples of sums")
        return await asyncio.to_thread(_answer, parts, len(chosen.ids), function)

    async def _held(self, tenant: TenantId) -> Held:
        now_ms = int(self._clock.now().timestamp() * 1000)
        cuts = await self._cuts.slots()
        minutes_s = keep_seconds(self._store, self._settings, tenant, MINUTES_MS)
        return Held(
            clean=await self._rolled.clean(tenant),
            known=await self._rolled.known(tenant),
            raw_until_ms=self._rolled.raw_until_ms(tenant),
            now_ms=now_ms,
            raw_since_ms=now_ms - 1000 * self._store.retention.seconds(tenant, STREAM),
            cut_ms=cuts.get(Kept.RAW, _FIRST_SLOT) * SLOT_MS,
            minutes_since_ms=max(now_ms - 1000 * minutes_s, cuts.get(Kept.SUMS_5M, _FIRST_SLOT) * SLOT_MS),
        )

    async def _with_kept(self, held: Held, tenant: TenantId, chosen: Chosen, span: tuple[int, int]) -> Held:
        """Look for raw samples of the chosen series among those of which some have left."""
        slots = held.doubtful(span)
        if not slots:
            return held
        around = (slots[0] * SLOT_MS, (slots[-1] + 1) * SLOT_MS)
        if await self._has_natives(tenant, chosen, around):
            return held
        sql = _KEPT.format(where=_where(chosen, around), now_s=held.now_ms // 1000)
        table = await self._store.query(sql, tenant=tenant, limits=QueryLimits.of(self._store.settings))
        return replace(held, kept=frozenset(table["slot"].to_pylist()) & frozenset(slots))

    async def _part(self, tenant: TenantId, chosen: Chosen, span: Span, wish: _Wish, most: int) -> Loose | None:
        if span.resolution_ms == RAW:
            return _of_raw(await self._raw.read(tenant, chosen, (span.start_ms, span.end_ms), most=most))
        function, resolution_ms, is_exact = wish.function, span.resolution_ms, span.is_exact
        buckets = buckets_of(await self._read(_SUMS, COLUMNS, (tenant, chosen), span, wish, most), chosen.ids)
        if function in COUNTERS and not wish.is_needed and buckets.start_ms.any():
            return None  # since when a counter counts is known of single samples only
        found = shape(buckets, function, resolution_ms, is_exact=is_exact)
        if wish.has_natives:
            table = await self._read(_NATIVES, NATIVE_COLUMNS, (tenant, chosen), span, wish, most)
            natives = await asyncio.to_thread(natives_of, table, chosen.ids)
            if function in COUNTERS and not wish.is_needed and (natives.start_ms.any() or natives.has_gauges):
                return None
            drawn = await asyncio.to_thread(
                shape_natives, natives, function, resolution_ms, wish.range_ms, is_exact=is_exact
            )
            found = joined([found, drawn])
        return found.within(span.start_ms, span.end_ms)

    async def _read(
        self,
        sql: str,
        columns: Sequence[str],
        whose: tuple[TenantId, Chosen],
        span: Span,
        wish: _Wish,
        most: int,
    ) -> pa.Table:
        """Read sums of a span, and where one may be held into it, of the time before."""
        tenant, chosen = whose
        begin_ms = span.start_ms if span.is_exact or wish.function not in REACHING else span.start_ms - LOOK_BACK_MS
        where = (
            f"{_where(chosen, (begin_ms, span.end_ms))} AND resolution_ms = {span.resolution_ms} "
            f"AND end_ms > {begin_ms} AND end_ms < {span.end_ms + span.resolution_ms}"
        )
        limits = replace(QueryLimits.of(self._store.settings), rows=max(most, 1))
        table = await self._store.query(
            sql.format(columns=", ".join(columns), where=where), tenant=tenant, limits=limits
        )
        return table.combine_chunks()

    async def _has_natives(self, tenant: TenantId, chosen: Chosen, span: tuple[int, int]) -> bool:
        found = await self._store.query(_ANY_NATIVE.format(where=_where(chosen, span)), tenant=tenant)
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
    return Loose(rows, found.ts_ms, found.values, np.ones(len(rows)), found.histograms)


def _answer(parts: Sequence[Loose], series: int, function: str) -> RolledAnswer:
    every = joined(list(parts))
    every = every.only(np.lexsort((every.ts_ms, every.rows)))
    offsets: Ints = np.zeros(series + 1, np.int64)
    np.cumsum(np.bincount(every.rows, minlength=series), out=offsets[1:])
    weights = every.weights if function in WEIGHED else None
    return RolledAnswer(offsets, every.ts_ms, every.values, weights, every.histograms)
