"""`GET /logs/usage` says what logs take, by day and service or stream, and what they may take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Query

from holdfast.kernel.auth import Identity, requires
from holdfast.telemetry.logs.keeping.days import days_asked
from holdfast.telemetry.logs.keeping.usage import LogUse, read_usage, today

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock
    from holdfast.store import Store
    from holdfast.telemetry.logs.keeping.size import LogSizeLimit

Reader = Annotated[Identity, Depends(requires("logs.read"))]


@dataclass(frozen=True, slots=True)
class LogUsage:
    """What all logs of all tenants take on the disk and may take, and what the tenant's take by day."""

    bytes: int
    limit_bytes: int | None
    uses: Sequence[LogUse]


def keeping_routes(store: Store, clock: Clock, size: LogSizeLimit) -> APIRouter:
    """Give the routes."""
    router = APIRouter(prefix="/logs", tags=["logs"])

    @router.get("/usage", operation_id="getLogUsage")
    async def get_log_usage(
        identity: Reader,
        start: date | None = None,
        end: date | None = None,
        by: Annotated[str, Query(max_length=200)] = "service_name",
    ) -> LogUsage:
        """Say what is kept of each day (the last 7 if not given), by the values of a label, or by stream."""
        first, last = days_asked(start, end, today(clock.now()))
        uses = await read_usage(store, identity.tenant, first, last, by)
        return LogUsage(await size.size_bytes(), size.max_bytes or None, uses)

    return router
