"""The router of `/prometheus/api/v1`: what its parts serve, put together; hidden from our own OpenAPI document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from fastapi import APIRouter, Depends, Response

from holdfast.kernel.auth import public
from holdfast.telemetry.metrics.api.envelope import PrometheusRoute

PREFIX: Final = "/prometheus"


class Part(Protocol):
    """Some routes that belong together."""

    def add_to(self, router: APIRouter) -> None:
        """Put them on the router; paths are below `/api/v1`."""
        ...


def surface(parts: Sequence[Part]) -> APIRouter:
    """Build the router."""
    router = APIRouter(prefix=f"{PREFIX}/api/v1", route_class=PrometheusRoute, include_in_schema=False)
    for part in parts:
        part.add_to(router)
    whole = APIRouter(include_in_schema=False)
    whole.include_router(router)
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
