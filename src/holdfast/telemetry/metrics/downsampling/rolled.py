"""Which slots of two hours are summed up, and which of those have got a sample since; the store remembers the first.

A bucket is (end - resolution, end], as PromQL's windows are, so a slot's sums hold the sample at its very end and not
the one at its beginning.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.kernel.clock import Clock
from holdfast.store import Store
from holdfast.telemetry.metrics.tables import ROLLED, SLOT_MS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.metrics.storing import Stored

REFRESH_S: Final = 60.0  # another process may sum up
_ROLLED: Final = "SELECT slot, samples FROM metric_rolled FINAL WHERE tenant = {tenant:String}"

# Slots with their new numbers of samples; how long they are remembered stays.
_LESSENED: Final = """
    SELECT tenant, slot, {samples:Array(Int64)}[indexOf({slots:Array(Int64)}, toInt64(slot))] AS samples, expires_at
    FROM metric_rolled FINAL WHERE tenant = {tenant:String} AND slot IN ({slots:Array(Int64)})"""
_THERE: Final = """
    SELECT slot, count() AS n FROM (
        SELECT slot FROM metric_points WHERE tenant = {tenant:String} AND slot IN ({slots:Array(Int64)})
        UNION ALL SELECT slot FROM metric_histograms WHERE tenant = {tenant:String} AND slot IN ({slots:Array(Int64)}))
    GROUP BY slot"""


@dataclass(slots=True)
class _Tenant:
    samples: dict[int, int] = field(default_factory=dict)
    dirty: set[int] = field(default_factory=set)
    taken: set[int] = field(default_factory=set)
    raw_until_ms: dict[int, int] = field(default_factory=dict)
    read_s: float | None = None


class RolledSlots:
    """Knows the summed up slots of every tenant; it follows the sink's feed."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._tenants: dict[TenantId, _Tenant] = {}
        self.alone = asyncio.Lock()  # held by who sums up, and by who takes samples away

    def samples_stored(self, news: Stored) -> None:
        """Take from the feed what was written: a slot with a late sample is read raw until it is summed up again."""
        tenant, ts_ms = news.tenant, news.ts_ms
        if not len(ts_ms):
            return
        known = self._tenants.setdefault(tenant, _Tenant())
        if known.read_s is None:  # any of them may be summed up
            known.dirty.update(np.unique((ts_ms - 1) // SLOT_MS).tolist())
        elif known.samples and int(ts_ms.min()) <= (max(known.samples) + 1) * SLOT_MS:
            self.mark(tenant, np.unique((ts_ms - 1) // SLOT_MS).tolist())

    def mark(self, tenant: TenantId, slots: Sequence[int]) -> None:
        """Take that the samples of slots have changed."""
        known = self._tenants.setdefault(tenant, _Tenant())
        known.dirty.update(known.samples.keys() & set(slots))

    async def lessen(self, tenant: TenantId, gone: Mapping[int, int], cut: Iterable[int]) -> None:
        """Take that so many samples of each slot were deleted, and that sums of some slots were cut.

        What was cut is summed up again, unless its samples had left before: then the sums that remain are all there is.
        """
        known = await self._fresh(tenant)
        left = {slot: max(known.samples[slot] - n, 0) for slot, n in gone.items() if slot in known.samples}
        edges = sorted(known.samples.keys() & set(cut))
        if edges:
            table = await self._store.query(_THERE, {"slots": edges}, tenant=tenant)
            there = dict(zip(table["slot"].to_pylist(), table["n"].to_pylist(), strict=True))
            again = [slot for slot in edges if there.get(slot, 0) >= left.get(slot, known.samples[slot])]
            left |= dict.fromkeys(again, 0)
            known.dirty.update(again)
        if left:
            known.samples.update(left)
            for slot in left:
                known.raw_until_ms.pop(slot, None)
            lists: dict[str, object] = {"slots": list(left), "samples": list(left.values())}
            await self._store.derive(ROLLED, _LESSENED, lists, tenant=tenant)

    async def clean(self, tenant: TenantId) -> Mapping[int, int]:
        """Give the slots of which the sums are true, and how many samples each had when it was summed up."""
        known = await self._fresh(tenant)
        doubtful = known.dirty | known.taken
        return {slot: n for slot, n in known.samples.items() if slot not in doubtful} if doubtful else known.samples

    async def known(self, tenant: TenantId) -> Mapping[int, int]:
        """Give all slots that were ever summed up."""
        return (await self._fresh(tenant)).samples

    def raw_until_ms(self, tenant: TenantId) -> Mapping[int, int]:
        """Give until when all raw samples of slots are there, as last counted; 0 where all have left."""
        return self._tenants.setdefault(tenant, _Tenant()).raw_until_ms

    async def note_raw(
        self, tenant: TenantId, counts: Mapping[int, int], until_ms: Mapping[int, int], last: int
    ) -> None:
        """Take how many raw samples each slot up to the last closed one has, and when the first of them leaves."""
        known = await self._fresh(tenant)
        known.raw_until_ms = {
            slot: until_ms.get(slot, 0)
            for slot, n in known.samples.items()
            if n and slot <= last and (counts.get(slot, 0) >= n or not counts.get(slot))
        }

    def take_dirty(self, tenant: TenantId, last: int) -> set[int]:
        """Give the slots up to the last closed one with late samples, which are being looked after now.

        Later ones were summed up while the clock was ahead; they wait until they are closed.
        """
        known = self._tenants.setdefault(tenant, _Tenant())
        known.taken |= {slot for slot in known.dirty if slot <= last}
        known.dirty -= known.taken
        return set(known.taken)

    def note(self, tenant: TenantId, samples: Mapping[int, int]) -> None:
        """Take that these slots are summed up."""
        self._tenants.setdefault(tenant, _Tenant()).samples.update(samples)

    def settle(self, tenant: TenantId, slots: set[int]) -> None:
        """Take that slots that were taken as dirty are looked after."""
        self._tenants.setdefault(tenant, _Tenant()).taken -= slots

    async def _fresh(self, tenant: TenantId) -> _Tenant:
        known = self._tenants.setdefault(tenant, _Tenant())
        now_s = self._clock.monotonic()
        if known.read_s is None or now_s - known.read_s > REFRESH_S:
            table = await self._store.query(_ROLLED, tenant=tenant)
            known.samples.update(zip(table["slot"].to_pylist(), table["samples"].to_pylist(), strict=True))
            known.read_s = now_s
        return known
