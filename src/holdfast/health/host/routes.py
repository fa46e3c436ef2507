"""`GET /host` and `GET /host/series`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime

from holdfast.health.host.sampler import HostSampler
from holdfast.health.host.series import HostHistory, HostMetric, HostSeriesOut
from holdfast.health.host.shapes import HostOut, show_host
from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.clock import Clock

Reader = Annotated[Identity, Depends(requires("health.read"))]


def routes(sampler: HostSampler, history: HostHistory, clock: Clock) -> APIRouter:
    """Build the router."""
    router = APIRouter(tags=["host"])

    @router.get("/host", operation_id="getHost")
    async def get_host(_identity: Reader) -> HostOut:
        """Give the machine that Holdfast runs on, as it was measured last."""
        return show_host(sampler.latest)

    @router.get("/host/series", operation_id="getHostSeries")
    async def get_host_series(
        *,
        _identity: Reader,
        metric: HostMetric,
        start: Annotated[AwareDatetime | None, Query(description="An hour before `end` without it.")] = None,
        end: Annotated[AwareDatetime | None, Query(description="Now without it.")] = None,
        step_s: Annotated[float | None, Query(gt=0, le=86_400)] = None,
    ) -> HostSeriesOut:
        """Give a chart of the host's past."""
        until: datetime = end or clock.now()
        since: datetime = start or until - timedelta(hours=1)
        return await history.chart(metric, sampler.latest.hostname, since, until, step_s)

    return router
