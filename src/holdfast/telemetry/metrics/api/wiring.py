"""Joins queries to the app: the desk over the source, and the surface at `/prometheus`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.units import format_duration
from holdfast.kernel.wiring import Ground, Wiring
from holdfast.telemetry.metrics.api.queries import QueryRoutes
from holdfast.telemetry.metrics.api.series import SeriesRoutes
from holdfast.telemetry.metrics.api.status import Around, StatusRoutes
from holdfast.telemetry.metrics.api.surface import Part, surface
from holdfast.telemetry.metrics.promql import Engine
from holdfast.telemetry.metrics.queries import QueryDesk, QueryMetrics, QuerySettings
from holdfast.telemetry.metrics.tables import STREAM

if TYPE_CHECKING:
    from holdfast.store import StoreRoom
    from holdfast.telemetry.metrics.browsing import SeriesBrowser
    from holdfast.telemetry.metrics.selection import SampleSource


@dataclass(frozen=True, slots=True)
class QueryRoom:
    """Where queries are answered."""

    desk: QueryDesk
    wiring: Wiring


def wire(ground: Ground, columns: StoreRoom, source: SampleSource, browser: SeriesBrowser) -> QueryRoom:
    """Build the room over a source of samples."""
    desk = QueryDesk(Engine(source), ground.settings[QuerySettings], ground.clock, QueryMetrics(ground.metrics))
    retention = format_duration(columns.store.retention.seconds(DEFAULT_TENANT, STREAM))
    around = Around(browser, desk, ground.clock, ground.clock.now(), lambda: "", retention)
    parts: list[Part] = [QueryRoutes(desk, browser, ground.clock), SeriesRoutes(browser), StatusRoutes(around)]
    return QueryRoom(desk, Wiring(name="queries", surfaces=(surface(parts),)))
