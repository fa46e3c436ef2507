"""Joins telemetry to the app: its tables in the store, one sink and one source for everybody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from holdfast.kernel.wiring import Ground, Job, Wiring
from holdfast.store import StoreRoom
from holdfast.telemetry.metrics import SCHEMA, MetricBrowser, MetricSink, MetricSource, MetricsSettings, SinkSettings

FORGET_EVERY_S = 300.0


@dataclass(frozen=True, slots=True)
class TelemetryRoom:
    """Where samples go in and come out."""

    sink: MetricSink
    source: MetricSource
    browser: MetricBrowser
    wiring: Wiring


def wire(ground: Ground, columns: StoreRoom) -> TelemetryRoom:
    """Build the room over the store."""
    settings = ground.settings[MetricsSettings]
    sink = MetricSink(
        columns.store, clock=ground.clock, metrics=ground.metrics, settings=SinkSettings(keeping=settings)
    )
    source = MetricSource(columns.store, clock=ground.clock, feed=sink.feed, settings=settings)

    @asynccontextmanager
    async def registered() -> AsyncIterator[None]:
        await columns.store.register(SCHEMA)
        try:
            yield
        finally:
            await sink.close()

    async def forget_idle() -> None:
        while True:
            await ground.clock.sleep(FORGET_EVERY_S)
            sink.forget_idle()

    jobs = (Job("telemetry.forget_idle", forget_idle, "ingest"),)
    wiring = Wiring(name="telemetry", lifespan=registered, jobs=jobs)
    return TelemetryRoom(sink, source, MetricBrowser(columns.store, source.index), wiring)
