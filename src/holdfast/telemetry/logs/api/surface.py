"""The router of `/loki/api/v1`: what its parts serve, put together; hidden from our own OpenAPI document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from fastapi import APIRouter

from holdfast.telemetry.logs.api.envelope import LokiRoute

PREFIX: Final = "/loki/api/v1"


class Part(Protocol):
    """Some routes that belong together."""

    def add_to(self, router: APIRouter) -> None:
        """Put them on the router; paths are below `/loki/api/v1`."""
        ...


def surface(parts: Sequence[Part]) -> APIRouter:
    """Build the router."""
    router = APIRouter(prefix=PREFIX, route_class=LokiRoute, include_in_schema=False)
    for part in parts:
        part.add_to(router)
    return router
