"""Joins Loki's API to the app."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from holdfast.kernel.wiring import Ground, Wiring
from holdfast.telemetry.logs.api.detected import DetectedRoutes
from holdfast.telemetry.logs.api.index import IndexRoutes
from holdfast.telemetry.logs.api.queries import QueryRoutes
from holdfast.telemetry.logs.api.series import SeriesRoutes
from holdfast.telemetry.logs.api.status import StatusRoutes
from holdfast.telemetry.logs.api.surface import surface
from holdfast.telemetry.logs.querying import LogEngine, LogQueryLimits
from holdfast.telemetry.logs.tables import STREAM

if TYPE_CHECKING:
    from holdfast.store import StoreRoom
    from holdfast.telemetry.logs.wiring import LogsRoom


@dataclass(frozen=True, slots=True)
class LogQueryRoom:
    """The engine of LogQL and its HTTP API."""

    engine: LogEngine
    wiring: Wiring


def wire(ground: Ground, columns: StoreRoom, logs: LogsRoom) -> LogQueryRoom:
    """Build the room over the logs; `columns` says how long records stay."""
    engine = LogEngine(logs.source, ground.settings[LogQueryLimits])
    keep_s = partial(columns.store.retention.seconds, stream=STREAM)
    parts = (
        QueryRoutes(engine),
        SeriesRoutes(logs.source),
        IndexRoutes(logs.source),
        DetectedRoutes(logs.source, engine),
        StatusRoutes(engine.limits, keep_s),
    )
    return LogQueryRoom(engine, Wiring(name="logs.queries", surfaces=(surface(parts),)))
