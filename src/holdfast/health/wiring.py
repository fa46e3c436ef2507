"""Joins health to the app: the ops folder's checks, its tables, jobs, events, routes and permissions."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.catalog import Catalog
from holdfast.health import events, maintenance
from holdfast.health.checking import Checking
from holdfast.health.heartbeats.routes import routes as heartbeat_routes
from holdfast.health.history.routes import routes as history_routes
from holdfast.health.kinds import find_kinds
from holdfast.health.permissions import PERMISSIONS
from holdfast.health.routes import routes
from holdfast.kernel.wiring import Ground, Job, OpsSection, Wiring
from holdfast.store import Store
from holdfast.telemetry import MetricSink


@dataclass(frozen=True, slots=True)
class HealthRoom:
    """Health and how it is wired."""

    checking: Checking
    wiring: Wiring


def wire(ground: Ground, store: Store, sink: MetricSink, catalog: Catalog) -> HealthRoom:
    """Build the room over the store, the metrics and the catalog below it."""
    checking = Checking(ground, store, sink, catalog, find_kinds())
    return HealthRoom(
        checking,
        Wiring(
            name="health",
            routers=(
                routes(checking),
                history_routes(checking.history, ground.clock),
                maintenance.routes(checking, ground.clock),
                heartbeat_routes(checking.heartbeats),
            ),
            migrations="holdfast.health.migrations",
            jobs=(
                Job("health.heartbeats", checking.heartbeats.run, "probe"),
                Job("health.schedule", checking.engine.run, "probe"),
                Job("health.record", checking.recorder.run, "probe"),
                Job("health.remember", checking.remember, "api"),
            ),
            permissions=PERMISSIONS,
            event_kinds=events.KINDS,
            ops=OpsSection("checks", checking.prepare),
            lifespan=checking.lifespan,
        ),
    )
