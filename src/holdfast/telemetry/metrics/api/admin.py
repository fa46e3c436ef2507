"""`admin/tsdb/*` of Prometheus' HTTP API: deletion; the rest says what takes its place here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.api.parameters import EARLIEST_MS, LATEST_MS, Parameters
from holdfast.telemetry.metrics.api.selectors import read_selectors

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.keeping import Deletion

Deleter = Annotated[Identity, Depends(requires("metrics.delete"))]

METHODS: Final = ["POST", "PUT"]


@dataclass(frozen=True, slots=True)
class AdminRoutes:
    """The handlers, over what deletes."""

    deletion: Deletion

    def add_to(self, router: APIRouter) -> None:
        """Put them on the router."""
        router.add_api_route("/admin/tsdb/delete_series", self.delete, methods=METHODS)
        router.add_api_route("/admin/tsdb/clean_tombstones", self.clean, methods=METHODS)
        router.add_api_route("/admin/tsdb/snapshot", self.snapshot, methods=METHODS)

    async def delete(self, request: Request, identity: Deleter) -> Response:
        """Delete samples of the series that match."""
        given = await Parameters.of(request)
        if not given.all("match[]"):
            raise InvalidError("no match[] parameter provided")
        selectors = read_selectors(given)
        start_ms, end_ms = given.time_ms("start", EARLIEST_MS), given.time_ms("end", LATEST_MS)
        if end_ms < start_ms:
            raise InvalidError('invalid parameter "end": end timestamp must not be before start time')
        await self.deletion.delete(identity.tenant, selectors, start_ms, end_ms)
        return Response(status_code=204)

    async def clean(self, _: Deleter) -> Response:
        """Do nothing: what is deleted leaves no tombstones."""
        return Response(status_code=204)

    async def snapshot(self, _: Deleter) -> Response:
        """Refuse: there are no blocks to copy."""
        raise InvalidError("there are no blocks to snapshot", hint="holdfast export writes samples to files")
