"""Keeps metrics within `metrics.max_size`: looks each minute, and takes the oldest when they have grown beyond it.

What goes is `cutting`'s decision. Everything is told: as an event of each tenant that lost something, as a metric and
in the log; loudly when the newest day had to go, or when even that did not help.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry

from holdfast import journal
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import StorageFullError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.units import format_size
from holdfast.store import Store, Table
from holdfast.telemetry.metrics.downsampling import HOUR_MS, MINUTES_MS, Cuts, Kept
from holdfast.telemetry.metrics.events import SIZE_CUT, SIZE_EXCEEDED
from holdfast.telemetry.metrics.keeping.cutting import Cut, plan
from holdfast.telemetry.metrics.keeping.meters import SizeMeters
from holdfast.telemetry.metrics.storing import ANNOUNCE_EVERY_MS
from holdfast.telemetry.metrics.tables import (
    EXEMPLARS,
    HISTOGRAMS,
    NATIVE_ROLLUPS,
    POINTS,
    ROLLUPS,
    SCHEMA,
    SERIES,
    SLOT_MS,
)

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId

log = journal.get_logger("holdfast.telemetry.metrics")
LOOK_EVERY_S: Final = 60.0
_ROUNDS: Final = 20  # shares are estimates, so a kind may take more than one
_RAW: Final = (POINTS, HISTOGRAMS)
_SUMMED: Final = (ROLLUPS, NATIVE_ROLLUPS)
_SUMS: Final = {MINUTES_MS: Kept.SUMS_5M, HOUR_MS: Kept.SUMS_1H}
_RESOLUTIONS: Final = {kind: resolution_ms for resolution_ms, kind in _SUMS.items()}
# Series of which nothing is left.
_ENDED: Final = """(tenant, name, series_id) IN (
    SELECT tenant, name, series_id FROM metric_series GROUP BY tenant, name, series_id
    HAVING max(last_seen) < fromUnixTimestamp64Milli({before_ms}, 'UTC'))"""

Tell = Callable[[NewEvent], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Around:
    """What a limit of size needs of others.

    Attributes:
        finished: sums up all that is due of tenants, then nothing until left: so nothing goes before it is summed up,
            and nothing is summed up of which half has gone. None if nothing is summed up.
        forget_samples: forgets what is remembered of a tenant's samples.
        forget_all: forgets its series, too.
        tell: writes an event.
    """

    finished: Callable[[Iterable[TenantId]], AbstractAsyncContextManager[None]] | None
    forget_samples: Callable[[TenantId], None]
    forget_all: Callable[[TenantId], None]
    tell: Tell


class SizeLimit:
    """The limit of size."""

    def __init__(
        self,
        store: Store,
        cuts: Cuts,
        clock: Clock,
        max_bytes: int,
        around: Around,
        metrics: CollectorRegistry | None = None,
    ) -> None:
        """Prepare; `max_bytes` is 0 where there is no limit."""
        self._store = store
        self._cuts = cuts
        self._clock = clock
        self.max_bytes = max_bytes
        self._around = around
        self._meters = SizeMeters(metrics or CollectorRegistry(), max_bytes)
        self._was_exceeded = False

    async def size_bytes(self) -> int:
        """Give what all metrics take.

        Raises:
            UnavailableError: the store does not answer.
        """
        sizes = await self._store.volume.sizes(SCHEMA.tables)
        for name, taken in sizes.items():
            self._meters.taken.labels(name).set(taken.size_bytes)
        return sum(taken.size_bytes for taken in sizes.values())

    async def shares(self, tenant: TenantId | None = None) -> dict[Kept, dict[int, float]]:
        """Give about how many bytes each slot of each kind takes, of one tenant or of all.

        Raises:
            UnavailableError: the store does not answer.
        """
        found: dict[Kept, dict[int, float]] = {kind: {} for kind in Kept}
        for table in (*_RAW, *_SUMMED):
            keys = ("tenant", "resolution_ms", "slot") if table in _SUMMED else ("tenant", "slot")
            for row in (await self._store.volume.shares(table, keys)).to_pylist():
                if tenant in {None, row["tenant"]}:
                    slots = found[_SUMS[row["resolution_ms"]] if table in _SUMMED else Kept.RAW]
                    slots[row["slot"]] = slots.get(row["slot"], 0.0) + row["bytes"]
        return found

    async def enforce(self) -> list[Cut]:
        """Take the oldest until metrics are within the limit; give what went.

        Raises:
            UnavailableError: the store does not answer, or has no room to make a part smaller; the rest goes next time.
        """
        done: list[Cut] = []
        size = await self.size_bytes()
        if not self.max_bytes:
            return done
        while size > self.max_bytes and len(done) < _ROUNDS:
            cuts = plan(await self.shares(), size - self.max_bytes, int(self._clock.now().timestamp() * 1000))
            if not cuts:
                break
            await self._carry_out(
                cuts[0], size
            )  # it may have summed up what now takes room, and can go before the rest
            done.append(cuts[0])
            size = await self.size_bytes()
        await self._report_excess(size)
        return done

    async def _carry_out(self, cut: Cut, size: int) -> None:
        conditions = _conditions(cut)
        owners = {tenant for table, where in conditions for tenant in await self._store.volume.tenants(table, where)}
        tenants = sorted(owners)
        async with self._finished(tenants):
            with suppress(StorageFullError):  # it is said again below, when there is room
                await self._cuts.note(cut.kind, cut.slot)
            for table, where in conditions:
                await self._store.volume.drop(table, where)
            await self._cuts.note(cut.kind, cut.slot)
        is_last = cut.kind is Kept.SUMS_1H or (cut.kind is Kept.RAW and not await self._has_sums())
        if is_last:
            await self._store.volume.drop(SERIES, _ENDED.format(before_ms=cut.before_ms - ANNOUNCE_EVERY_MS))
        for tenant in tenants:
            (self._around.forget_all if is_last else self._around.forget_samples)(tenant)
        await self._tell(cut, tenants, size)

    async def _has_sums(self) -> bool:
        return any(taken.rows for taken in (await self._store.volume.sizes(_SUMMED)).values())

    @asynccontextmanager
    async def _finished(self, tenants: Sequence[TenantId]) -> AsyncIterator[None]:
        """Have everything summed up, unless the disk is so full that only deleting helps."""
        async with AsyncExitStack() as stack:
            if self._around.finished is not None:
                with suppress(StorageFullError):
                    await stack.enter_async_context(self._around.finished(tenants))
            yield

    async def _tell(self, cut: Cut, tenants: Sequence[TenantId], size: int) -> None:
        self._meters.cut.labels(cut.kind).inc(cut.size_bytes)
        self._meters.newest_days.inc(cut.is_newest_day)
        told = {"kind": str(cut.kind), "before": _iso(cut.before_ms), "newest_day": cut.is_newest_day}
        say = log.error if cut.is_newest_day else log.warning
        say(
            "metrics.size_cut",
            **told,
            bytes=cut.size_bytes,
            size=format_size(size),
            limit=format_size(self.max_bytes),
            hint="raise metrics.max_size, or send less: holdfast metrics cardinality",
        )
        for tenant in tenants:
            await self._around.tell(NewEvent(SIZE_CUT.name, "metrics", told, tenant=tenant))

    async def _report_excess(self, size: int) -> None:
        is_exceeded = size > self.max_bytes
        self._meters.exceeded.set(is_exceeded)
        if is_exceeded and not self._was_exceeded:
            log.error("metrics.size_exceeded", size=format_size(size), limit=format_size(self.max_bytes))
            told = {"bytes": size, "limit_bytes": self.max_bytes}
            await self._around.tell(NewEvent(SIZE_EXCEEDED.name, "metrics", told))
        self._was_exceeded = is_exceeded

    async def keep_within(self, is_ours: Callable[[], bool]) -> None:
        """Look each minute until cancelled, and take what is too much if that is this process' to do."""
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            await (self.enforce() if is_ours() else self.size_bytes())


def _conditions(cut: Cut) -> list[tuple[Table, str]]:
    if cut.kind is Kept.RAW:
        return [*((table, f"slot < {cut.slot}") for table in _RAW), (EXEMPLARS, f"ts_ms < {cut.slot * SLOT_MS}")]
    return [(table, f"resolution_ms = {_RESOLUTIONS[cut.kind]} AND slot < {cut.slot}") for table in _SUMMED]


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()
