"""`GET /logs/limits` shows what a tenant may send, and what of its logs was left out since this process started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Depends

from holdfast.kernel.auth import Identity, requires

if TYPE_CHECKING:
    from holdfast.telemetry.logs.limits.quota import LogQuota

_LISTED: Final = 20

Reader = Annotated[Identity, Depends(requires("logs.read"))]


@dataclass(frozen=True, slots=True)
class DroppedOfStream:
    """A stream, and how many of its records were left out."""

    labels: Mapping[str, str]
    records: int


@dataclass(frozen=True, slots=True)
class LogLimits:
    """What a tenant may send (0 is no limit), and what was left out: by reason, and of which streams most.

    It counts what the process that answers was sent, from `since` on, when it started; `/usage/intake` tells of all
    processes, by hour and service, over restarts.
    """

    lines_per_s: float
    bytes_per_s: int
    since: datetime
    dropped: Mapping[str, int]
    streams: Sequence[DroppedOfStream]


def limit_routes(quota: LogQuota) -> APIRouter:
    """Give the routes."""
    router = APIRouter(prefix="/logs", tags=["logs"])

    @router.get("/limits", operation_id="getLogLimits")
    async def get_log_limits(identity: Reader) -> LogLimits:
        """Say what the tenant may send, and what of its logs was left out."""
        tenant = identity.tenant
        rate = quota.settings.tenants.get(tenant, quota.settings)
        most = quota.dropped_of[tenant].most_common(_LISTED) if tenant in quota.dropped_of else []
        return LogLimits(
            rate.lines_per_s,
            rate.bytes_per_s,
            quota.since,
            dict(quota.dropped.get(tenant, {})),
            [DroppedOfStream(dict(labels), count) for labels, count in most],
        )

    return router
