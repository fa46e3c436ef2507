"""Puts into memory after a start what first queries ask for: labels, the samples of the newest hour, then of the day.

Bounded by series and by bytes; where not all metrics fit, those that were queried last go first. Reading on after that
is the queries' own work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from holdfast.kernel.clock import Clock
from holdfast.store import Store
from holdfast.telemetry.metrics.indexing import Chosen, SeriesIndex
from holdfast.telemetry.metrics.labels import METRIC_NAME
from holdfast.telemetry.metrics.reading import SampleReader
from holdfast.telemetry.metrics.samples import Matcher, MatchOp
from holdfast.telemetry.metrics.storing import ANNOUNCE_EVERY_MS
from holdfast.telemetry.metrics.tables import SLOT_MS

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId

STARTING_SERIES: Final = 20_000  # of which labels are read while the process starts
WARMED_SERIES: Final = 200_000  # of which they are read before anybody asks, 1 KiB each
_NEWEST_MS: Final = 3_600_000
_WINDOW_MS: Final = 900_000  # before the last sample there may be: what instant queries look back by
_NAME_SHIFT: Final = 48  # below it, an id says which series of its metric it is
_DAY_MS: Final = 25 * 3_600_000  # what a panel about a day looks at, windows included
_TOGETHER: Final = 4  # older slots that are read at once
# A native histogram takes about 600 bytes in memory.
_SIZES: Final = """
    SELECT slot, name, sum(bytes) AS bytes FROM (
      SELECT slot, bitShiftRight(series_id, 48) AS name, 8 * count() AS bytes FROM metric_points
      WHERE tenant = {tenant:String} AND slot BETWEEN {first:Int64} AND {last:Int64} GROUP BY slot, name
      UNION ALL
      SELECT slot, bitShiftRight(series_id, 48) AS name, 600 * count() AS bytes FROM metric_histograms
      WHERE tenant = {tenant:String} AND slot BETWEEN {first:Int64} AND {last:Int64} GROUP BY slot, name)
    GROUP BY slot, name"""
_Sizes = Mapping[tuple[int, int], int]  # the most bytes in memory that samples of a slot and a metric take


class Warming:
    """Reads ahead for one source."""

    def __init__(self, store: Store, clock: Clock, index: SeriesIndex, reader: SampleReader, most_bytes: int) -> None:
        self._store = store
        self._clock = clock
        self._index = index
        self._reader = reader
        self._most_bytes = most_bytes

    async def warm(self, tenant: TenantId, queried: Mapping[str, int], most_series: int) -> bool:
        """Read a tenant's labels if they are few, and samples that fit; `queried` says when metrics last were.

        Returns:
            Whether its series are no more than `most_series`.
        """
        if not await self._index.warm(tenant, most_series):
            return False
        await self._read_samples(tenant, queried)
        return True

    async def _read_samples(self, tenant: TenantId, queried: Mapping[str, int]) -> None:
        newest_ms = self._index.newest_ms(tenant)
        cache = self._reader.cache
        if newest_ms is None or not self._most_bytes or cache is None or not self._reader.is_remembering_all:
            return
        end_ms = min(newest_ms + ANNOUNCE_EVERY_MS, int(self._clock.now().timestamp() * 1000))
        # Where time has gone on without samples, the last of them came up to an hour after what the index says.
        start_ms = min(newest_ms - _WINDOW_MS, end_ms - _NEWEST_MS)
        newest = range(start_ms // SLOT_MS, end_ms // SLOT_MS + 1)
        names = sorted(self._index.names(tenant), key=lambda name: -queried.get(name, 0))
        most_bytes = min(self._most_bytes, cache.most_bytes // 2)
        left_bytes = await self._remember(tenant, names, newest, await self._sizes(tenant, newest), most_bytes)
        slot = newest[0] - 1
        while left_bytes > 0 and slot >= (end_ms - _DAY_MS) // SLOT_MS:
            older = range(max(slot - _TOGETHER + 1, (end_ms - _DAY_MS) // SLOT_MS), slot + 1)
            sizes = await self._sizes(tenant, older)
            slots = _last_that_fit(older, sizes, left_bytes)
            left_bytes = await self._remember(tenant, names, slots, sizes, left_bytes)
            slot = slots[0] - 1

    async def _remember(
        self, tenant: TenantId, names: Sequence[str], slots: range, sizes: _Sizes, most_bytes: int
    ) -> int:
        """Read slots of those metrics that fit; gives how many bytes are left, none if some did not fit."""
        cache = self._reader.cache
        assert cache is not None  # for the types: `warm` has asked whether anything is remembered
        start_ms, end_ms = slots[0] * SLOT_MS, (slots[-1] + 1) * SLOT_MS - 1
        metrics = []
        for name in names:
            is_name = (Matcher(METRIC_NAME, MatchOp.EQUAL, name),)
            metrics.append(await self._index.choose(tenant, is_name, start_ms, end_ms))
        living = [chosen for chosen in metrics if len(chosen.ids) and _size(chosen, slots, sizes)]
        fitting = _fitting(living, slots, sizes, most_bytes)
        before = cache.nbytes
        await self._reader.remember(tenant, fitting, slots, is_whole=len(fitting) == len(living))
        return most_bytes - (cache.nbytes - before) if len(fitting) == len(living) else 0

    async def _sizes(self, tenant: TenantId, slots: range) -> _Sizes:
        table = await self._store.query(_SIZES, {"first": slots[0], "last": slots[-1]}, tenant=tenant)
        columns = (table[name].to_pylist() for name in ("slot", "name", "bytes"))
        return {(slot, name): size for slot, name, size in zip(*columns, strict=True)}


def _last_that_fit(slots: range, sizes: _Sizes, most_bytes: int) -> range:
    """Give so many of the slots, from the last one back, as fit with all their metrics; one at least."""
    by_slot: Counter[int] = Counter()
    for (slot, _), size in sizes.items():
        by_slot[slot] += size
    begin = len(slots) - 1
    while begin and sum(by_slot[slot] for slot in slots[begin - 1 :]) <= most_bytes:
        begin -= 1
    return slots[begin:]


def _size(chosen: Chosen, slots: range, sizes: _Sizes) -> int:
    name = int(chosen.ids[0]) >> _NAME_SHIFT
    return sum(sizes.get((slot, name), 0) for slot in slots)


def _fitting(metrics: list[Chosen], slots: range, sizes: _Sizes, most_bytes: int) -> list[Chosen]:
    fitting = []
    for chosen in metrics:
        size = _size(chosen, slots, sizes)
        if size <= most_bytes:
            fitting.append(chosen)
            most_bytes -= size
    return fitting
