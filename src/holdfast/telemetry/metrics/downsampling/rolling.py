"""Sums samples up inside the engine: whole slots of two hours, once they are closed, and again when samples came late.

What is summed up, and out of how many samples, stands in `metric_rolled`. A slot is done again when the store has more
than that, so a crash repeats work and loses none; the same bucket said twice counts once. A bucket of which samples
have left is not said again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter

from holdfast import journal
from holdfast.kernel.clock import Clock
from holdfast.store import QueryLimits, Store, Table
from holdfast.telemetry.metrics.arrivals import STALE_BITS
from holdfast.telemetry.metrics.downsampling.choosing import HOUR_MS, MINUTES_MS
from holdfast.telemetry.metrics.downsampling.keeping import keep_seconds
from holdfast.telemetry.metrics.downsampling.rolled import RolledSlots
from holdfast.telemetry.metrics.downsampling.thinning import THIN
from holdfast.telemetry.metrics.settings import RollupSettings
from holdfast.telemetry.metrics.tables import (
    HISTOGRAMS,
    NATIVE_ROLLUPS,
    POINTS,
    ROLLED,
    ROLLUPS,
    SERIES,
    SLOT_MS,
    STREAM,
)

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId

log = journal.get_logger("holdfast.telemetry.metrics")
_TOGETHER: Final = 4_000_000  # samples in one statement, about 100 MB in the engine
_DAY_S: Final = 86_400
_WEEK_S: Final = 7 * _DAY_S
_LAST_S: Final = (2**32 - 1) // _DAY_S * _DAY_S  # the engine's DateTime ends in 2106
_NATIVE_TOGETHER: Final = 100_000  # native histograms in one statement, about 100 MB in the engine
_COUNTS: Final = """
    SELECT slot, count() AS n, toUnixTimestamp(min(expires_at)) * 1000 AS until_ms FROM {table}
    WHERE tenant = {{tenant:String}} AND slot BETWEEN 0 AND {{last:Int32}} GROUP BY slot ORDER BY slot"""
_IS_MARK: Final = f"reinterpretAsUInt64(x.2) = {STALE_BITS}"
# ruff: noqa: S608 -- what is put into the statements are constants of this module
# `every` are a bucket's samples by time, `kept` those that are no mark of a series' end, `v` their values; `before` are
# sums of an earlier round. Of those in two partitions the engine takes the one that leaves later.
_SUMS: Final = f"""
    SELECT {{tenant:String}} AS tenant, toInt32({{resolution:Int64}}) AS resolution_ms,
      toInt32(intDiv(end_ms - 1, {SLOT_MS})) AS slot, series_id, end_ms, toInt64(length(kept)) AS count,
      kept[1].1 AS first_ms, kept[-1].1 AS last_ms, v[1] AS first, v[-1] AS last,
      if(empty(numbers), nan, arrayMin(numbers)) AS low, if(empty(numbers), nan, arrayMax(numbers)) AS high,
      arraySum(v) AS total, last - first + lost AS increase,
      arraySum(arrayMap((p, c) -> if(c < p, p, 0.), arrayPopBack(v), arrayPopFront(v))) AS lost, start_ms,
      if(length(arrayFilter(x -> {_IS_MARK}, [every[-1]])) = 1, every[-1].1, 0) AS mark_ms,
      toDateTime(greatest(toInt64(before_s), if(left_s < intDiv(every[1].1, 1000) + {{raw:Int64}}, left_s,
        least(greatest(left_s, left_s - {{raw:Int64}} + {{keep:Int64}}), {_LAST_S}))), 'UTC') AS expires_at
    FROM (
      SELECT series_id, intDiv(ts_ms + {{resolution:Int64}} - 1, {{resolution:Int64}}) * {{resolution:Int64}} AS end_ms,
        arraySort(x -> x.1, groupArray((ts_ms, value))) AS every, arrayFilter(x -> NOT ({_IS_MARK}), every) AS kept,
        arrayMap(x -> x.2, kept) AS v, arrayFilter(y -> NOT isNaN(y), v) AS numbers,
        max(since_ms) AS start_ms, max(until_s) AS left_s
      FROM (
        SELECT slot, series_id, ts_ms, anyLast(value) AS value, max(start_ms) AS since_ms,
          toInt64(toUnixTimestamp(max(expires_at))) AS until_s
        FROM metric_points
        WHERE tenant = {{tenant:String}} AND slot BETWEEN {{first:Int64}} AND {{last:Int64}} + 1
          AND ts_ms > {{first:Int64}} * {SLOT_MS} AND ts_ms <= ({{last:Int64}} + 1) * {SLOT_MS}
          AND series_id BETWEEN {{low:UInt64}} AND {{high:UInt64}}
        GROUP BY slot, series_id, ts_ms)
      GROUP BY series_id, end_ms) AS now
    LEFT JOIN (
      SELECT series_id, end_ms, max(count) AS before_n, max(toUnixTimestamp(expires_at)) AS before_s
      FROM metric_rollups
      WHERE tenant = {{tenant:String}} AND resolution_ms = {{resolution:Int64}}
        AND slot BETWEEN {{first:Int64}} AND {{last:Int64}} AND series_id BETWEEN {{low:UInt64}} AND {{high:UInt64}}
      GROUP BY series_id, end_ms) AS before USING (series_id, end_ms)
    WHERE length(kept) >= before_n"""
_DONE: Final = f"""
    SELECT {{tenant:String}} AS tenant, toInt32(one.1) AS slot, toInt64(one.2) AS samples,
      greatest(intDiv((toInt64(slot) + 1) * {SLOT_MS}, 1000), {{now:Int64}}) AS since_s,
      toDateTime(least(since_s + {{keep:Int64}}, {_LAST_S}), 'UTC') AS expires_at
    FROM (SELECT arrayJoin(arrayZip({{slots:Array(Int64)}}, {{samples:Array(Int64)}})) AS one)"""
# A series' labels must stay as long as its sums. Where a rule lets a series go sooner, its sums go then, too.
_LIVES: Final = f"""
    SELECT {{tenant:String}} AS tenant, name, series_id, labels, first_seen, last_seen, heard_at,
      toDateTime(least(seen_s + {{keep:Int64}} + {_DAY_S}, {_LAST_S}), 'UTC') AS expires_at
    FROM (
      SELECT s.name AS name, s.series_id AS series_id, anyLast(s.labels) AS labels, min(s.first_seen) AS first_seen,
        max(s.last_seen) AS last_seen, max(s.heard_at) AS heard_at,
        toInt64(toUnixTimestamp(max(s.expires_at))) AS left_s, toInt64(toUnixTimestamp(max(s.last_seen))) AS heard_s,
        greatest(heard_s, least({{now:Int64}}, left_s - {{raw:Int64}})) AS seen_s
      FROM metric_series AS s WHERE s.tenant = {{tenant:String}} GROUP BY s.name, s.series_id)
    WHERE left_s >= seen_s + {{raw:Int64}} AND left_s < least(seen_s + {{keep:Int64}}, {_LAST_S}) - {_WEEK_S}
      AND heard_s * 1000 >= {{first:Int64}} * {SLOT_MS} - {SLOT_MS}"""


class Rolling:
    """Sums up what is due."""

    def __init__(
        self,
        store: Store,
        rolled: RolledSlots,
        settings: RollupSettings,
        clock: Clock,
        metrics: CollectorRegistry | None = None,
    ) -> None:
        self._store = store
        self._rolled = rolled
        self._settings = settings
        self._clock = clock
        self._round = 0
        self._slots = Counter(
            "holdfast_metrics_slots_rolled",
            "Slots of two hours whose samples were summed up: new ones, and again because samples came late.",
            ("why",),
            registry=metrics or CollectorRegistry(),
        )

    async def roll(self, tenant: TenantId) -> int:
        """Sum up what is closed and not summed up yet, or has more samples than when it was; give how many slots.

        Raises:
            UnavailableError: the store does not answer; whole slots are done, the rest is done next time.
        """
        last = self._last_closed()
        dirty = self._rolled.take_dirty(tenant, last)
        counts, natives = await self._count(tenant, last)
        known = await self._rolled.known(tenant)
        grown = {slot for slot, n in counts.items() if n > known.get(slot, 0)}
        # The sample at a slot's very beginning belongs to the sums of the slot before.
        before = {slot - 1 for slot in grown if slot - 1 in known}
        due = sorted((grown | before | dirty) & counts.keys())
        for part in _parts(due, counts):
            await self._sum_up(tenant, part, counts)
            await self._thin(tenant, part, natives)
            done = {slot: max(counts[slot], known.get(slot, 0)) for slot in part}  # some may have left
            await self._store.derive(ROLLED, _DONE, self._keeping(tenant, HOUR_MS) | _lists(done), tenant=tenant)
            self._slots.labels("late").inc(len(known.keys() & done.keys()))
            self._slots.labels("new").inc(len(done.keys() - known.keys()))
            self._rolled.note(tenant, done)
        self._rolled.settle(tenant, dirty)
        if due:
            log.debug("metrics.rolled", tenant=tenant, slots=len(due))
        return len(due)

    async def notice(self, tenant: TenantId) -> None:
        """Note which slots got samples after they were summed up, before this process began.

        Raises:
            UnavailableError: the store does not answer.
        """
        counts, _ = await self._count(tenant, self._last_closed())
        known = await self._rolled.known(tenant)
        self._rolled.mark(tenant, [slot for slot, n in counts.items() if n > known.get(slot, 0)])

    async def _count(self, tenant: TenantId, last: int) -> tuple[dict[int, int], dict[int, int]]:
        """Give the number of samples of each slot up to the last closed one, and of native histograms among them."""
        natives, until_ms = await self._counts(tenant, HISTOGRAMS, last)
        points, points_until_ms = await self._counts(tenant, POINTS, last)
        counts = _added(points, natives)
        both = until_ms.keys() & points_until_ms.keys()
        until_ms |= points_until_ms | {slot: min(until_ms[slot], points_until_ms[slot]) for slot in both}
        await self._rolled.note_raw(tenant, counts, until_ms, last)
        return counts, natives

    def _last_closed(self) -> int:
        return int((self._clock.now().timestamp() - self._settings.after) * 1000) // SLOT_MS - 1

    async def _counts(self, tenant: TenantId, table: Table, last: int) -> tuple[dict[int, int], dict[int, int]]:
        """Give the number of samples of each closed slot, and when the first of them leaves."""
        limits = QueryLimits.of(self._store.settings)
        found = await self._store.query(_COUNTS.format(table=table.name), {"last": last}, tenant=tenant, limits=limits)
        slots = found["slot"].to_pylist()
        counts, until_ms = (dict(zip(slots, found[name].to_pylist(), strict=True)) for name in ("n", "until_ms"))
        return counts, until_ms

    async def _sum_up(self, tenant: TenantId, slots: list[int], counts: dict[int, int]) -> None:
        span = {"first": slots[0], "last": slots[-1]}
        await self._store.derive(SERIES, _LIVES, span | self._keeping(tenant, HOUR_MS), tenant=tenant)
        await self._derive(tenant, (ROLLUPS, _SUMS), span, -(-sum(counts[slot] for slot in slots) // _TOGETHER))

    async def _thin(self, tenant: TenantId, slots: list[int], natives: dict[int, int]) -> None:
        # The sample at the very end of the last slot stands in the one after it.
        count = sum(natives.get(slot, 0) for slot in (*slots, slots[-1] + 1))
        self._round = max(self._round + 1, int(self._clock.now().timestamp() * 1000))
        span = {"first": slots[0], "last": slots[-1], "round": self._round}
        if count:
            await self._derive(tenant, (NATIVE_ROLLUPS, THIN), span, -(-count // _NATIVE_TOGETHER))

    async def _derive(self, tenant: TenantId, what: tuple[Table, str], span: dict[str, int], pieces: int) -> None:
        """Sum up in so many pieces, each of some of the series."""
        edges = [piece * 2**64 // pieces for piece in range(pieces + 1)]
        for resolution in (MINUTES_MS, HOUR_MS):
            for low, high in pairwise(edges):
                values = {"resolution": resolution, "low": low, "high": high - 1}
                values |= span | self._keeping(tenant, resolution)
                await self._store.derive(*what, values, tenant=tenant)

    def _keeping(self, tenant: TenantId, resolution_ms: int) -> dict[str, int]:
        keep_s = keep_seconds(self._store, self._settings, tenant, resolution_ms)
        now_s = int(self._clock.now().timestamp())
        return {"now": now_s, "raw": self._store.retention.seconds(tenant, STREAM), "keep": keep_s}

    @asynccontextmanager
    async def finished(self, tenants: Iterable[TenantId]) -> AsyncIterator[None]:
        """Sum up what is due of these tenants, then nothing until left, so that samples may leave; raises as `roll`."""
        async with self._rolled.alone:
            for tenant in tenants:
                await self.roll(tenant)
            yield

    async def keep_rolled(self, senders: Collection[TenantId], owns: Callable[[str], bool]) -> None:
        """Sum up what is due again and again until cancelled, one tenant after the other.

        Args:
            senders: who sends to this process; they may become more.
            owns: tells whether to look after those who sent before is this process' part.
        """

        async def tenants() -> set[TenantId]:
            return {*senders, *(await self._store.volume.tenants(SERIES, "1") if owns("metrics.rollups") else ())}

        for tenant in await tenants():
            await self.notice(tenant)
        while True:
            await self._clock.sleep(self._settings.every)
            for tenant in await tenants():
                async with self._rolled.alone:
                    await self.roll(tenant)


def _added(one: dict[int, int], other: dict[int, int]) -> dict[int, int]:
    return {slot: one.get(slot, 0) + other.get(slot, 0) for slot in sorted(one.keys() | other.keys())}


def _parts(slots: list[int], counts: dict[int, int]) -> list[list[int]]:
    """Cut slots into runs without a gap that one statement sums up."""
    parts: list[list[int]] = []
    size = 0
    for slot in slots:
        if parts and slot == parts[-1][-1] + 1 and size + counts[slot] <= _TOGETHER:
            parts[-1].append(slot)
            size += counts[slot]
        else:
            parts.append([slot])
            size = counts[slot]
    return parts


def _lists(done: dict[int, int]) -> dict[str, object]:
    return {"slots": list(done), "samples": list(done.values())}
