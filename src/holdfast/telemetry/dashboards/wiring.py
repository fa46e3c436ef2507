"""Joins dashboards to the app: their tables, routes, events and part of the ops folder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from holdfast.kernel.permissions import Permission, Role
from holdfast.kernel.wiring import Ground, OpsSection, Wiring
from holdfast.telemetry.dashboards.events import KINDS
from holdfast.telemetry.dashboards.files import prepare
from holdfast.telemetry.dashboards.routes import routes
from holdfast.telemetry.dashboards.shelf import Shelf
from holdfast.telemetry.dashboards.uses import DashboardUses
from holdfast.telemetry.metrics import Cardinality

PERMISSIONS = (
    Permission("dashboards.read", Role.VIEWER, "See dashboards"),
    Permission("dashboards.write", Role.RESPONDER, "Make, change and delete dashboards"),
)


@dataclass(frozen=True, slots=True)
class DashboardRoom:
    """The shelf and how it is wired."""

    shelf: Shelf
    wiring: Wiring


def wire(ground: Ground, cardinality: Cardinality) -> DashboardRoom:
    """Build the room; `cardinality` hears which metrics dashboards name."""
    shelf = Shelf(ground.db, ground.events, ground.clock)
    cardinality.consider(DashboardUses(shelf))
    return DashboardRoom(
        shelf,
        Wiring(
            name="dashboards",
            routers=(routes(shelf),),
            migrations="holdfast.telemetry.dashboards.migrations",
            permissions=PERMISSIONS,
            event_kinds=KINDS,
            ops=OpsSection("dashboards", partial(prepare, shelf)),
        ),
    )
