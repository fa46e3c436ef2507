"""What clients ask Loki's HTTP API before they ask for logs: its version, its limits, its rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

import holdfast
from holdfast.kernel.auth import Identity, requires
from holdfast.telemetry.logs.api.envelope import plain
from holdfast.telemetry.logs.logql.quantities import write_duration
from holdfast.telemetry.logs.querying import LogQueryLimits

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId

Reader = Annotated[Identity, Depends(requires("logs.read"))]
SPEAKS: Final = "3.5.0"  # the Loki whose API this is; Grafana turns features on by it
_NS: Final = 10**9
_MOST_VOLUMES: Final = 1000


def keep_for_ever(tenant: TenantId) -> int:
    """Say that nothing is known of a retention."""
    del tenant
    return 0


@dataclass(frozen=True, slots=True)
class StatusRoutes:
    """The handlers; `keep_s` tells how long a tenant's records stay."""

    limits: LogQueryLimits = field(default_factory=LogQueryLimits)
    keep_s: Callable[[TenantId], int] = keep_for_ever

    def add_to(self, router: APIRouter) -> None:
        """Put them on the router."""
        router.add_api_route("/status/buildinfo", self.build, methods=["GET"])
        router.add_api_route("/drilldown-limits", self.drilldown, methods=["GET"])
        router.add_api_route("/rules", self.rules, methods=["GET"])

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

    async def drilldown(self, identity: Reader) -> Response:
        """Tell the limits that Grafana's Logs Drilldown asks for when it opens."""
        told = {
            "discover_log_levels": True,
            "discover_service_name": ["service_name"],
            "log_level_fields": ["level", "severity"],
            "max_entries_limit_per_query": self.limits.max_entries,
            "max_query_series": self.limits.max_series,
            "max_query_length": "0s",
            "max_query_lookback": "0s",
            "max_query_range": "0s",
            "query_timeout": write_duration(int(self.limits.timeout * _NS)),
            "retention_period": write_duration(self.keep_s(identity.tenant) * _NS),
            "retention_stream": [],
            "volume_enabled": True,
            "volume_max_series": _MOST_VOLUMES,
            "metric_aggregation_enabled": False,
        }
        return plain({"limits": told, "pattern_ingester_enabled": True, "version": SPEAKS})

    async def rules(self, identity: Reader) -> Response:
        """Give the rules over logs, of which there are none yet."""
        del identity
        return Response("{}\n", media_type="application/yaml")
