"""`/metrics/cardinality`: where series come from and who sends too many."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from holdfast.kernel.auth import Identity, requires
from holdfast.telemetry.metrics.cardinality.report import Cardinality, CardinalityReport

Reader = Annotated[Identity, Depends(requires("metrics.read"))]


def routes(cardinality: Cardinality) -> APIRouter:
    """Give the routes."""
    router = APIRouter(prefix="/metrics", tags=["metrics"])

    @router.get("/cardinality", operation_id="getCardinality")
    async def get_cardinality(identity: Reader, top: Annotated[int, Query(ge=1, le=1000)] = 20) -> CardinalityReport:
        """Say which metrics, labels and senders make the series, which are refused, and which metrics nobody uses."""
        return await cardinality.report(identity.tenant, top)

    return router
