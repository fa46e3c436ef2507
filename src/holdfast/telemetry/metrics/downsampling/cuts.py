"""From which slot on samples and sums are still there, where a limit of size has taken what was before.

Cuts hold for all tenants alike. Who cuts is `keeping.size`; the reader asks, so that it takes sums where raw samples
have gone before their time.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from holdfast.kernel.clock import Clock
from holdfast.kernel.ids import TenantId
from holdfast.store import Store
from holdfast.telemetry.metrics.tables import CUTS

REFRESH_S: Final = 60.0  # another process may cut
_EVERYBODY: Final = TenantId("*")  # no tenant can have that name
_KEEP_S: Final = 10 * 365 * 86_400
_CUTS: Final = "SELECT kind, max(slot) AS slot FROM metric_cuts WHERE tenant = {tenant:String} GROUP BY kind"
_CUT: Final = """SELECT {tenant:String} AS tenant, {kind:String} AS kind, toInt32({slot:Int64}) AS slot,
    toDateTime({now:Int64}, 'UTC') AS cut_at, toDateTime({now:Int64} + {keep:Int64}, 'UTC') AS expires_at"""


class Kept(StrEnum):
    """What is kept of metrics, in the order in which a limit of size takes it."""

    RAW = "raw"
    SUMS_5M = "sums_5m"
    SUMS_1H = "sums_1h"


class Cuts:
    """The first slot of each kind that no limit of size has taken."""

    def __init__(self, store: Store, clock: Clock, *, is_alone: bool = False) -> None:
        """Prepare; `is_alone` says that no other process cuts, so that one reading does."""
        self._is_alone = is_alone
        self._store = store
        self._clock = clock
        self._known: dict[str, int] = {}
        self._read_s: float | None = None

    async def slots(self) -> Mapping[str, int]:
        """Give the first slot by kind; none for a kind that was never cut.

        Raises:
            UnavailableError: the store does not answer.
        """
        now_s = self._clock.monotonic()
        if self._read_s is None or (now_s - self._read_s > REFRESH_S and not self._is_alone):
            table = await self._store.query(_CUTS, tenant=_EVERYBODY)
            self._known = dict(zip(table["kind"].to_pylist(), table["slot"].to_pylist(), strict=True))
            self._read_s = now_s
        return self._known

    async def note(self, kind: Kept, slot: int) -> None:
        """Take, before it happens, that everything before a slot goes.

        Raises:
            UnavailableError: the store does not answer.
        """
        values = {"kind": str(kind), "slot": slot, "now": int(self._clock.now().timestamp()), "keep": _KEEP_S}
        await self._store.derive(CUTS, _CUT, values, tenant=_EVERYBODY)
        self._known = {**self._known, str(kind): max(slot, self._known.get(kind, slot))}
