"""Joins queries to the app: the desk over the source, and the surface at `/prometheus`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.processes import ServerSettings
from holdfast.kernel.units import format_duration, format_size
from holdfast.kernel.wiring import Ground, Wiring
from holdfast.telemetry.metrics.api.admin import AdminRoutes
from holdfast.telemetry.metrics.api.origins import ANY, Origins
from holdfast.telemetry.metrics.api.queries import QueryRoutes
from holdfast.telemetry.metrics.api.series import SeriesRoutes
from holdfast.telemetry.metrics.api.status import Around, StatusRoutes
from holdfast.telemetry.metrics.api.surface import Part, surface
from holdfast.telemetry.metrics.api.targets import TargetRoutes
from holdfast.telemetry.metrics.promql import Engine
from holdfast.telemetry.metrics.queries import QueryDesk, QueryMetrics, QuerySettings
from holdfast.telemetry.metrics.settings import MetricsSettings
from holdfast.telemetry.metrics.tables import STREAM

if TYPE_CHECKING:
    from holdfast.store import StoreRoom
    from holdfast.telemetry.metrics.browsing import SeriesBrowser
    from holdfast.telemetry.metrics.keeping import Deletion
    from holdfast.telemetry.metrics.scrape import TargetBoard
    from holdfast.telemetry.metrics.selection import SampleSource


class Signals(Protocol):
    """Where samples and their series are found."""

    @property
    def source(self) -> SampleSource:
        """Give samples."""
        ...

    @property
    def deletion(self) -> Deletion:
        """Delete samples."""
        ...

    @property
    def browser(self) -> SeriesBrowser:
        """Tell what series there are."""
        ...


@dataclass(frozen=True, slots=True)
class QueryRoom:
    """Where queries are answered."""

    desk: QueryDesk
    wiring: Wiring


def wire(ground: Ground, columns: StoreRoom, signals: Signals, board: TargetBoard) -> QueryRoom:
    """Build the room over a source of samples."""
    source, browser = signals.source, signals.browser
    desk = QueryDesk(Engine(source), ground.settings[QuerySettings], ground.clock, QueryMetrics(ground.metrics))
    retention = format_duration(columns.store.retention.seconds(DEFAULT_TENANT, STREAM))
    max_size = ground.settings[MetricsSettings].max_size
    size = format_size(max_size) if max_size else ""
    around = Around(browser, desk, ground.clock, ground.clock.now(), retention, size)
    parts: list[Part] = [
        QueryRoutes(desk, browser, ground.clock),
        SeriesRoutes(browser),
        StatusRoutes(around),
        TargetRoutes(board),
        AdminRoutes(signals.deletion),
    ]
    return QueryRoom(desk, Wiring(name="queries", surfaces=(surface(parts, _origins(ground)),)))


def _origins(ground: Ground) -> Origins:
    """Give who may read: without authentication a page of any site could, so then only those of this machine may."""
    allowed = ground.settings[QuerySettings].cors_origins
    is_open = ground.settings[ServerSettings].auth == "off"
    return Origins(tuple(each for each in allowed if each != ANY) if is_open else allowed)
