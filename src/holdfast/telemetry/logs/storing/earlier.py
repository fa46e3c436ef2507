"""What a process before this one may have stored of an arrival: looked up in the store for a while after a start.

A sender whose answer was lost with the old process sends the same to the new one, which remembers nothing yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.telemetry.arriving import is_repeated
from holdfast.telemetry.logs.reading.rows import COLUMNS, read_page
from holdfast.telemetry.logs.storing.repeats import keys_of
from holdfast.telemetry.logs.tables import SLOT_NS

if TYPE_CHECKING:
    import numpy.typing as npt

    from holdfast.kernel.clock import Clock
    from holdfast.kernel.ids import TenantId
    from holdfast.store import Store
    from holdfast.telemetry.logs.records import Records
    from holdfast.telemetry.logs.storing.repeats import Keys

LOOK_S: Final = 900.0  # senders give up or have come back by then
_BACK_NS: Final = 3600 * 10**9  # older records than that are a backlog, not a repeat
_LISTED: Final = 2000  # times in one statement
_NEVER: Final = -1
_NS_PER_S: Final = 10**9
_NEWEST: Final = "SELECT stream_id, max(ts_ns) AS newest_ns FROM log_records WHERE {where} GROUP BY stream_id"
_FIND: Final = "SELECT {columns} FROM log_records WHERE {where}"


class Earlier:
    """Looks for records that were stored before this process started."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._newest_ns: dict[tuple[TenantId, int], int] = {}
        self._started_s = clock.monotonic()
        self._started_ns = int(clock.now().timestamp() * _NS_PER_S)

    async def keys(self, tenant: TenantId, records: Records, ids: npt.NDArray[np.uint64]) -> Keys:
        """Give the keys of stored records with a stream and a time of these; `ids` are those of their streams."""
        none = np.zeros(0, np.int64)
        if is_repeated() and len(records):
            return await self._stored(tenant, records.ts_ns, ids)
        if self._clock.monotonic() - self._started_s > LOOK_S:
            self._newest_ns.clear()
            return none
        ts_ns = records.ts_ns
        is_old = (ts_ns < self._started_ns) & (ts_ns > self._started_ns - _BACK_NS)
        if not is_old.any():
            return none
        streams_of, place = np.unique(ids, return_inverse=True)
        await self._learn(tenant, np.unique(ids[is_old]).tolist())
        newest = [self._newest_ns.get((tenant, each), _NEVER) for each in streams_of.tolist()]
        is_suspect = is_old & (ts_ns <= np.array(newest, np.int64)[place])
        if not is_suspect.any():
            return none
        return await self._stored(tenant, ts_ns[is_suspect], ids[is_suspect])

    async def _stored(self, tenant: TenantId, ts_ns: npt.NDArray[np.int64], ids: npt.NDArray[np.uint64]) -> Keys:
        """Give the keys of what is stored with these times and streams."""
        times = np.unique(ts_ns)
        streams = ",".join(map(str, np.unique(ids).tolist()))
        found = [
            await self._find(tenant, times[begin : begin + _LISTED], streams) for begin in range(0, len(times), _LISTED)
        ]
        return np.sort(np.concatenate(found))

    async def _learn(self, tenant: TenantId, ids: list[int]) -> None:
        """Ask how far each stream has come, once; what goes on from there is no repeat."""
        fresh = [each for each in ids if (tenant, each) not in self._newest_ns]
        if not fresh:
            return
        first = (self._started_ns - _BACK_NS) // SLOT_NS
        where = f"tenant = {{tenant:String}} AND slot >= {first} AND stream_id IN ({','.join(map(str, fresh))})"
        table = await self._store.query(_NEWEST.format(where=where), tenant=tenant)
        self._newest_ns |= dict.fromkeys(((tenant, each) for each in fresh), _NEVER)
        for identity, newest_ns in zip(*(column.to_pylist() for column in table.columns), strict=True):
            self._newest_ns[tenant, identity] = newest_ns

    async def _find(self, tenant: TenantId, times: npt.NDArray[np.int64], streams: str) -> Keys:
        terms = [
            "tenant = {tenant:String}",
            f"slot BETWEEN {times[0] // SLOT_NS} AND {times[-1] // SLOT_NS}",
            f"stream_id IN ({streams})",
            f"ts_ns IN ({','.join(map(str, times.tolist()))})",
        ]
        table = await self._store.query(_FIND.format(columns=COLUMNS, where=" AND ".join(terms)), tenant=tenant)
        ids = table.column("stream_id").to_numpy()
        page = read_page(table, dict.fromkeys(ids.tolist(), ()))
        return keys_of(tenant, page.records, ids)
