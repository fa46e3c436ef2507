"""Joins logs to the app: their tables in the store, one sink and one source for everybody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from holdfast.kernel.events import NewEvent
from holdfast.kernel.members import Membership
from holdfast.kernel.wiring import Ground, Job, Wiring
from holdfast.store import StoreRoom
from holdfast.telemetry.ledger import Notes
from holdfast.telemetry.logs import permissions
from holdfast.telemetry.logs.hooks import Scrubber
from holdfast.telemetry.logs.keeping import READS_SCHEMA, SIZE_CUT, LogReads, LogSizeLimit, keeping_routes
from holdfast.telemetry.logs.limits import LogLimitSettings, LogQuota, limit_routes
from holdfast.telemetry.logs.settings import LogsSettings
from holdfast.telemetry.logs.sink import LogSink
from holdfast.telemetry.logs.source import LogSource
from holdfast.telemetry.logs.tables import SCHEMA, STREAM
from holdfast.telemetry.metrics import KeepRules

FORGET_EVERY_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class LogsRoom:
    """Where log records go in and come out."""

    sink: LogSink
    source: LogSource
    reads: LogReads
    quota: LogQuota
    is_shared: bool
    wiring: Wiring


def wire(ground: Ground, columns: StoreRoom, scrubber: Scrubber, members: Membership, ledger: Notes) -> LogsRoom:
    """Build the room over the store."""
    settings, store, clock = ground.settings[LogsSettings], columns.store, ground.clock
    reads = LogReads(store, clock, ground.metrics)
    source = LogSource(store, clock=clock, reads=reads)
    quota = LogQuota(ground.settings[LogLimitSettings], clock, ground.metrics)
    sink = LogSink(
        store,
        clock=clock,
        metrics=ground.metrics,
        settings=settings,
        scrubber=scrubber,
        quota=quota,
        keep_s=KeepRules(settings.keep, store, stream=STREAM, section="logs").seconds,
        watches=(source.directory,),
        ledger=ledger,
    )

    async def tell(event: NewEvent) -> None:
        await ground.db.write(lambda tx: ground.events.append(tx, event))

    size = LogSizeLimit(store, clock, settings.max_size, tell, ground.metrics)

    @asynccontextmanager
    async def registered() -> AsyncIterator[None]:
        await store.register(SCHEMA, READS_SCHEMA)
        try:
            yield
        finally:
            await reads.write()

    async def forget_idle() -> None:
        while True:
            await clock.sleep(FORGET_EVERY_S)
            sink.forget_idle()

    wiring = Wiring(
        name="logs",
        routers=(limit_routes(quota), keeping_routes(store, clock, size)),
        lifespan=registered,
        event_kinds=(SIZE_CUT,),
        permissions=(permissions.READ, permissions.WRITE),
        jobs=(
            Job("logs.forget_idle", forget_idle, "ingest"),
            Job("logs.note_reads", reads.keep_written, "api"),
            Job("logs.keep_within_size", lambda: size.keep_within(lambda: members.owns("logs.size")), "ingest"),
        ),
    )
    return LogsRoom(sink, source, reads, quota, store.is_shared, wiring)
