"""Joins telemetry to the app: its tables in the store, one sink and one source for everybody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from holdfast.kernel.wiring import Ground, Wiring
from holdfast.store import StoreRoom
from holdfast.telemetry.metrics import SCHEMA, MetricSink, MetricSource


@dataclass(frozen=True, slots=True)
class TelemetryRoom:
    """Where samples go in and come out."""

    sink: MetricSink
    source: MetricSource
    wiring: Wiring


def wire(ground: Ground, columns: StoreRoom) -> TelemetryRoom:
    """Build the room over the store."""
    sink = MetricSink(columns.store, clock=ground.clock, metrics=ground.metrics)
    source = MetricSource(columns.store, clock=ground.clock)

    @asynccontextmanager
    async def registered() -> AsyncIterator[None]:
        await columns.store.register(SCHEMA)
        try:
            yield
        finally:
            await sink.close()

    return TelemetryRoom(sink, source, Wiring(name="telemetry", lifespan=registered))
