"""Deletes series, or a span of their samples, as Prometheus' `delete_series` does; memory forgets them, too.

Samples go at once; the space comes back when the engine merges. Series of which everything goes are announced anew
when a sample comes again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast import journal
from holdfast.kernel.auth import asking
from holdfast.store import QueryLimits, Store
from holdfast.telemetry.metrics.sink import MetricSink
from holdfast.telemetry.metrics.source import MetricSource, describe
from holdfast.telemetry.metrics.storing import ANNOUNCE_EVERY_MS
from holdfast.telemetry.metrics.tables import (
    EXEMPLARS,
    HISTOGRAMS,
    NATIVE_ROLLUPS,
    POINTS,
    ROLLUPS,
    SERIES,
    SLOT_MS,
)

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.metrics.samples import Matcher

BEGINNING_MS: Final = -(2**62)
END_MS: Final = 2**62
_LISTED: Final = 5_000  # ids in one statement
_COUNTED: Final = """
    SELECT slot, count() AS n FROM {table} WHERE tenant = {{tenant:String}} AND {where} GROUP BY slot"""
_SLOTTED: Final = (POINTS, HISTOGRAMS)
_SUMS: Final = (ROLLUPS, NATIVE_ROLLUPS)

log = journal.get_logger("holdfast.telemetry.metrics")


class Deletion:
    """Deletes what selectors choose."""

    def __init__(self, store: Store, sink: MetricSink, source: MetricSource) -> None:
        self._store = store
        self._sink = sink
        self._source = source

    async def delete(
        self,
        tenant: TenantId,
        selectors: Iterable[tuple[Matcher, ...]],
        start_ms: int = BEGINNING_MS,
        end_ms: int = END_MS,
    ) -> int:
        """Delete the samples in [start_ms, end_ms] of the series that any selector chooses; give their number.

        The log tells who deleted what, whichever way it was asked for.

        Raises:
            InvalidError: an expression is wrong.
            UnavailableError: the store does not answer; what was deleted is deleted, the same may be asked again.
        """
        found: dict[int, bool] = {}
        who, named = asking(), []
        for matchers in selectors:
            named.append(describe(matchers))
            chosen = await self._source.index.choose(tenant, matchers, start_ms, end_ms)
            # A life may be an hour longer than is known.
            is_all = (chosen.first_ms >= start_ms) & (chosen.last_ms + ANNOUNCE_EVERY_MS <= end_ms)
            found.update(zip(chosen.ids.tolist(), is_all.tolist(), strict=True))
        ids = sorted(found)
        log.info("metrics.deletion", tenant=tenant, actor=who.actor if who is not None else "", selectors=named,
                 start_ms=start_ms, end_ms=end_ms, series=len(ids))  # fmt: skip
        try:
            # What is being summed up meanwhile would bring back what is deleted.
            async with self._source.rolled.alone:
                for begin in range(0, len(ids), _LISTED):
                    part = ids[begin : begin + _LISTED]
                    gone = await self._samples(tenant, part, start_ms, end_ms)
                    await self._series(tenant, [identity for identity in part if found[identity]])
                    # What is left of the buckets at either end is summed up anew.
                    edges = {start_ms // SLOT_MS, end_ms // SLOT_MS}
                    await self._source.rolled.lessen(tenant, gone, [*edges, *(slot - 1 for slot in edges)])
        finally:
            self._forget_read(tenant)
            # The others keep their places among the active series: at a limit, new ones would take them.
            self._sink.book(tenant).forget_these([identity for identity in ids if found[identity]])
        return len(ids)

    async def _samples(self, tenant: TenantId, ids: Sequence[int], start_ms: int, end_ms: int) -> dict[int, int]:
        """Delete samples and sums; give how many samples of each slot."""
        gone = Counter[int]()
        chosen = f"series_id IN ({','.join(map(str, ids))})"
        of = f"{chosen} AND ts_ms BETWEEN {start_ms} AND {end_ms}"
        limits = np.iinfo(np.int32)
        first, last = max(start_ms // SLOT_MS, limits.min), min(end_ms // SLOT_MS, limits.max)
        for table in _SLOTTED:
            where = f"slot BETWEEN {first} AND {last} AND {of}"
            counted = await self._store.query(
                _COUNTED.format(table=table.name, where=where),
                tenant=tenant,
                limits=QueryLimits.of(self._store.settings),
            )
            gone.update(dict(zip(counted["slot"].to_pylist(), counted["n"].to_pylist(), strict=True)))
            await self._store.delete(table, where, tenant=tenant)
        await self._store.delete(EXEMPLARS, of, tenant=tenant)
        sums = f"slot BETWEEN {max(first - 1, limits.min)} AND {last} AND {chosen}"
        sums += f" AND end_ms >= {start_ms} AND end_ms - resolution_ms < {end_ms}"
        for table in _SUMS:
            await self._store.delete(table, sums, tenant=tenant)
        return gone

    async def _series(self, tenant: TenantId, ids: Sequence[int]) -> None:
        if ids:
            await self._store.delete(SERIES, f"series_id IN ({','.join(map(str, ids))})", tenant=tenant)

    def forget(self, tenant: TenantId) -> None:
        """Forget what is remembered of a tenant's series and samples; some have gone."""
        self._forget_read(tenant)
        self._sink.book(tenant).forget_all()

    def _forget_read(self, tenant: TenantId) -> None:
        self._source.index.forget(tenant)
        self._source.reader.forget(tenant)
