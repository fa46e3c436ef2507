"""`labels`, `label/<name>/values`, `series` of Loki's HTTP API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from holdfast.kernel.auth import Identity, requires
from holdfast.telemetry.logs.api.envelope import success
from holdfast.telemetry.logs.api.parameters import HOUR_NS, read_range
from holdfast.telemetry.logs.logql import parse_selector
from holdfast.telemetry.logs.selection import StreamScope
from holdfast.telemetry.metrics.api import Parameters

if TYPE_CHECKING:
    from holdfast.telemetry.logs.selection import RecordSource

Reader = Annotated[Identity, Depends(requires("logs.read"))]

METHODS: Final = ["GET", "POST"]
_BACK_NS: Final = 6 * HOUR_NS


@dataclass(frozen=True, slots=True)
class SeriesRoutes:
    """The handlers, over the source."""

    source: RecordSource

    def add_to(self, router: APIRouter) -> None:
        """Put them on the router."""
        router.add_api_route("/labels", self.labels, methods=METHODS)
        router.add_api_route("/label", self.labels, methods=METHODS)
        router.add_api_route("/label/{name}/values", self.values, methods=METHODS)
        router.add_api_route("/series", self.series, methods=METHODS)

    async def labels(self, request: Request, identity: Reader) -> Response:
        """Give the names of labels."""
        return success(await self.source.label_names(identity.tenant, _scope(await Parameters.of(request))))

    async def values(self, request: Request, identity: Reader, name: str) -> Response:
        """Give the values of a label."""
        scope = _scope(await Parameters.of(request))
        return success(await self.source.label_values(identity.tenant, name, scope))

    async def series(self, request: Request, identity: Reader) -> Response:
        """Give the label sets that match; all of them where nothing is to match, as Loki does."""
        scope = _scope(await Parameters.of(request))
        return success([dict(each) for each in await self.source.streams(identity.tenant, scope)])


def _scope(given: Parameters) -> StreamScope:
    span = read_range(given, back_ns=_BACK_NS)
    texts = [*given.all("match[]"), *given.all("match"), *(text for text in given.all("query") if text)]
    return StreamScope(tuple(parse_selector(text) for text in texts), span.start_ns, span.end_ns, given.count("limit"))
