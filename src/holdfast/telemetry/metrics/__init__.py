"""Metric samples: `sink` writes them, `source` reads them, `series` names them by a 64-bit id, `tables` keeps them."""

from typing import TYPE_CHECKING

from holdfast.kernel.doorways import open_lazily

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.browser import MetricBrowser
    from holdfast.telemetry.metrics.cardinality import Cardinality, MetricUses, SeriesLimits, Usage
    from holdfast.telemetry.metrics.cardinality import routes as cardinality_routes
    from holdfast.telemetry.metrics.downsampling import Rolling
    from holdfast.telemetry.metrics.events import KINDS as EVENT_KINDS
    from holdfast.telemetry.metrics.keeping import Around as AroundSize
    from holdfast.telemetry.metrics.keeping import Deletion, KeepRules, SizeLimit
    from holdfast.telemetry.metrics.keeping import routes as keeping_routes
    from holdfast.telemetry.metrics.samples import Matcher, MatchOp, Point, Sample, Series
    from holdfast.telemetry.metrics.settings import METRICS_SECTION, MetricsSettings
    from holdfast.telemetry.metrics.sink import MetricSink, SinkSettings
    from holdfast.telemetry.metrics.source import MetricSource
    from holdfast.telemetry.metrics.tables import SCHEMA, STREAM
    from holdfast.telemetry.metrics.warming import STARTING_SERIES, WARMED_SERIES

__all__ = [
    "EVENT_KINDS",
    "METRICS_SECTION",
    "SCHEMA",
    "STARTING_SERIES",
    "STREAM",
    "WARMED_SERIES",
    "AroundSize",
    "Cardinality",
    "Deletion",
    "KeepRules",
    "MatchOp",
    "Matcher",
    "MetricBrowser",
    "MetricSink",
    "MetricSource",
    "MetricUses",
    "MetricsSettings",
    "Point",
    "Rolling",
    "Sample",
    "Series",
    "SeriesLimits",
    "SinkSettings",
    "SizeLimit",
    "Usage",
    "cardinality_routes",
    "keeping_routes",
]

_HOMES = {
    "browser": "MetricBrowser",
    "cardinality": "Cardinality MetricUses SeriesLimits Usage cardinality_routes=routes",
    "downsampling": "Rolling",
    "events": "EVENT_KINDS=KINDS",
    "keeping": "AroundSize=Around Deletion KeepRules SizeLimit keeping_routes=routes",
    "samples": "Matcher MatchOp Point Sample Series",
    "settings": "METRICS_SECTION MetricsSettings",
    "sink": "MetricSink SinkSettings",
    "source": "MetricSource",
    "tables": "SCHEMA STREAM",
    "warming": "STARTING_SERIES WARMED_SERIES",
}

if not TYPE_CHECKING:  # else a name that does not exist would be an object to a type checker
    __getattr__ = open_lazily(__name__, _HOMES)
