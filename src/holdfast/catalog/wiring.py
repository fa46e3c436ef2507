"""Joins the catalog to the app: its part of the ops folder, its table, its events, its routes."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.catalog.catalog import Catalog
from holdfast.catalog.events import KINDS
from holdfast.catalog.routes import routes
from holdfast.catalog.settings import CatalogSettings
from holdfast.kernel.permissions import Permission, Role
from holdfast.kernel.wiring import Ground, Job, OpsSection, Wiring

PERMISSIONS = (Permission("catalog.read", Role.VIEWER, "See services, teams and what they depend on"),)


@dataclass(frozen=True, slots=True)
class CatalogRoom:
    """The catalog and how it is wired."""

    catalog: Catalog
    wiring: Wiring


def wire(ground: Ground) -> CatalogRoom:
    """Build the room."""
    catalog = Catalog(ground.settings[CatalogSettings], ground.db, ground.events, ground.clock)
    return CatalogRoom(
        catalog,
        Wiring(
            name="catalog",
            routers=(routes(lambda: catalog.entities),),
            migrations="holdfast.catalog.migrations",
            jobs=(Job("catalog.record", catalog.keep_recorded, "evaluate"),),
            permissions=PERMISSIONS,
            event_kinds=KINDS,
            ops=OpsSection("services", catalog.prepare),
        ),
    )
