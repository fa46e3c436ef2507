"""Puts the HTTP app together: the rooms' routes, the middlewares around them, the console behind them.

Everything comes from wirings; no route and no permission is listed here. A route of a room that neither asks for a
permission nor says why it is public stops the start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI, Response
from fastapi.routing import iter_route_contexts

from holdfast import __version__, instrument, journal
from holdfast.kernel import auth
from holdfast.kernel.auth import Gate
from holdfast.kernel.http import problems
from holdfast.web import operations
from holdfast.web.bodies import BoundedBodies
from holdfast.web.compression import Compression
from holdfast.web.console import Console
from holdfast.web.doors import WatchedDoors
from holdfast.web.fence import Fence
from holdfast.web.json_bodies import SoundJson
from holdfast.web.lanes import Lanes
from holdfast.web.openapi import describe_api, write_document
from holdfast.web.safety import KnownHosts, SafeHeaders
from holdfast.web.settings import WebSettings
from holdfast.web.standing import stand
from holdfast.web.streams import EndableStreams

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from holdfast.kernel.wiring import Wiring
    from holdfast.telemetry import RefusedAtDoors
    from holdfast.web.asgi import AsgiApp, Receive, Scope, Send

PREFIX: Final = "/api/v1"


@dataclass(frozen=True, slots=True)
class WebApp:
    """The app as ASGI servers and tests call it."""

    asgi: AsgiApp
    api: FastAPI
    streams: EndableStreams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self.asgi(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """Give the OpenAPI document."""
        return self.api.openapi()

    def openapi_text(self) -> str:
        """Give the document as the committed file holds it."""
        return write_document(self.openapi())


def build_app(
    wirings: Sequence[Wiring],
    *,
    gate: Gate,
    registry: CollectorRegistry,
    settings: WebSettings | None = None,
    hosts: frozenset[str] = frozenset(),
    console: AsgiApp | None = None,
    refused: RefusedAtDoors | None = None,
) -> WebApp:
    """Build the HTTP app.

    Args:
        wirings: of all rooms; their routers stand below `/api/v1`.
        gate: who decides about access.
        registry: whose metrics `/metrics` shows, and where request metrics go.
        settings: of the server.
        hosts: the only names to answer to; empty for all.
        console: what answers outside the API; the built console by default.
        refused: is told of requests that bring signals and were refused.
    """
    settings = settings or WebSettings()
    api = FastAPI(title="Holdfast", version=__version__, openapi_url=None, docs_url=None, redoc_url=None)
    api.router.redirect_slashes = False
    problems.install(api, journal.correlation_id)
    auth.install(api, gate)
    gate.book.declare(permission for wiring in wirings for permission in wiring.permissions)
    for wiring in wirings:
        for router in wiring.routers:
            stand(api, router, PREFIX)
        for surface in wiring.surfaces:
            stand(api, surface)
    stand(api, operations.routes(wirings, registry, gate, is_public=settings.public_metrics))
    _refuse_unguarded(api, wirings)
    _serve_document(api)
    api.router.default = console or Console()
    doors = {path for wiring in wirings for path in wiring.doors}
    bodies = BoundedBodies(SoundJson(Lanes(api), prefix=f"{PREFIX}/", doors=doors), limit=settings.max_body)
    streams = EndableStreams(bodies)

    def is_told(path: str) -> bool:
        return path.startswith(f"{PREFIX}/") and path not in doors

    guarded: AsgiApp = KnownHosts(Compression(streams), hosts)
    fence: AsgiApp = Fence(SafeHeaders(guarded), most_at_once=settings.max_requests, is_told=is_told)
    if refused is not None:
        fence = WatchedDoors(fence, refused)
    asgi = instrument.AsgiMiddleware(fence, service="holdfast", registry=registry)
    return WebApp(asgi, api, streams)


def _serve_document(api: FastAPI) -> None:
    """Serve the document, which is made when it is first asked for: it takes as long as a sixth of the start."""

    @cache
    def document() -> dict[str, Any]:
        return describe_api(api)

    @cache
    def text() -> bytes:
        return write_document(document()).encode()

    api.openapi = document  # type: ignore[method-assign]  # the hook that FastAPI documents

    async def openapi() -> Response:
        """Give the OpenAPI document."""
        return Response(await asyncio.to_thread(text), media_type="application/json")

    api.add_api_route(f"{PREFIX}/openapi.json", openapi, include_in_schema=False)


def _refuse_unguarded(api: FastAPI, wirings: Sequence[Wiring]) -> None:
    declared = {permission.name for wiring in wirings for permission in wiring.permissions}
    surfaces = {
        id(context.original_route)
        for wiring in wirings
        for surface in wiring.surfaces
        for context in iter_route_contexts(surface.routes)
    }
    faults = []
    for route in iter_route_contexts(api.routes):
        if not (route.path or "").startswith(PREFIX) and id(route.original_route) not in surfaces:
            continue
        asked, is_public = auth.guards(route.original_route)
        if not asked and not is_public:
            faults.append(
                f"{route.path} asks for no permission: give it Depends(requires(...)) or Depends(public(...))"
            )
        faults += [f"{route.path} asks for {name!r}, which no room declares" for name in sorted(asked - declared)]
    if faults:
        raise RuntimeError("the routes are not guarded:\n" + "\n".join(faults))
