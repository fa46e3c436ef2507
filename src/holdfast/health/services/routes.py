"""`/services`, `/services/{name}`, `/services/graph` and `/teams`: the catalog joined with what checks say.

The catalog and the checks of a process belong to one tenant; another one sees none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from holdfast.catalog import Entities
from holdfast.health.services.shapes import GraphOut, ServiceDetail, ServiceList, TeamList
from holdfast.health.services.teams import list_teams
from holdfast.health.services.views import ServiceFilter, Views
from holdfast.health.verdict import Verdict
from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import NotFoundError
from holdfast.kernel.ids import DEFAULT_TENANT

Reader = Annotated[Identity, Depends(requires("health.read"))]
Word = Annotated[str, Query(max_length=200)]


def routes(views: Views, entities: Callable[[], Entities], clock: Clock) -> APIRouter:
    """Build the router over `views`."""
    router = APIRouter(tags=["services"])

    @router.get("/services", operation_id="listServices")
    async def list_services(
        *,
        identity: Reader,
        q: Annotated[str, Query(max_length=200, description="A part of the name or title.")] = "",
        owner: Word = "",
        system: Word = "",
        tier: Word = "",
        health: Verdict | None = None,
    ) -> ServiceList:
        """List services by name, each with its health, why, and its uptime."""
        if identity.tenant != DEFAULT_TENANT:
            return ServiceList([])
        return ServiceList(views.summaries(clock.now(), ServiceFilter(q, owner, system, tier, health)))

    @router.get("/services/graph", operation_id="getServiceGraph")
    async def get_service_graph(
        identity: Reader,
        service: Annotated[str, Query(max_length=200, description="Only what this service reaches.")] = "",
    ) -> GraphOut:
        """Give services and what they need."""
        if identity.tenant != DEFAULT_TENANT:
            return GraphOut([], [])
        return views.graph(clock.now(), service)

    @router.get("/services/{name:path}", operation_id="getService")
    async def get_service(
        identity: Reader,
        name: Annotated[str, Path(max_length=200, description="Its name, with its namespace if it has one.")],
    ) -> ServiceDetail:
        """Give all that is known of one service."""
        if identity.tenant != DEFAULT_TENANT:
            raise NotFoundError(f"there is no service {name!r}")
        return await views.detail(name, clock.now())

    @router.get("/teams", operation_id="listTeams")
    async def list_all_teams(identity: Reader) -> TeamList:
        """List teams by name, each with its people and services."""
        if identity.tenant != DEFAULT_TENANT:
            return TeamList([])
        return TeamList(list_teams(entities(), views.healths()))

    return router
