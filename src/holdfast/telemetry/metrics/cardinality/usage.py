"""Which metrics queries have touched, and when last: kept in the store, so that a restart forgets nothing.

Notes are gathered in memory and written now and then; a crash loses the last minute of them, which does no harm.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from holdfast.kernel.clock import Clock
from holdfast.store import Store
from holdfast.telemetry.metrics.tables import USES

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId

WRITE_EVERY_S: Final = 60.0
_MOST: Final = 100_000  # notes in memory
_USED: Final = """
    SELECT name, toUnixTimestamp(max(queried_at)) AS s FROM metric_uses WHERE tenant = {tenant:String} GROUP BY name"""


class Usage:
    """Notes which metrics are queried."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._noted: dict[TenantId, dict[str, int]] = {}
        self._count = 0

    def note(self, tenant: TenantId, names: Iterable[str]) -> None:
        """Take that a query has read these metrics."""
        if self._count >= _MOST:
            return
        now_s = int(self._clock.now().timestamp())
        noted = self._noted.setdefault(tenant, {})
        before = len(noted)
        noted.update(dict.fromkeys(names, now_s))
        self._count += len(noted) - before

    async def write(self) -> None:
        """Put the notes into the store."""
        import pyarrow as pa  # noqa: PLC0415 -- heavy; a process without a store never pays

        noted, self._noted, self._count = self._noted, {}, 0
        for tenant, names in noted.items():
            times = pa.array(list(names.values()), pa.int64()).cast(pa.timestamp("s", tz="UTC"))
            rows = {"name": pa.array(list(names), pa.string()), "queried_at": times}
            await self._store.writer(USES).write(rows, tenant=tenant)

    async def keep_written(self) -> None:
        """Write every minute, until cancelled."""
        while True:
            await self._clock.sleep(WRITE_EVERY_S)
            await self.write()

    async def used(self, tenant: TenantId) -> dict[str, int]:
        """Give the second at which each metric was last queried."""
        table = await self._store.query(_USED, tenant=tenant)
        stored = dict(zip(table["name"].to_pylist(), table["s"].to_pylist(), strict=True))
        return {**stored, **self._noted.get(tenant, {})}
