"""Which streams a tenant has: read once, kept up by what this process announces, read again where others write too."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.telemetry.logs.storing.streams import ANNOUNCE_EVERY_NS
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.matching import chosen

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from holdfast.kernel.clock import Clock
    from holdfast.kernel.ids import TenantId
    from holdfast.store import Store
    from holdfast.telemetry.logs.selection import Matchers
    from holdfast.telemetry.metrics.labels import Labels

STALE_S: Final = 10.0  # what other processes announce is seen so late
_MOST_TENANTS: Final = 1000
_NS_PER_MS: Final = 10**6
_READ: Final = """
    SELECT stream_id, anyLast(labels) AS labels, toUnixTimestamp64Milli(min(first_seen)) AS first_ms,
      toUnixTimestamp64Milli(max(last_seen)) AS last_ms
    FROM log_streams WHERE tenant = {tenant:String} GROUP BY stream_id"""


@dataclass(slots=True)
class Stream:
    """One stream: its labels, and from when to when it is known to live."""

    labels: Labels
    first_ns: int
    last_ns: int

    def lives_in(self, start_ns: int, end_ns: int) -> bool:
        """Tell whether it may have records in [start_ns, end_ns); its last ones come up to an hour unannounced."""
        return self.first_ns < end_ns and start_ns <= self.last_ns + ANNOUNCE_EVERY_NS


@dataclass(slots=True)
class _Known:
    streams: dict[int, Stream]
    read_at_s: float


class StreamDirectory:
    """The streams of every tenant that is asked for; a `StreamWatch`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[TenantId, _Known] = {}
        self._reading = asyncio.Lock()

    def streams_announced(
        self,
        tenant: TenantId,
        labels: Sequence[Labels],
        ids: npt.NDArray[np.uint64],
        first_ns: npt.NDArray[np.int64],
        last_ns: npt.NDArray[np.int64],
    ) -> None:
        """Take that these streams live at least so long."""
        known = self._known.get(tenant)
        if known is None:
            return
        for each, identity, first, last in zip(labels, ids.tolist(), first_ns.tolist(), last_ns.tolist(), strict=True):
            stream = known.streams.get(identity)
            if stream is None:
                known.streams[identity] = Stream(each, first, last)
            else:
                stream.first_ns, stream.last_ns = min(stream.first_ns, first), max(stream.last_ns, last)

    async def find(
        self, tenant: TenantId, selectors: Sequence[Matchers], start_ns: int, end_ns: int
    ) -> dict[int, Stream]:
        """Give the streams that match any selector (all if there is none) and may have records in the time, by id."""
        streams = await self._all(tenant)
        living = {identity: each for identity, each in streams.items() if each.lives_in(start_ns, end_ns)}
        if not selectors:
            return living
        ids, labels = list(living), [each.labels for each in living.values()]
        places = {place for matchers in selectors for place in chosen(labels, matchers)}
        return {ids[place]: living[ids[place]] for place in places}

    async def _all(self, tenant: TenantId) -> dict[int, Stream]:
        # Whoever asks while another reads waits: what stands there by then is not all.
        async with self._reading:
            known = self._known.get(tenant)
            if known is None or self._clock.monotonic() - known.read_at_s > STALE_S:
                known = await self._read(tenant)
        return known.streams

    async def _read(self, tenant: TenantId) -> _Known:
        if len(self._known) >= _MOST_TENANTS:
            self._known.clear()
        # Entered before it is read, so that what is announced in between is not missed.
        known = self._known[tenant] = _Known({}, self._clock.monotonic())
        try:
            table = await self._store.query(_READ, tenant=tenant)
        except BaseException:
            del self._known[tenant]
            raise
        columns = (table.column(name).to_pylist() for name in ("stream_id", "labels", "first_ms", "last_ms"))
        for identity, labels, first_ms, last_ms in zip(*columns, strict=True):
            stream = Stream(labels_of(labels), first_ms * _NS_PER_MS, (last_ms + 1) * _NS_PER_MS)
            fresh = known.streams.get(identity)
            if fresh is not None:
                stream.first_ns = min(stream.first_ns, fresh.first_ns)
                stream.last_ns = max(stream.last_ns, fresh.last_ns)
            known.streams[identity] = stream
        return known
