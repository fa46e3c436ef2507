"""`DELETE /metrics/series` deletes what selectors choose, `GET /metrics/storage` says what metrics take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.keeping.deletion import BEGINNING_MS, END_MS, Deletion
from holdfast.telemetry.metrics.keeping.size import SizeLimit
from holdfast.telemetry.metrics.keeping.storage import Storage, read_storage
from holdfast.telemetry.metrics.promql import QuerySyntaxError, parse_matchers

Reader = Annotated[Identity, Depends(requires("metrics.read"))]
Deleter = Annotated[Identity, Depends(requires("metrics.delete"))]


@dataclass(frozen=True, slots=True)
class Deleted:
    """How many series lost samples."""

    series: int


def routes(deletion: Deletion, size: SizeLimit) -> APIRouter:
    """Give the routes."""
    router = APIRouter(prefix="/metrics", tags=["metrics"])

    @router.get("/storage", operation_id="getMetricStorage")
    async def get_storage(identity: Reader) -> Storage:
        """Say what all metrics take on the disk and may take, and about what of it is the tenant's."""
        return await read_storage(size, identity.tenant)

    @router.delete("/series", operation_id="deleteSeries")
    async def delete_series(
        identity: Deleter,
        match: Annotated[list[str], Query(min_length=1, max_length=100)],
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Deleted:
        """Delete the samples from start to end (all if not given) of the series that any selector matches."""
        try:
            selectors = [parse_matchers(one) for one in match]
        except QuerySyntaxError as error:
            raise InvalidError(f"match is no selector: {error}", hint='such as up{job="web"}') from error
        first = BEGINNING_MS if start is None else round(start.timestamp() * 1000)
        last = END_MS if end is None else round(end.timestamp() * 1000)
        return Deleted(await deletion.delete(identity.tenant, selectors, first, last))

    return router
