"""Joins telemetry to the app: its tables in the store, one sink and one source for everybody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.members import Membership
from holdfast.kernel.processes import ServerSettings
from holdfast.kernel.wiring import Ground, Job, Wiring
from holdfast.resilience import timeout
from holdfast.store import Store, StoreRoom
from holdfast.telemetry.backlog import Backlog, BacklogSettings
from holdfast.telemetry.ledger import LedgerRoom
from holdfast.telemetry.metrics import (
    EVENT_KINDS,
    SCHEMA,
    STARTING_SERIES,
    WARMED_SERIES,
    AroundSize,
    Cardinality,
    Deletion,
    KeepRules,
    MetricBrowser,
    MetricSink,
    MetricSource,
    MetricsSettings,
    Rolling,
    SeriesLimits,
    SinkSettings,
    SizeLimit,
    Usage,
    cardinality_routes,
    keeping_routes,
    permissions,
)

FORGET_EVERY_S: Final = 300.0
START_S: Final = 1.5


class ReadingAhead:
    """Reads what first queries ask for: while the process starts if it is little, and on as a job after that."""

    def __init__(self, source: MetricSource, store: Store) -> None:
        self._source = source
        self._store = store
        self._is_done = False

    async def start(self) -> None:
        """Read for `START_S` at most; of a large or ailing store the job reads later, and tells of failures."""
        with suppress(TimeoutError, HoldfastError):
            async with timeout(START_S):
                await self._read(STARTING_SERIES)

    async def finish(self) -> None:
        """Read what is not read yet."""
        if not self._is_done:
            await self._read(WARMED_SERIES)

    async def _read(self, most_series: int) -> None:
        self._is_done = await self._source.warm(DEFAULT_TENANT, most_series)
        if self._is_done:
            await self._store.trim()


@dataclass(frozen=True, slots=True)
class TelemetryRoom:
    """Where samples go in and come out; `backlog` bounds what waits at all doors, `ledger` counts what comes."""

    sink: MetricSink
    source: MetricSource
    browser: MetricBrowser
    cardinality: Cardinality
    deletion: Deletion
    backlog: Backlog
    ledger: LedgerRoom
    wiring: Wiring


def wire(ground: Ground, columns: StoreRoom, members: Membership, ledger: LedgerRoom) -> TelemetryRoom:
    """Build the room over the store."""
    settings, store, clock = ground.settings[MetricsSettings], columns.store, ground.clock
    limits, usage = SeriesLimits(settings, clock, ground.metrics), Usage(store, clock)
    sink = MetricSink(
        store,
        clock=clock,
        metrics=ground.metrics,
        settings=SinkSettings(keeping=settings),
        admission=limits,
        keep_s=KeepRules(settings.keep, store).seconds,
        ledger=ledger.ledger,
    )
    source = MetricSource(store, clock=clock, feed=sink.feed, usage=usage, settings=settings, metrics=ground.metrics)
    cardinality, deletion = Cardinality(store, sink, limits, usage, clock), Deletion(store, sink, source)
    rolling = Rolling(store, source.rolled, settings.rollups, clock, ground.metrics)

    async def tell(event: NewEvent) -> None:
        await ground.db.write(lambda tx: ground.events.append(tx, event))

    finished = rolling.finished if settings.rollups.enabled else None
    around = AroundSize(finished, source.reader.forget, deletion.forget, tell)
    size = SizeLimit(store, source.cuts, clock, settings.max_size, around, ground.metrics)

    @asynccontextmanager
    async def registered() -> AsyncIterator[None]:
        await store.register(SCHEMA)
        if "api" in ground.settings[ServerSettings].roles:
            await reading_ahead.start()
        try:
            yield
        finally:
            await usage.write()
            await sink.close()

    async def forget_idle() -> None:
        while True:
            await clock.sleep(FORGET_EVERY_S)
            sink.forget_idle()

    reading_ahead = ReadingAhead(source, store)

    jobs = [
        Job("telemetry.forget_idle", forget_idle, "ingest"),
        Job("telemetry.warm", reading_ahead.finish, "api"),
        Job("telemetry.keep_within_size", lambda: size.keep_within(lambda: members.owns("metrics.size")), "ingest"),
        Job("telemetry.note_usage", usage.keep_written, "api"),
    ]
    if settings.rollups.enabled:
        jobs.append(Job("telemetry.roll_up", lambda: rolling.keep_rolled(sink.books, members.owns), "ingest"))
    wiring = Wiring(
        name="telemetry",
        lifespan=registered,
        routers=(cardinality_routes(cardinality), keeping_routes(deletion, size)),
        permissions=(permissions.DELETE,),
        event_kinds=EVENT_KINDS,
        jobs=tuple(jobs),
    )
    backlog = Backlog(ground.settings[BacklogSettings], ground.metrics)
    browser = MetricBrowser(store, source.index)
    return TelemetryRoom(sink, source, browser, cardinality, deletion, backlog, ledger, wiring)
