"""Every tenant's series, metric by metric as queries ask for them, kept true by what the sink announces.

Without a feed nothing is remembered. On a server other processes announce too: what they say is read again after
`REFRESH_S`. When more series are remembered than the settings allow, the metrics asked for longest ago go.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import LimitError
from holdfast.store import Store
from holdfast.telemetry.metrics.indexing.census import Census
from holdfast.telemetry.metrics.indexing.chosen import Chosen, Standing, chosen_of, is_most, nothing
from holdfast.telemetry.metrics.indexing.columns import Ordinals
from holdfast.telemetry.metrics.indexing.group import Group
from holdfast.telemetry.metrics.indexing.loading import SeriesRow, load
from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels, name_of
from holdfast.telemetry.metrics.samples import Matcher, MatchOp
from holdfast.telemetry.metrics.storing import ANNOUNCE_EVERY_MS

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId

REFRESH_S: Final = 10.0
_TOGETHER: Final = 5_000  # series that are taken in before others have their turn
_PREPARED: Final = 12  # labels of all series whose values are looked up before anybody asks
_OVERLAP_S: Final = 120  # clocks of writers differ, and an announcement takes a moment to be stored


class _Tenant:
    """What is remembered of one tenant."""

    def __init__(self) -> None:
        self.groups: OrderedDict[str, Group] = OrderedDict()
        self.has_all = False
        self.census: Census | None = None  # of all groups, since somebody asked for it
        self.loaded_s: dict[str, float] = {}
        self.lock = asyncio.Lock()
        self.loading = 0
        self.meanwhile: list[SeriesRow] = []  # announced while something was being loaded

    def take(self, rows: Sequence[SeriesRow]) -> None:
        by_name: dict[str, list[SeriesRow]] = {}
        for row in rows:
            by_name.setdefault(row[0], []).append(row)
        for name, own in by_name.items():
            group = self.groups.get(name)
            if group is None:
                group = self.groups[name] = Group(name)
            touched = group.note(own)
            if self.census is not None:
                self.census.follow(group, touched)


class SeriesIndex:
    """Finds series by matchers."""

    def __init__(self, store: Store, clock: Clock, *, most: int, is_fed: bool, is_alone: bool) -> None:
        """Prepare.

        Args:
            store: where the series are.
            clock: for reading again.
            most: series that are remembered.
            is_fed: whether `note` is called for whatever this process announces.
            is_alone: whether no other process writes to the store.
        """
        self._store = store
        self._clock = clock
        self.most = most
        self.hits = 0  # times that all was known
        self.misses = 0
        self._is_fed = is_fed
        self._is_alone = is_alone
        self._tenants: dict[TenantId, _Tenant] = {}
        self._standing = Standing()

    @property
    def remembered(self) -> int:
        """Count the series that are remembered, of all tenants."""
        return sum(len(group) for known in self._tenants.values() for group in known.groups.values())

    def note(
        self,
        tenant: TenantId,
        labels: Sequence[Labels],
        ids: npt.NDArray[np.uint64],
        first_ms: npt.NDArray[np.int64],
        last_ms: npt.NDArray[np.int64],
    ) -> None:
        """Take what was announced."""
        known = self._tenants.get(tenant)
        if known is None or not (known.groups or known.loading or known.has_all):
            return
        rows = [
            SeriesRow(name_of(one), one, *numbers)
            for one, *numbers in zip(labels, ids.tolist(), first_ms.tolist(), last_ms.tolist(), strict=True)
        ]
        known.take(rows if known.has_all else [row for row in rows if row.name in known.groups])
        if known.loading:
            known.meanwhile += rows

    async def warm(self, tenant: TenantId, most: int) -> bool:
        """Read a tenant's series before anybody asks, unless they are more than `most` or nothing is remembered.

        Also divides them by the values of their labels, as the first matcher of each label does otherwise.

        Returns:
            Whether they are known now, or will not be before somebody asks.
        """
        if not self._is_fed:
            return True
        known = self._tenants.setdefault(tenant, _Tenant())
        async with known.lock:
            if not known.has_all:
                with suppress(LimitError):
                    await self._load(tenant, known, None, most=most)
        for group in list(known.groups.values()):
            for label in sorted(group.names):
                group.column(label)
                await asyncio.sleep(0)  # a start serves its probes meanwhile
        if known.has_all:
            await (await self.census(tenant)).prepare(_PREPARED)
        return known.has_all

    def names(self, tenant: TenantId) -> list[str]:
        """Give the metrics of which a tenant's series are remembered."""
        known = self._tenants.get(tenant)
        return list(known.groups) if known is not None else []

    def example(self, tenant: TenantId, most: int) -> tuple[str, int] | None:
        """Give the metric with the most remembered series up to `most`, and when it was last heard of."""
        known = self._tenants.get(tenant)
        groups = [group for group in known.groups.values() if 0 < len(group) <= most] if known is not None else []
        found = max(groups, key=len, default=None)
        return (found.name, found.lives().last_heard_ms) if found is not None else None

    def newest_ms(self, tenant: TenantId) -> int | None:
        """Give until when the remembered series live; None if there are none, or not all are known."""
        known = self._tenants.get(tenant)
        if known is None or not known.has_all or not known.groups:
            return None
        return max(int(group.last_ms.live.max()) for group in known.groups.values())

    def forget(self, tenant: TenantId) -> None:
        """Forget a tenant's series; they were deleted."""
        self._tenants.pop(tenant, None)

    async def group(self, tenant: TenantId, name: str) -> Group | None:
        """Give the series of one metric."""
        known = self._tenants.setdefault(tenant, _Tenant()) if self._is_fed else _Tenant()
        await self._ensure(tenant, known, name)
        return known.groups.get(name)

    async def census(self, tenant: TenantId) -> Census:
        """Give all series of a tenant in one numbering.

        Raises:
            LimitError: they are more than may be remembered.
        """
        known = self._tenants.setdefault(tenant, _Tenant()) if self._is_fed else _Tenant()
        await self._ensure(tenant, known, None)
        if known.census is None:
            known.census = Census(known.groups.values())
        return known.census

    async def choose(self, tenant: TenantId, matchers: tuple[Matcher, ...], start_ms: int, end_ms: int) -> Chosen:
        """Give the series that satisfy all matchers and may have samples in [start_ms, end_ms].

        Raises:
            InvalidError: an expression is wrong.
            LimitError: more series than may be remembered would have to be looked at.
        """
        name = exact_name(matchers)
        if name is None:
            return await (await self.census(tenant)).chosen(matchers, start_ms, end_ms)
        group = await self.group(tenant, name)
        if group is None:
            return nothing()
        standing = self._standing.get(group, matchers, start_ms, end_ms)
        if standing is not None:
            return standing
        ordinals = group.choose(matchers)
        if not len(ordinals):
            return nothing()
        living = alive(group, ordinals, start_ms, end_ms)
        chosen = chosen_of(group, living, [name], is_whole=is_most(len(ordinals), len(group)))
        if living is ordinals:
            self._standing.put(group, matchers, chosen)
        return chosen

    async def _ensure(self, tenant: TenantId, known: _Tenant, name: str | None) -> None:
        if self._is_fresh(known, name):
            self.hits += 1
            if name is not None and name in known.groups:
                known.groups.move_to_end(name)
            return
        self.misses += 1
        async with known.lock:
            if not self._is_fresh(known, name):
                await self._load(tenant, known, name)

    def _is_fresh(self, known: _Tenant, name: str | None) -> bool:
        has_it = known.has_all or (name is not None and name in known.loaded_s)
        if not has_it or self._is_alone:
            return has_it
        loaded_s = known.loaded_s.get("" if known.has_all or name is None else name, 0.0)
        return self._clock.monotonic() - loaded_s < REFRESH_S

    async def _load(self, tenant: TenantId, known: _Tenant, name: str | None, *, most: int = 0) -> None:
        is_all = name is None or known.has_all
        key = "" if name is None or is_all else name
        heard_s = 0
        if known.has_all or (name in known.loaded_s):  # only what is new
            heard_s = int(self._clock.now().timestamp() - (self._clock.monotonic() - known.loaded_s[key])) - _OVERLAP_S
        started_s = self._clock.monotonic()
        known.loading += 1
        try:
            rows = await load(
                self._store,
                tenant,
                None if is_all or name is None else [name],
                most=most or self.most,
                heard_since_s=heard_s,
            )
            if name is not None and not is_all:
                known.groups.setdefault(name, Group(name))
            for begin in range(0, len(rows), _TOGETHER):
                known.take(rows[begin : begin + _TOGETHER])
                await asyncio.sleep(0)
            known.has_all = known.has_all or is_all
            known.loaded_s[key] = started_s
            known.take([row for row in known.meanwhile if known.has_all or row.name in known.groups])
        finally:
            known.loading -= 1
            if not known.loading:
                known.meanwhile.clear()
        self._shrink(known, name)

    def _shrink(self, known: _Tenant, keep: str | None) -> None:
        remembered = sum(len(group) for group in known.groups.values())
        while remembered > self.most and len(known.groups) > 1:
            known.census = None
            name, group = known.groups.popitem(last=False)
            if name == keep:
                known.groups[name] = group
                continue
            remembered -= len(group)
            known.loaded_s.pop(name, None)
            known.has_all = False


def exact_name(matchers: tuple[Matcher, ...]) -> str | None:
    """Give the name that a metric must have to satisfy the matchers; None where several may."""
    return next((each.value for each in matchers if each.label == METRIC_NAME and each.op is MatchOp.EQUAL), None)


def alive(group: Group, ordinals: Ordinals, start_ms: int, end_ms: int) -> Ordinals:
    """Give those of the series that may have samples in [start_ms, end_ms]."""
    lives = group.lives()
    if lives.are_within(start_ms, end_ms):
        return ordinals
    if lives.are_beside(start_ms, end_ms):
        return ordinals[:0]
    first, last = group.first_ms.live[ordinals], group.last_ms.live[ordinals]
    is_alive = (first <= end_ms) & (last + ANNOUNCE_EVERY_MS >= start_ms)
    return ordinals if is_alive.all() else ordinals[is_alive]
