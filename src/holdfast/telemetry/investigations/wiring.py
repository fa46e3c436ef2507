"""Joins investigations to the app: their tables, routes, permissions and events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.kernel.wiring import Ground, Wiring
from holdfast.telemetry.investigations.events import KINDS
from holdfast.telemetry.investigations.evidence import Witness
from holdfast.telemetry.investigations.notebook import Notebook
from holdfast.telemetry.investigations.permissions import READ, WRITE
from holdfast.telemetry.investigations.routes import routes

if TYPE_CHECKING:
    from holdfast.telemetry.logs.api import LogQueryRoom
    from holdfast.telemetry.metrics.api import QueryRoom
    from holdfast.telemetry.traces.wiring import TracesRoom


@dataclass(frozen=True, slots=True)
class InvestigationRoom:
    """The notebook and how it is wired."""

    notebook: Notebook
    wiring: Wiring


def wire(ground: Ground, queries: QueryRoom, log_queries: LogQueryRoom, traces: TracesRoom) -> InvestigationRoom:
    """Build the room over whoever answers queries."""
    notebook = Notebook(ground.db, ground.events, ground.clock)
    witness = Witness(queries.desk, log_queries.engine, traces.source, ground.clock)
    wiring = Wiring(
        name="investigations",
        routers=(routes(notebook, witness, ground.metrics),),
        migrations="holdfast.telemetry.investigations.migrations",
        permissions=(READ, WRITE),
        event_kinds=KINDS,
    )
    return InvestigationRoom(notebook, wiring)
