"""`status/*`, `features`, and the lists of rules, alerts and notifications, which are empty until there are alerts."""

from __future__ import annotations

import os
import platform
import socket
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from holdfast import __version__
from holdfast.kernel.auth import Identity, requires
from holdfast.telemetry.metrics.api.envelope import success
from holdfast.telemetry.metrics.api.parameters import Parameters
from holdfast.telemetry.metrics.promql import FUNCTIONS

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock
    from holdfast.kernel.ops_report import OpsInForce
    from holdfast.telemetry.metrics.browsing import Count, SeriesBrowser
    from holdfast.telemetry.metrics.queries import QueryDesk

Reader = Annotated[Identity, Depends(requires("metrics.read"))]

SPOKEN_VERSION = "3.14.0"  # the release of Prometheus whose API this is; Grafana decides by it what it may ask
_TOP = 10
_MOST_TOP = 10_000


@dataclass(frozen=True, slots=True)
class Around:
    """What the status pages tell of the process.

    Attributes:
        browser: counts the series.
        desk: whose limits are told.
        clock: what time it is.
        started_at: when the process was built.
        ops: whether the newest files are in force, and since when.
        retention: how long samples stay, such as `90d`.
        max_size: what they may take, such as `50.0 GiB`; empty for no limit.
    """

    browser: SeriesBrowser
    desk: QueryDesk
    clock: Clock
    started_at: datetime
    ops: OpsInForce
    retention: str
    max_size: str = ""


@dataclass(frozen=True, slots=True)
class StatusRoutes:
    """The handlers."""

    around: Around

    def add_to(self, router: APIRouter) -> None:
        """Put them on the router."""
        for path, handler in (
            ("/status/buildinfo", self.build),
            ("/status/flags", self.flags),
            ("/status/runtimeinfo", self.runtime),
            ("/status/tsdb", self.tsdb),
            ("/status/tsdb/blocks", self.blocks),
            ("/status/walreplay", self.replay),
            ("/features", self.features),
            ("/rules", self.rules),
            ("/alerts", self.alerts),
            ("/alertmanagers", self.alertmanagers),
            ("/notifications", self.notifications),
        ):
            router.add_api_route(path, handler, methods=["GET"])

    async def build(self, _: Reader) -> Response:
        """Tell the version: that of the API, and our own as its revision."""
        return success(
            {
                "version": SPOKEN_VERSION,
                "revision": f"holdfast-{__version__}",
                "branch": "holdfast",
                "buildUser": "",
                "buildDate": "",
                "goVersion": f"python{platform.python_version()}",
            }
        )

    async def flags(self, _: Reader) -> Response:
        """Give the settings under the names of Prometheus' flags."""
        settings = self.around.desk.settings
        return success(
            {
                "query.lookback-delta": f"{settings.lookback:g}s",
                "query.max-concurrency": str(settings.concurrency),
                "query.max-samples": str(settings.max_samples),
                "query.timeout": f"{settings.timeout:g}s",
                "storage.tsdb.retention.size": self.around.max_size or "0B",
                "storage.tsdb.retention.time": self.around.retention,
                "web.enable-admin-api": "true",
                "web.enable-otlp-receiver": "true",
                "web.enable-remote-write-receiver": "true",
            }
        )

    async def runtime(self, _: Reader) -> Response:
        """Tell about the process; members that mean something only in Go hold what comes nearest."""
        started, ops = self.around.started_at, self.around.ops.report
        return success(
            {
                "startTime": _rfc3339(started),
                "CWD": os.getcwd(),  # noqa: PTH109 -- text is wanted
                "hostname": socket.gethostname(),
                "serverTime": _rfc3339(self.around.clock.now()),
                "reloadConfigSuccess": not ops.problems,
                "lastConfigTime": _rfc3339(ops.loaded_at or started),
                "corruptionCount": 0,
                "goroutineCount": threading.active_count(),
                "GOMAXPROCS": os.cpu_count() or 1,
                "GOMEMLIMIT": sys.maxsize,
                "GOGC": "",
                "GODEBUG": "",
                "storageRetention": " or ".join(filter(None, (self.around.retention, self.around.max_size))),
            }
        )

    async def tsdb(self, request: Request, identity: Reader) -> Response:
        """Count series and say which names have most of them."""
        given = await Parameters.of(request)
        top = min(given.count("limit", _TOP) or _TOP, _MOST_TOP)
        stats = await self.around.browser.stats(identity.tenant, top)
        return success(
            {
                "headStats": {
                    "numSeries": stats.series,
                    "numLabelPairs": stats.pairs,
                    "chunkCount": stats.series,
                    "minTime": stats.min_ms,
                    "maxTime": stats.max_ms,
                },
                "seriesCountByMetricName": _counts(stats.metrics),
                "labelValueCountByLabelName": _counts(stats.label_values),
                "memoryInBytesByLabelName": _counts(stats.label_bytes),
                "seriesCountByLabelValuePair": _counts(stats.label_pairs),
            }
        )

    async def blocks(self, _: Reader) -> Response:
        """Give no blocks: samples do not live in Prometheus' blocks here."""
        return success({"blocks": []})

    async def replay(self, _: Reader) -> Response:
        """Tell that nothing is replayed: there is no log to replay."""
        return success({"min": 0, "max": 0, "current": 0})

    async def features(self, _: Reader) -> Response:
        """Tell what this server can do, by area."""
        return success(
            {
                "api": dict.fromkeys(("admin", "exclude_alerts", "label_values_match", "otlp_write_receiver",
                                      "query_stats", "query_warnings", "remote_write_receiver", "time_range_labels",
                                      "time_range_series"), True),
                "promql": dict.fromkeys(("anchored", "at_modifier", "bool", "duration_expr", "fill", "negative_offset",
                                         "offset", "smoothed", "subqueries", "utf8_names"), True),
                "promql_functions": dict.fromkeys(sorted(FUNCTIONS), True),
            }
        )  # fmt: skip

    async def rules(self, _: Reader) -> Response:
        """Give the rules."""
        return success({"groups": []})

    async def alerts(self, _: Reader) -> Response:
        """Give the alerts."""
        return success({"alerts": []})

    async def alertmanagers(self, _: Reader) -> Response:
        """Give the Alertmanagers that alerts are sent to: none, for alerts stay in the house."""
        return success({"activeAlertmanagers": [], "droppedAlertmanagers": []})

    async def notifications(self, _: Reader) -> Response:
        """Give the notes for the console of Prometheus."""
        return success([])


def _counts(counts: Iterable[Count]) -> list[dict[str, Any]]:
    return [{"name": count.name, "value": count.value} for count in counts]


def _rfc3339(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
