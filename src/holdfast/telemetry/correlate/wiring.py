"""Joins the search around a moment to the app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import Counter, Histogram

from holdfast.kernel.permissions import Permission, Role
from holdfast.kernel.wiring import Ground, Wiring
from holdfast.telemetry.correlate.engine import AroundMeters, Correlator, Sources
from holdfast.telemetry.correlate.routes import CatalogView, routes
from holdfast.telemetry.correlate.settings import AroundSettings
from holdfast.telemetry.metrics.promql import Engine

if TYPE_CHECKING:
    from holdfast.catalog import Catalog
    from holdfast.telemetry.logs.patterns import PatternsRoom
    from holdfast.telemetry.logs.wiring import LogsRoom
    from holdfast.telemetry.traces.wiring import TracesRoom
    from holdfast.telemetry.wiring import TelemetryRoom

READ = Permission("around.read", Role.VIEWER, "See what moved around a moment")


@dataclass(frozen=True, slots=True)
class AroundRoom:
    """Who answers what moved, and how it is wired."""

    correlator: Correlator
    wiring: Wiring


def wire(
    ground: Ground,
    signals: TelemetryRoom,
    logs: LogsRoom,
    patterns: PatternsRoom,
    traces: TracesRoom,
    catalog: Catalog,
) -> AroundRoom:
    """Build the room over all signals; reading them here does not count as a use of a metric."""
    view = CatalogView(lambda: catalog.entities)
    sources = Sources(
        Engine(signals.source.unnoted), signals.browser, logs.source, patterns.mining.keeping, ground.events, view
    )
    meters = AroundMeters(
        Histogram("holdfast_around_duration_seconds", "How long it took to find what moved.", registry=ground.metrics),
        Counter(
            "holdfast_around_partial_parts_total",
            "Parts of answers that are not whole, by lane.",
            ["lane"],
            registry=ground.metrics,
        ),
    )
    correlator = Correlator(sources, ground.settings[AroundSettings], ground.clock, meters)
    router = routes(correlator, traces.source, view, ground.clock, ground.metrics)
    wiring = Wiring(name="around", routers=(router,), permissions=(READ,))
    return AroundRoom(correlator, wiring)
