"""Joins versions of services to the app: they are heard in all three sinks, and written down by jobs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.kernel.wiring import Ground, Job, Wiring
from holdfast.telemetry.versions.book import VersionBook
from holdfast.telemetry.versions.events import KINDS
from holdfast.telemetry.versions.hearing import Listener
from holdfast.telemetry.versions.permissions import READ, RECORD
from holdfast.telemetry.versions.routes import routes
from holdfast.telemetry.versions.settings import VersionsSettings
from holdfast.telemetry.versions.telling import Teller

if TYPE_CHECKING:
    from holdfast.kernel.members import Membership
    from holdfast.telemetry.logs.wiring import LogsRoom
    from holdfast.telemetry.traces.wiring import TracesRoom
    from holdfast.telemetry.wiring import TelemetryRoom

EVERY_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class VersionsRoom:
    """The book and how it is wired."""

    book: VersionBook
    wiring: Wiring


def wire(
    ground: Ground, signals: TelemetryRoom, logs: LogsRoom, traces: TracesRoom, members: Membership
) -> VersionsRoom:
    """Build the room over the sinks."""
    settings, clock = ground.settings[VersionsSettings], ground.clock
    book = VersionBook(ground.db, Teller(ground.events, ground.metrics), clock, settings)
    listener = Listener(settings, clock, ground.metrics)
    if settings.enabled:
        traces.sink.feed.follow(listener)
        logs.sink.feed.follow(listener)
        signals.sink.feed.follow_series(listener.series_announced)
        signals.sink.feed.follow_samples(listener.samples_stored)

    async def note() -> None:
        heard = listener.take()
        try:
            await book.note(heard)
        except BaseException:
            listener.put_back(heard)
            raise

    async def keep_noted() -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S):  # its end is no fault, and not worth a warning
                    await listener.wake.wait()
            await asyncio.shield(note())

    async def keep_settled() -> None:
        while True:
            await clock.sleep(EVERY_S)
            if members.owns("versions.settle"):
                await book.settle()

    @asynccontextmanager
    async def listening() -> AsyncIterator[None]:
        yield
        await note()

    jobs = (Job("versions.note", keep_noted, "ingest"), Job("versions.settle", keep_settled, "ingest"))
    wiring = Wiring(
        name="versions",
        lifespan=listening,
        routers=(routes(book),),
        migrations="holdfast.telemetry.versions.migrations",
        jobs=jobs if settings.enabled else (),
        permissions=(READ, RECORD),
        event_kinds=KINDS,
    )
    return VersionsRoom(book, wiring)
