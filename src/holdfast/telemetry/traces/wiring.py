"""Joins traces to the app: their table in the store, one sink and one source for everybody, our API and Jaeger's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.kernel.wiring import Wiring
from holdfast.telemetry.otlp import Service, http_routes
from holdfast.telemetry.traces import permissions
from holdfast.telemetry.traces.api import routes
from holdfast.telemetry.traces.jaeger import JaegerApi
from holdfast.telemetry.traces.otlp import PATHS, OtlpTraces, traces_service
from holdfast.telemetry.traces.sink import TraceSink
from holdfast.telemetry.traces.source import StoredTraces
from holdfast.telemetry.traces.statistics import TraceStatistics
from holdfast.telemetry.traces.tables import SCHEMA

if TYPE_CHECKING:
    from holdfast.kernel.wiring import Ground
    from holdfast.store import StoreRoom
    from holdfast.telemetry.traces.sink import SpanScrubber


@dataclass(frozen=True, slots=True)
class TracesRoom:
    """Where spans go in and traces come out; `service` is OTLP's, for the transports that all signals share."""

    sink: TraceSink
    source: StoredTraces
    service: Service
    wiring: Wiring


def wire(ground: Ground, columns: StoreRoom, scrubber: SpanScrubber) -> TracesRoom:
    """Build the room over the store."""
    store = columns.store
    sink, source = TraceSink(store, metrics=ground.metrics, scrubber=scrubber), StoredTraces(store)
    service = traces_service(OtlpTraces(sink))

    @asynccontextmanager
    async def registered() -> AsyncIterator[None]:
        await store.register(SCHEMA)
        yield

    wiring = Wiring(
        name="telemetry.traces",
        lifespan=registered,
        routers=(routes(source, TraceStatistics(store), ground.clock),),
        surfaces=(http_routes(service, *PATHS), JaegerApi(source, ground.clock).router()),
        permissions=(permissions.READ, permissions.WRITE),
    )
    return TracesRoom(sink, source, service, wiring)
