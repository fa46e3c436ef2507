"""Joins traces to the app: their table in the store, one sink and one source for everybody, our API and Jaeger's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.kernel.ids import new_id
from holdfast.kernel.wiring import Job, Wiring
from holdfast.telemetry.ledger import Signal
from holdfast.telemetry.otlp import Service, http_routes
from holdfast.telemetry.traces import permissions
from holdfast.telemetry.traces.api import routes
from holdfast.telemetry.traces.findings import SpanCounts
from holdfast.telemetry.traces.jaeger import JaegerApi
from holdfast.telemetry.traces.otlp import PATHS, OtlpTraces, traces_service
from holdfast.telemetry.traces.red import RedFollower
from holdfast.telemetry.traces.sampling import Sampling
from holdfast.telemetry.traces.settings import TracesSettings
from holdfast.telemetry.traces.sink import TraceSink
from holdfast.telemetry.traces.source import StoredTraces
from holdfast.telemetry.traces.statistics import TraceStatistics
from holdfast.telemetry.traces.tables import SCHEMA
from holdfast.telemetry.traces.zipkin import PATHS as ZIPKIN_PATHS
from holdfast.telemetry.traces.zipkin import ZipkinRoutes

if TYPE_CHECKING:
    from holdfast.kernel.members import Membership
    from holdfast.kernel.wiring import Ground
    from holdfast.store import StoreRoom
    from holdfast.telemetry.traces.sink import SpanScrubber
    from holdfast.telemetry.wiring import TelemetryRoom


@dataclass(frozen=True, slots=True)
class TracesRoom:
    """Where spans go in and traces come out; `service` is OTLP's, for the transports that all signals share."""

    sink: TraceSink
    source: StoredTraces
    service: Service
    wiring: Wiring


def wire(
    ground: Ground,
    columns: StoreRoom,
    scrubber: SpanScrubber,
    signals: TelemetryRoom,
    members: Membership,
) -> TracesRoom:
    """Build the room over the store; metrics made from spans go to the sink of `signals`."""
    store, settings, ledger = columns.store, ground.settings[TracesSettings], signals.ledger.ledger
    sampling = Sampling(store, settings.sampling, ground.clock, metrics=ground.metrics, ledger=ledger)
    is_sampled = settings.sampling.enabled
    keep_until_s = sampling.keep_until_s if is_sampled else None
    sink = TraceSink(
        store,
        metrics=ground.metrics,
        scrubber=scrubber,
        keep_until_s=keep_until_s,
        ledger=ledger,
        clock=ground.clock,
    )
    source = StoredTraces(store)
    counted_after_s = sampling.counted_after_s if is_sampled else lambda: 0
    statistics = TraceStatistics(store, counted_after_s=counted_after_s)
    counts = SpanCounts(store, counted_after_s=counted_after_s)
    service = traces_service(OtlpTraces(sink, ledger), signals.backlog)

    # Only over a server is this process one of several that count the same operations.
    extra = {"collector_instance_id": new_id()} if store.settings.url.reveal() else {}
    follower = RedFollower(signals.sink, settings.metrics, ground.clock, metrics=ground.metrics, extra=extra)
    jobs: list[Job] = []
    if settings.metrics.enabled:
        sink.feed.follow(follower)
        jobs.append(Job("traces.write_metrics", follower.keep_written, "ingest"))
    if is_sampled:
        jobs.append(
            Job("traces.judge", lambda: sampling.keep_judged(lambda: members.owns("traces.sampling")), "ingest")
        )

    @asynccontextmanager
    async def registered() -> AsyncIterator[None]:
        await store.register(SCHEMA)
        yield
        await follower.write()

    wiring = Wiring(
        name="telemetry.traces",
        lifespan=registered,
        jobs=tuple(jobs),
        routers=(routes(source, statistics, counts, ground.clock, ground.metrics),),
        surfaces=(
            http_routes(service, *PATHS),
            ZipkinRoutes(sink, ground.clock, signals.backlog, ledger).router(),
            JaegerApi(source, ground.clock).router(),
        ),
        permissions=(permissions.READ, permissions.WRITE),
        doors=dict.fromkeys((*PATHS, *ZIPKIN_PATHS), Signal.TRACES),
    )
    return TracesRoom(sink, source, service, wiring)
