"""`status/buildinfo` of Loki's HTTP API: what clients ask before they ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

import holdfast
from holdfast.kernel.auth import Identity, requires
from holdfast.telemetry.logs.api.envelope import plain

Reader = Annotated[Identity, Depends(requires("logs.read"))]
SPEAKS: Final = "3.5.0"  # the Loki whose API this is; Grafana turns features on by it


@dataclass(frozen=True, slots=True)
class StatusRoutes:
    """The handlers."""

    def add_to(self, router: APIRouter) -> None:
        """Put them on the router."""
        router.add_api_route("/status/buildinfo", self.build, methods=["GET"])

    async def build(self, request: Request, identity: Reader) -> Response:
        """Tell the version of Loki whose API this is."""
        del request, identity
        return plain(
            {
                "version": SPEAKS,
                "revision": holdfast.__version__,
                "branch": "holdfast",
                "buildUser": "",
                "buildDate": "",
                "goVersion": "",
            }
        )
