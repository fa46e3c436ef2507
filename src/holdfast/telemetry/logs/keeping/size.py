"""Keeps logs within `logs.max_size`: looks each minute, and takes the oldest hours when they have grown beyond it.

The newest two hours never go. What goes is told: as an event of each tenant that lost something, as a metric, logged.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from holdfast import journal
from holdfast.kernel.events import EventKind, NewEvent
from holdfast.kernel.units import format_size
from holdfast.telemetry.logs.tables import RECORDS, SCHEMA, SLOT_NS

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock
    from holdfast.store import Store

log = journal.get_logger("holdfast.telemetry.logs")
LOOK_EVERY_S: Final = 60.0
_ROUNDS: Final = 20  # shares are estimates, so it may take more than one
_NEWEST: Final = 2  # slots that are being written
_SLOT_S: Final = SLOT_NS // 10**9

SIZE_CUT: Final = EventKind("logs.size_cut", "The oldest log records went, for logs had grown beyond `logs.max_size`.")

Tell = Callable[[NewEvent], Awaitable[None]]


class LogSizeLimit:
    """The limit of size of all logs of all tenants."""

    def __init__(
        self, store: Store, clock: Clock, max_bytes: int, tell: Tell, metrics: CollectorRegistry | None = None
    ) -> None:
        """Prepare; `max_bytes` is 0 where there is no limit."""
        self._store = store
        self._clock = clock
        self.max_bytes = max_bytes
        self._tell = tell
        registry = metrics or CollectorRegistry()
        self._taken = Gauge("holdfast_logs_size_bytes", "What logs take on the disk.", ("table",), registry=registry)
        limit = Gauge("holdfast_logs_size_limit_bytes", "What they may take; 0 for no limit.", registry=registry)
        limit.set(max_bytes)
        self._cut = Counter(
            "holdfast_logs_size_cut_bytes", "What went because logs had grown beyond their limit.", registry=registry
        )
        self._exceeded = Gauge(
            "holdfast_logs_size_exceeded",
            "1 while logs take more than they may and nothing is left that could go.",
            registry=registry,
        )

    async def size_bytes(self) -> int:
        """Give what all logs take.

        Raises:
            UnavailableError: the store does not answer.
        """
        sizes = await self._store.volume.sizes(SCHEMA.tables)
        for name, taken in sizes.items():
            self._taken.labels(name).set(taken.size_bytes)
        return sum(taken.size_bytes for taken in sizes.values())

    async def enforce(self) -> int:
        """Take the oldest until logs are within the limit; give about how many bytes went.

        Raises:
            UnavailableError: the store does not answer, or has no room to make a part smaller; the rest goes next time.
        """
        freed, size = 0, await self.size_bytes()
        for _ in range(_ROUNDS if self.max_bytes else 0):
            if size <= self.max_bytes or (before := await self._edge(size - self.max_bytes)) is None:
                break
            await self._drop(before, size)
            left = await self.size_bytes()
            freed, size = freed + size - left, left
        is_exceeded = 0 < self.max_bytes < size
        self._exceeded.set(is_exceeded)
        if is_exceeded:
            log.error("logs.size_exceeded", size=format_size(size), limit=format_size(self.max_bytes))
        return freed

    async def _edge(self, surplus: int) -> int | None:
        """Give the slot before which all must go for so much to be freed; None if nothing may go."""
        slots: dict[int, float] = {}
        for row in (await self._store.volume.shares(RECORDS, ("tenant", "slot"))).to_pylist():
            slots[row["slot"]] = slots.get(row["slot"], 0.0) + row["bytes"]
        newest = int(self._clock.now().timestamp()) // _SLOT_S - _NEWEST + 1
        freed, edge = 0.0, None
        for slot in sorted(slot for slot in slots if slot < newest):
            if freed >= surplus:
                break
            freed, edge = freed + slots[slot], slot + 1
        return edge

    async def _drop(self, before: int, size: int) -> None:
        where = f"slot < {before}"
        tenants = await self._store.volume.tenants(RECORDS, where)
        await self._store.volume.drop(RECORDS, where)
        self._cut.inc(max(0, size - await self.size_bytes()))
        told = {"before": datetime.fromtimestamp(before * _SLOT_S, UTC).isoformat()}
        log.warning(
            "logs.size_cut",
            **told,
            size=format_size(size),
            limit=format_size(self.max_bytes),
            hint="raise logs.max_size, or send less: holdfast logs usage",
        )
        for tenant in tenants:
            await self._tell(NewEvent(SIZE_CUT.name, "logs", told, tenant=tenant))

    async def keep_within(self, is_ours: Callable[[], bool]) -> None:
        """Look each minute until cancelled, and take what is too much if that is this process' to do."""
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            await (self.enforce() if is_ours() else self.size_bytes())
