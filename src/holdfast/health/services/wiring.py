"""Joins service health to the app, over the catalog and over where checks stand."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.catalog import Catalog, Entities
from holdfast.health.services.board import Board
from holdfast.health.services.chronicle import Chronicle
from holdfast.health.services.events import KINDS
from holdfast.health.services.routes import routes
from holdfast.health.services.sources import Checks
from holdfast.health.services.views import Views
from holdfast.kernel.wiring import Ground, Job, Wiring


@dataclass(frozen=True, slots=True)
class Services:
    """Service health and how it is wired."""

    board: Board
    wiring: Wiring


def wire(ground: Ground, catalog: Catalog, checks: Checks) -> Services:
    """Build service health.

    Args:
        ground: what every room stands on.
        catalog: which services there are.
        checks: where checks stand.
    """

    def entities() -> Entities:
        return catalog.entities

    chronicle = Chronicle(ground.db, ground.events, ground.clock)
    board = Board(entities, checks, chronicle, ground.clock, ground.events.wake)
    views = Views(board, entities, checks)
    return Services(
        board,
        Wiring(
            name="services",
            routers=(routes(views, entities, ground.clock),),
            migrations="holdfast.health.services.migrations",
            jobs=(Job("services.settle", board.run, "probe"),),
            event_kinds=KINDS,
        ),
    )
