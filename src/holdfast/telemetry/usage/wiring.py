"""Joins usage to the app: reports over what the signals count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.kernel.wiring import Wiring
from holdfast.store import StoreSettings
from holdfast.telemetry.logs import LogsSettings
from holdfast.telemetry.logs.tables import SCHEMA as LOGS
from holdfast.telemetry.logs.tables import SLOT_NS as LOG_SLOT_NS
from holdfast.telemetry.metrics import MetricsSettings
from holdfast.telemetry.metrics.tables import SCHEMA as METRICS
from holdfast.telemetry.metrics.tables import SLOT_MS
from holdfast.telemetry.traces.tables import SCHEMA as TRACES
from holdfast.telemetry.traces.tables import SPANS
from holdfast.telemetry.usage.documents import LimitUse
from holdfast.telemetry.usage.intake import IntakeReports
from holdfast.telemetry.usage.report import Counted, UsageReports
from holdfast.telemetry.usage.routes import usage_routes
from holdfast.telemetry.usage.settings import UsageSettings
from holdfast.telemetry.usage.storage import Stored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.catalog import Catalog
    from holdfast.kernel.ids import TenantId
    from holdfast.kernel.wiring import Ground
    from holdfast.store import StoreRoom
    from holdfast.telemetry.logs.wiring import LogsRoom
    from holdfast.telemetry.wiring import TelemetryRoom

_SIGNALS: Final = {"metrics": METRICS.tables, "logs": LOGS.tables, "traces": TRACES.tables}
_NS_PER_S: Final = 10**9
_SLOTS_S: Final = {
    "log_records": LOG_SLOT_NS // _NS_PER_S,
    SPANS.name: LOG_SLOT_NS // _NS_PER_S,
    "metric_points": SLOT_MS // 1000,
    "metric_histograms": SLOT_MS // 1000,
}


@dataclass(frozen=True, slots=True)
class UsageRoom:
    """The reports, and how they are wired."""

    reports: UsageReports
    wiring: Wiring


def wire(ground: Ground, columns: StoreRoom, signals: TelemetryRoom, logs: LogsRoom, catalog: Catalog) -> UsageRoom:
    """Build the room over the signals; the catalog says which team owns a service."""
    store, settings = columns.store, ground.settings
    counted = Counted(store, logs.reads, _SIGNALS, SPANS, signals.ledger.ledger)
    reports = UsageReports(counted, settings[UsageSettings])
    keeping, metrics, kept = settings[LogsSettings], settings[MetricsSettings], settings[StoreSettings]

    async def limits(tenant: TenantId) -> Sequence[LimitUse]:
        free, _ = await store.volume.disk()
        sizes = await store.volume.sizes([table for tables in _SIGNALS.values() for table in tables])

        def taken(signal: str) -> int:
            return sum(sizes[table.name].size_bytes for table in _SIGNALS[signal])

        book = logs.sink.books.get(tenant)
        report = signals.sink.books.get(tenant)
        rates = logs.quota.rates(tenant)
        return [
            LimitUse("Log streams", "logs.max_streams", len(book or ()), keeping.max_streams, "streams"),
            LimitUse("Metric series", "metrics.max_series", len(report or ()), metrics.max_series, "series"),
            LimitUse("Logs on the disk", "logs.max_size", taken("logs"), keeping.max_size, "bytes"),
            LimitUse("Metrics on the disk", "metrics.max_size", taken("metrics"), metrics.max_size, "bytes"),
            LimitUse("Log records per second", "log_limits.lines_per_s", *rates.lines, "records"),
            LimitUse("Log bytes per second", "log_limits.bytes_per_s", *rates.letters, "bytes"),
            *([LimitUse("Disk before writes stop", "telemetry.reserve", kept.reserve, free, "bytes")] if free else []),
        ]

    stored = Stored(store, _SIGNALS, _SLOTS_S, kept, metrics, keeping)
    intake = IntakeReports(store, signals.ledger.ledger, lambda: catalog.entities, ground.clock.now)
    routes = usage_routes(reports, intake, stored, limits, ground.clock)
    return UsageRoom(reports, Wiring(name="usage", routers=(routes,)))
