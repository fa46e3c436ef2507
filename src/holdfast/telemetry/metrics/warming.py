"""Puts into memory after a start what first queries ask for: labels, and the samples of the newest hour.

Bounded by series and by bytes; where not all metrics fit, those that were queried last go first. Reading on after that
is the queries' own work.
"""

from __future__ import annotations

from collections.abc import Mapping
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

WARMED_SERIES: Final = 20_000  # of which labels are read before anybody asks, about 20 MiB
_NEWEST_MS: Final = 3_600_000
_WINDOW_MS: Final = 900_000  # before the last sample there may be: what instant queries look back by
_NAME_SHIFT: Final = 48  # below it, an id says which series of its metric it is
# A native histogram takes about 600 bytes in memory.
_SIZES: Final = """
    SELECT name, sum(bytes) AS bytes FROM (
      SELECT bitShiftRight(series_id, 48) AS name, 8 * count() AS bytes FROM metric_points
      WHERE tenant = {tenant:String} AND slot BETWEEN {first:Int64} AND {last:Int64} GROUP BY name
      UNION ALL
      SELECT bitShiftRight(series_id, 48) AS name, 600 * count() AS bytes FROM metric_histograms
      WHERE tenant = {tenant:String} AND slot BETWEEN {first:Int64} AND {last:Int64} GROUP BY name)
    GROUP BY name"""


class Warming:
    """Reads ahead for one source."""

    def __init__(self, store: Store, clock: Clock, index: SeriesIndex, reader: SampleReader, most_bytes: int) -> None:
        self._store = store
        self._clock = clock
        self._index = index
        self._reader = reader
        self._most_bytes = most_bytes

    async def warm(self, tenant: TenantId, queried: Mapping[str, int]) -> None:
        """Read a tenant's labels if they are few, and samples that fit; `queried` says when metrics last were."""
        await self._index.warm(tenant, WARMED_SERIES)
        newest_ms = self._index.newest_ms(tenant)
        if newest_ms is None or not self._most_bytes or not self._reader.is_remembering_all:
            return
        end_ms = min(newest_ms + ANNOUNCE_EVERY_MS, int(self._clock.now().timestamp() * 1000))
        # Where time has gone on without samples, the last of them came up to an hour after what the index says.
        start_ms = min(newest_ms - _WINDOW_MS, end_ms - _NEWEST_MS)
        slots = range(start_ms // SLOT_MS, end_ms // SLOT_MS + 1)
        names = sorted(self._index.names(tenant), key=lambda name: -queried.get(name, 0))
        metrics = []
        for name in names:
            is_name = (Matcher(METRIC_NAME, MatchOp.EQUAL, name),)
            metrics.append(await self._index.choose(tenant, is_name, start_ms, end_ms))
        fitting = _fitting(metrics, await self._sizes(tenant, slots), self._most_bytes)
        await self._reader.remember(tenant, fitting, slots)

    async def _sizes(self, tenant: TenantId, slots: range) -> dict[int, int]:
        table = await self._store.query(_SIZES, {"first": slots[0], "last": slots[-1]}, tenant=tenant)
        return dict(zip(table["name"].to_pylist(), table["bytes"].to_pylist(), strict=True))


def _fitting(metrics: list[Chosen], sizes: Mapping[int, int], most_bytes: int) -> list[Chosen]:
    fitting = []
    for chosen in metrics:
        size = sizes.get(int(chosen.ids[0]) >> _NAME_SHIFT, 0) if len(chosen.ids) else 0
        if 0 < size <= most_bytes:
            fitting.append(chosen)
            most_bytes -= size
    return fitting
