"""Joins queries to the app: the desk over the source, and the surface at `/prometheus`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from prometheus_client import CollectorRegistry

from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.processes import ServerSettings
from holdfast.kernel.units import format_duration, format_size
from holdfast.kernel.wiring import Ground, Wiring
from holdfast.telemetry.metrics.api.admin import AdminRoutes
from holdfast.telemetry.metrics.api.federation import Federation, count_left_out
from holdfast.telemetry.metrics.api.origins import ANY, Origins
from holdfast.telemetry.metrics.api.queries import QueryRoutes
from holdfast.telemetry.metrics.api.rehearsing import Example, Rehearsal
from holdfast.telemetry.metrics.api.search import SearchRoutes
from holdfast.telemetry.metrics.api.self_metrics import SelfMetricRoutes
from holdfast.telemetry.metrics.api.series import SeriesRoutes
from holdfast.telemetry.metrics.api.status import Around, StatusRoutes
from holdfast.telemetry.metrics.api.surface import Part, surface
from holdfast.telemetry.metrics.api.targets import TargetRoutes
from holdfast.telemetry.metrics.promql import Engine
from holdfast.telemetry.metrics.queries import QueryDesk, QueryMetrics, QuerySettings
from holdfast.telemetry.metrics.selection import SampleSource
from holdfast.telemetry.metrics.settings import MetricsSettings
from holdfast.telemetry.metrics.tables import STREAM

if TYPE_CHECKING:
    from holdfast.store import StoreRoom
    from holdfast.telemetry.metrics.browsing import SeriesBrowser
    from holdfast.telemetry.metrics.indexing import SeriesIndex
    from holdfast.telemetry.metrics.keeping import Deletion
    from holdfast.telemetry.metrics.scrape import TargetBoard

MOST_SERIES: Final = 2000  # of the metric that a rehearsal asks for; answers about more take their time by themselves


class NotedSource(SampleSource, Protocol):
    """A source that notes which metrics are asked for."""

    index: SeriesIndex

    @property
    def unnoted(self) -> SampleSource:
        """Give the same samples for questions that do not count."""
        ...


class Signals(Protocol):
    """Where samples and their series are found."""

    @property
    def source(self) -> NotedSource:
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
    engine = Engine(source, default_subquery_step_ms=lambda: round(board.evaluation_interval_s * 1000))
    desk = QueryDesk(engine, ground.settings[QuerySettings], ground.clock, QueryMetrics(ground.metrics))
    retention = format_duration(columns.store.retention.seconds(DEFAULT_TENANT, STREAM))
    max_size = ground.settings[MetricsSettings].max_size
    size = format_size(max_size) if max_size else ""
    around = Around(browser, desk, ground.clock, ground.clock.now(), ground.ops, retention, max_size=size)
    parts: list[Part] = [
        QueryRoutes(desk, browser, ground.clock),
        SeriesRoutes(browser),
        SearchRoutes(browser, ground.clock),
        StatusRoutes(around),
        SelfMetricRoutes(ground.metrics),
        TargetRoutes(board),
        AdminRoutes(signals.deletion),
    ]
    rehearsal = _rehearsal(ground, signals)

    @asynccontextmanager
    async def rehearsed() -> AsyncIterator[None]:
        if "api" in ground.settings[ServerSettings].roles:
            await rehearsal.run()
        yield

    federation = Federation(desk, board, ground.clock, count_left_out(ground.metrics))
    surfaces = (surface(parts, _origins(ground), federation),)
    return QueryRoom(desk, Wiring(name="queries", surfaces=surfaces, lifespan=rehearsed))


def _rehearsal(ground: Ground, signals: Signals) -> Rehearsal:
    """Build what goes through each kind of request, over a desk that counts into nothing."""
    engine, clock = Engine(signals.source.unnoted), ground.clock
    desk = QueryDesk(engine, ground.settings[QuerySettings], clock, QueryMetrics(CollectorRegistry()))
    router = surface([QueryRoutes(desk, signals.browser, clock), SeriesRoutes(signals.browser)], Origins(()))

    def find() -> Example | None:
        found = signals.source.index.example(DEFAULT_TENANT, MOST_SERIES)
        return Example(*found) if found is not None else None

    return Rehearsal(router, clock, find)


def _origins(ground: Ground) -> Origins:
    """Give who may read: without authentication a page of any site could, so then only those of this machine may."""
    allowed = ground.settings[QuerySettings].cors_origins
    is_open = ground.settings[ServerSettings].auth == "off"
    return Origins(tuple(each for each in allowed if each != ANY) if is_open else allowed)
