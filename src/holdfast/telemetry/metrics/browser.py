"""What series there are, answered from the index in memory; families, exemplars and counts from their tables.

A `SeriesBrowser`. The lives of series are known to the hour, so a series may still be listed up to an hour after its
last sample.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from heapq import merge
from typing import TYPE_CHECKING, Final

from holdfast.store import Store
from holdfast.telemetry.metrics.arrivals import MetricMetadata
from holdfast.telemetry.metrics.browsing import FoundExemplar, Scope, SeriesStats
from holdfast.telemetry.metrics.indexing import Census, Group, Ordinals, SeriesIndex, alive, exact_name
from holdfast.telemetry.metrics.labels import Labels
from holdfast.telemetry.metrics.series_counts import count_series

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId

_FAMILIES: Final = """
    SELECT DISTINCT family, type, help, unit FROM metric_families
    WHERE tenant = {tenant:String} AND ({family:String} = '' OR family = {family:String})
    ORDER BY family, type, help, unit"""
_EXEMPLARS: Final = """
    SELECT series_id, ts_ms, value, labels FROM metric_exemplars
    WHERE tenant = {{tenant:String}} AND series_id BETWEEN {low} AND {high}
      AND ts_ms >= {{start:Int64}} AND ts_ms <= {{end:Int64}}
    ORDER BY series_id, ts_ms LIMIT 1 BY series_id, ts_ms, labels"""
_SAMPLES: Final = """
    SELECT count() AS samples, min(ts_ms) AS min_ms, max(ts_ms) AS max_ms FROM metric_points
    WHERE tenant = {tenant:String}"""
_LATEST_MS: Final = 2**62
_SORTED: Final = 5_000  # label sets that are sorted before others have their turn


class MetricBrowser:
    """Browses the series of one tenant at a time."""

    def __init__(self, store: Store, index: SeriesIndex) -> None:
        self._store = store
        self._index = index

    async def series(self, tenant: TenantId, scope: Scope) -> list[Labels]:
        """Give the label sets, sorted."""
        runs: list[list[Labels]] = []
        for series, places in await self._found(tenant, scope):
            for begin in range(0, len(places), _SORTED):
                runs.append(sorted([series.labels[place] for place in places[begin : begin + _SORTED].tolist()]))
                await asyncio.sleep(0)
        return await _merged(runs, scope.limit)

    async def label_names(self, tenant: TenantId, scope: Scope) -> list[str]:
        """Give the names of labels."""
        names: set[str] = set()
        for series, places in await self._found(tenant, scope):
            names |= await series.label_names(places)
        return sorted(names)[: scope.limit or None]

    async def label_values(self, tenant: TenantId, label: str, scope: Scope) -> list[str]:
        """Give the values of one label."""
        lists = [await series.label_values(label, places) for series, places in await self._found(tenant, scope)]
        values = lists[0] if len(lists) == 1 else sorted({value for each in lists for value in each})
        return values[: scope.limit or None]

    async def _found(self, tenant: TenantId, scope: Scope) -> list[tuple[Group | Census, Ordinals]]:
        """Give where the series are that are asked for, and which ones there: of one metric, or of all."""
        found: list[tuple[Group | Census, Ordinals]] = []
        for matchers in scope.selectors or ((),):
            name = exact_name(matchers)
            if name is None:
                census = await self._index.census(tenant)
                found.append((census, await census.choose(matchers, scope.start_ms, scope.end_ms)))
                continue
            group = await self._index.group(tenant, name)
            if group is not None:
                found.append((group, alive(group, group.choose(matchers), scope.start_ms, scope.end_ms)))
        return found

    async def metadata(self, tenant: TenantId, family: str = "") -> list[MetricMetadata]:
        """Give what is said of families."""
        table = await self._store.query(_FAMILIES, {"family": family}, tenant=tenant)
        return [MetricMetadata(**row) for row in table.to_pylist()]

    async def exemplars(self, tenant: TenantId, scope: Scope) -> list[tuple[Labels, list[FoundExemplar]]]:
        """Give the exemplars in the scope's time."""
        # A series lives from its first sample on, and an exemplar may be a little older than it.
        labels = {
            int(series.ids.live[place]): series.labels[place]
            for series, places in await self._found(tenant, Scope(scope.selectors, 0, _LATEST_MS))
            for place in places.tolist()
        }
        if not labels:
            return []
        values = {"start": max(scope.start_ms, -_LATEST_MS), "end": min(scope.end_ms, _LATEST_MS)}
        sql = _EXEMPLARS.format(low=min(labels), high=max(labels))
        table = await self._store.query(sql, values, tenant=tenant)
        found: dict[Labels, list[FoundExemplar]] = defaultdict(list)
        for row in table.to_pylist():
            of = labels.get(row["series_id"])
            if of is not None:
                found[of].append(FoundExemplar(row["ts_ms"], row["value"], tuple(sorted(row["labels"]))))
        return sorted(found.items())[: scope.limit or None]

    async def stats(self, tenant: TenantId, top: int) -> SeriesStats:
        """Count the tenant's series."""
        counted = await count_series(self._store, tenant, top)
        row = (await self._store.query(_SAMPLES, tenant=tenant)).to_pylist()[0]
        return SeriesStats(
            counted.series,
            counted.pairs,
            row["samples"],
            row["min_ms"],
            row["max_ms"],
            counted.metrics,
            counted.label_values,
            counted.label_pairs,
            counted.label_bytes,
        )


async def _merged(runs: list[list[Labels]], most: int) -> list[Labels]:
    """Give the first `most` (all if 0) of what sorted lists hold, each once."""
    found: list[Labels] = []
    for labels in merge(*runs):
        if not found or labels != found[-1]:
            found.append(labels)
            if len(found) == most:
                break
            if not len(found) % _SORTED:
                await asyncio.sleep(0)
    return found
