"""Joins telemetry to the app: its tables in the store, one sink and one source for everybody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from holdfast.kernel.events import NewEvent
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.wiring import Ground, Job, Wiring
from holdfast.store import StoreRoom
from holdfast.telemetry.metrics import (
    EVENT_KINDS,
    SCHEMA,
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
WARM_AFTER_S: Final = 2.0  # starting up goes first


@dataclass(frozen=True, slots=True)
class TelemetryRoom:
    """Where samples go in and come out."""

    sink: MetricSink
    source: MetricSource
    browser: MetricBrowser
    cardinality: Cardinality
    deletion: Deletion
    wiring: Wiring


def wire(ground: Ground, columns: StoreRoom) -> TelemetryRoom:
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
    )
    source = MetricSource(store, clock=clock, feed=sink.feed, usage=usage, settings=settings)
    cardinality = Cardinality(store, sink, limits, usage, clock)

    deletion = Deletion(store, sink, source)
    rolling = Rolling(store, source.rolled, settings.rollups, clock, ground.metrics)

    async def tell(event: NewEvent) -> None:
        await ground.db.write(lambda tx: ground.events.append(tx, event))

    finished = rolling.finished if settings.rollups.enabled else None
    around = AroundSize(finished, source.reader.forget, deletion.forget, tell)
    size = SizeLimit(store, source.cuts, clock, settings.max_size, around, ground.metrics)

    @asynccontextmanager
    async def registered() -> AsyncIterator[None]:
        await store.register(SCHEMA)
        try:
            yield
        finally:
            await usage.write()
            await sink.close()

    async def forget_idle() -> None:
        while True:
            await clock.sleep(FORGET_EVERY_S)
            sink.forget_idle()

    async def warm() -> None:
        await clock.sleep(WARM_AFTER_S)
        await source.warm(DEFAULT_TENANT)

    jobs = [
        Job("telemetry.forget_idle", forget_idle, "ingest"),
        Job("telemetry.warm", warm, "api"),
        Job("telemetry.keep_within_size", size.keep_within, "ingest"),
        Job("telemetry.note_usage", usage.keep_written, "api"),
    ]
    if settings.rollups.enabled:
        jobs.append(Job("telemetry.roll_up", lambda: rolling.keep_rolled(lambda: sink.books), "ingest"))
    wiring = Wiring(
        name="telemetry",
        lifespan=registered,
        routers=(cardinality_routes(cardinality), keeping_routes(deletion, size)),
        permissions=(permissions.DELETE,),
        event_kinds=EVENT_KINDS,
        jobs=tuple(jobs),
    )
    return TelemetryRoom(sink, source, MetricBrowser(store, source.index), cardinality, deletion, wiring)
