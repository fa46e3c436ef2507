"""Joins saved searches to the app: their table, routes, permissions and events."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.kernel.wiring import Ground, Wiring
from holdfast.telemetry.searches.events import KINDS
from holdfast.telemetry.searches.permissions import READ, SHARE, WRITE
from holdfast.telemetry.searches.routes import routes
from holdfast.telemetry.searches.shelf import SearchShelf


@dataclass(frozen=True, slots=True)
class SearchRoom:
    """The shelf and how it is wired."""

    shelf: SearchShelf
    wiring: Wiring


def wire(ground: Ground) -> SearchRoom:
    """Build the room."""
    shelf = SearchShelf(ground.db, ground.events, ground.clock)
    wiring = Wiring(
        name="searches",
        routers=(routes(shelf, ground.metrics),),
        migrations="holdfast.telemetry.searches.migrations",
        permissions=(READ, SHARE, WRITE),
        event_kinds=KINDS,
    )
    return SearchRoom(shelf, wiring)
