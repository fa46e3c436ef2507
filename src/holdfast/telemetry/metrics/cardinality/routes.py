"""`/metrics/cardinality`: where series come from, who sends too many, and how they grow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime

from holdfast.kernel.auth import Identity, requires
from holdfast.telemetry.metrics.cardinality.counts import CardinalityReport
from holdfast.telemetry.metrics.cardinality.growth import GrowthPoint, Window
from holdfast.telemetry.metrics.cardinality.makeup import MetricMakeup
from holdfast.telemetry.metrics.cardinality.report import Cardinality

Reader = Annotated[Identity, Depends(requires("metrics.read"))]
Top = Annotated[int, Query(ge=1, le=1000)]


@dataclass(frozen=True, slots=True)
class SeriesGrowth:
    """Series over time, the oldest point first."""

    points: tuple[GrowthPoint, ...]


def routes(cardinality: Cardinality) -> APIRouter:
    """Give the routes."""
    router = APIRouter(prefix="/metrics", tags=["metrics"])

    @router.get("/cardinality", operation_id="getCardinality")
    async def get_cardinality(identity: Reader, top: Top = 20) -> CardinalityReport:
        """Say which metrics, labels and senders make the series, which are refused, and which metrics nobody uses."""
        return await cardinality.report(identity.tenant, top)

    @router.get("/cardinality/growth", operation_id="getSeriesGrowth")
    async def get_growth(
        identity: Reader,
        start: AwareDatetime,
        end: AwareDatetime,
        step_s: Annotated[float, Query(ge=1, le=86_400 * 30)],
        metric: str = "",
    ) -> SeriesGrowth:
        """Count the series that lived at each time, and the new ones; those of one metric if it is named.

        A series that has ended is counted up to an hour longer.
        """
        window = Window(start, end, timedelta(seconds=step_s))
        return SeriesGrowth(await cardinality.growth(identity.tenant, window, metric))

    @router.get("/cardinality/makeup", operation_id="getMetricMakeup")
    async def get_makeup(identity: Reader, metric: Annotated[str, Query(min_length=1)], top: Top = 20) -> MetricMakeup:
        """Say who sends the active series of a metric, and which labels with which values make them."""
        return await cardinality.makeup(identity.tenant, metric, top)

    return router
