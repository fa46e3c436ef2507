"""Who keeps and reads how much and what it costs, what came in and was left out, and what the store is made of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Query

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.errors import InvalidError
from holdfast.kernel.units import parse_duration
from holdfast.telemetry.logs.keeping import days_asked, today
from holdfast.telemetry.usage.documents import LimitUse, StorageReport, UsageReport
from holdfast.telemetry.usage.intake import LONGEST, Asked, Intake
from holdfast.telemetry.usage.storage import Stored, read_storage

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.usage.intake import IntakeReports
    from holdfast.telemetry.usage.report import UsageReports

Reader = Annotated[Identity, Depends(requires("logs.read"))]
Operator = Annotated[Identity, Depends(requires("server.read"))]
Limits = Callable[["TenantId"], Awaitable[Sequence[LimitUse]]]


def usage_routes(
    reports: UsageReports, intake: IntakeReports, stored: Stored, limits: Limits, clock: Clock
) -> APIRouter:
    """Give the routes."""
    router = APIRouter(tags=["usage"])

    @router.get("/usage", operation_id="getUsage")
    async def get_usage(identity: Reader, start: date | None = None, end: date | None = None) -> UsageReport:
        """Say what the tenant keeps and has read by service and stream, over some days (the last 7 if not given)."""
        first, last = days_asked(start, end, today(clock.now()))
        return await reports.read(identity.tenant, first, last, await limits(identity.tenant))

    @router.get("/usage/intake", operation_id="getIntake")
    async def get_intake(
        identity: Reader,
        since: Annotated[str, Query(max_length=20, description="How far back, such as `24h` or `7d`.")] = "24h",
        signal: Annotated[str, Query(max_length=20, description="`logs`, `metrics` or `traces`; all if empty.")] = "",
        service: Annotated[
            str, Query(max_length=200, description="One service only; `(not told)` for what names none.")
        ] = "",
        team: Annotated[str, Query(max_length=200, description="The services that a team owns, by the catalog.")] = "",
        reason: Annotated[
            str, Query(max_length=50, description="Of what was left out, that for one reason only.")
        ] = "",
    ) -> Intake:
        """Say what came in by hour, signal, service and team, and what was left out, why, and what to do about it."""
        return await intake.read(identity.tenant, Asked(_length(since), signal, service, team, reason))

    @router.get("/storage", operation_id="getStorage")
    async def get_storage(identity: Operator) -> StorageReport:
        """Say what the store of all tenants is made of: tables, parts, merges, retention, and the room that is left."""
        del identity
        return await read_storage(stored)

    return router


def _length(since: str) -> timedelta:
    try:
        length = timedelta(seconds=parse_duration(since))
    except (ValueError, OverflowError):
        length = timedelta()
    if not timedelta() < length <= LONGEST:
        raise InvalidError(
            f"since={since!r} is no time up to {LONGEST.days} days", hint="such as since=24h or since=7d"
        )
    return length
