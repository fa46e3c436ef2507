"""The router of `/prometheus/api/v1`: what its parts serve, put together; hidden from our own OpenAPI document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from fastapi import APIRouter, Depends, Response

from holdfast.kernel.auth import public
from holdfast.telemetry.metrics.api.envelope import PreflightRoute, route_class
from holdfast.telemetry.metrics.api.origins import Origins, preflight

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.api.federation import Federation

PREFIX: Final = "/prometheus"


class Part(Protocol):
    """Some routes that belong together."""

    def add_to(self, router: APIRouter) -> None:
        """Put them on the router; paths are below `/api/v1`."""
        ...


def surface(parts: Sequence[Part], origins: Origins, federation: Federation | None = None) -> APIRouter:
    """Build the router; pages of `origins` may read."""
    router = APIRouter(prefix=f"{PREFIX}/api/v1", route_class=route_class(origins), include_in_schema=False)
    for part in parts:
        part.add_to(router)
    asks_nothing = Depends(public("a browser asks before it asks, and is told only which pages may read"))
    router.add_api_route(
        "/{path:path}",
        preflight,
        methods=["OPTIONS"],
        dependencies=[asks_nothing],
        route_class_override=route_class(origins, PreflightRoute),
    )
    whole = APIRouter(include_in_schema=False)
    whole.routes.extend(router.routes)  # as they are: to include a router makes each route anew
    if federation is not None:
        errors = route_class(origins)
        whole.add_api_route(f"{PREFIX}/federate", federation.federate, methods=["GET"], route_class_override=errors)
    for path, text in (
        ("/-/healthy", "Prometheus Server is Healthy.\n"),
        ("/-/ready", "Prometheus Server is Ready.\n"),
    ):
        whole.add_api_route(
            f"{PREFIX}{path}",
            _say(text),
            methods=["GET", "HEAD"],
            dependencies=[Depends(public("it says only that somebody answers"))],
        )
    return whole


def _say(text: str) -> Callable[[], Awaitable[Response]]:
    async def answer() -> Response:
        return Response(text, media_type="text/plain")

    return answer
