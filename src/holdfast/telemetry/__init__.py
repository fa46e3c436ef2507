"""Signals kept over time: metrics, logs, traces.

Owns the tables of samples, records and spans, how they are written and read. Refuses to judge them: checks, rules and
alerts live above.
"""

from typing import TYPE_CHECKING

from holdfast.kernel.doorways import open_lazily

if TYPE_CHECKING:
    from holdfast.telemetry.correlate import SECTION as AROUND_SECTION
    from holdfast.telemetry.correlate import AroundRoom
    from holdfast.telemetry.correlate import wire as wire_around
    from holdfast.telemetry.dashboards import DashboardRoom
    from holdfast.telemetry.dashboards import wire as wire_dashboards
    from holdfast.telemetry.doors import SECTIONS as DOOR_SECTIONS
    from holdfast.telemetry.doors import DoorsRoom
    from holdfast.telemetry.doors import wire as wire_doors
    from holdfast.telemetry.investigations import InvestigationRoom
    from holdfast.telemetry.investigations import wire as wire_investigations
    from holdfast.telemetry.ledger import LedgerRoom, RefusedAtDoors, answering, meanings
    from holdfast.telemetry.ledger import wire as wire_ledger
    from holdfast.telemetry.logs import LOGS_SECTION
    from holdfast.telemetry.logs.api import LogQueryRoom
    from holdfast.telemetry.logs.api import wire as wire_log_queries
    from holdfast.telemetry.logs.doors import SECTIONS as LOG_DOOR_SECTIONS
    from holdfast.telemetry.logs.doors import LogDoorsRoom
    from holdfast.telemetry.logs.doors import wire as wire_log_doors
    from holdfast.telemetry.logs.files import register as register_log_analysis
    from holdfast.telemetry.logs.limits import SECTION as LOG_LIMITS_SECTION
    from holdfast.telemetry.logs.patterns import PatternsRoom
    from holdfast.telemetry.logs.patterns import wire as wire_log_patterns
    from holdfast.telemetry.logs.querying import SECTION as LOG_QUERIES_SECTION
    from holdfast.telemetry.logs.recognition import CriJoiner, Joiner, recognise
    from holdfast.telemetry.logs.tailing import SECTION as LOG_TAILS_SECTION
    from holdfast.telemetry.logs.tailing import TailRoom
    from holdfast.telemetry.logs.tailing import wire as wire_log_tails
    from holdfast.telemetry.logs.wiring import LogsRoom
    from holdfast.telemetry.logs.wiring import wire as wire_logs
    from holdfast.telemetry.metrics import (
        METRICS_SECTION,
        SCHEMA,
        Matcher,
        MatchOp,
        MetricSink,
        MetricSource,
        MetricsSettings,
        Point,
        Sample,
        Series,
        SinkSettings,
    )
    from holdfast.telemetry.metrics.api import QueryRoom
    from holdfast.telemetry.metrics.api import wire as wire_queries
    from holdfast.telemetry.metrics.exporter import register as register_exporter
    from holdfast.telemetry.metrics.exporter import wire as wire_exporters
    from holdfast.telemetry.metrics.queries import SECTION as QUERIES_SECTION
    from holdfast.telemetry.metrics.scrape import SECTION as SCRAPE_SECTION
    from holdfast.telemetry.metrics.scrape import ScrapeRoom, TargetBoard
    from holdfast.telemetry.metrics.scrape import wire as wire_scrape
    from holdfast.telemetry.metrics.transfer import register as register_transfer
    from holdfast.telemetry.scrub import SCRUB_SECTION, ScrubRoom, ScrubSettings, SenderScrubber
    from holdfast.telemetry.scrub import wire as wire_scrub
    from holdfast.telemetry.searches import SearchRoom
    from holdfast.telemetry.searches import wire as wire_searches
    from holdfast.telemetry.traces.settings import TRACES_SECTION
    from holdfast.telemetry.traces.wiring import wire as wire_traces
    from holdfast.telemetry.usage import SECTION as USAGE_SECTION
    from holdfast.telemetry.usage import UsageRoom
    from holdfast.telemetry.usage import wire as wire_usage
    from holdfast.telemetry.versions import SECTION as VERSIONS_SECTION
    from holdfast.telemetry.versions import VersionsRoom
    from holdfast.telemetry.versions import wire as wire_versions
    from holdfast.telemetry.wiring import TelemetryRoom, wire

__all__ = [
    "AROUND_SECTION",
    "DOOR_SECTIONS",
    "LOGS_SECTION",
    "LOG_DOOR_SECTIONS",
    "LOG_LIMITS_SECTION",
    "LOG_QUERIES_SECTION",
    "LOG_TAILS_SECTION",
    "METRICS_SECTION",
    "QUERIES_SECTION",
    "SCHEMA",
    "SCRAPE_SECTION",
    "SCRUB_SECTION",
    "TRACES_SECTION",
    "USAGE_SECTION",
    "VERSIONS_SECTION",
    "AroundRoom",
    "CriJoiner",
    "DashboardRoom",
    "DoorsRoom",
    "InvestigationRoom",
    "Joiner",
    "LedgerRoom",
    "LogDoorsRoom",
    "LogQueryRoom",
    "LogsRoom",
    "MatchOp",
    "Matcher",
    "MetricSink",
    "MetricSource",
    "MetricsSettings",
    "PatternsRoom",
    "Point",
    "QueryRoom",
    "RefusedAtDoors",
    "Sample",
    "ScrapeRoom",
    "ScrubRoom",
    "ScrubSettings",
    "SearchRoom",
    "SenderScrubber",
    "Series",
    "SinkSettings",
    "TailRoom",
    "TargetBoard",
    "TelemetryRoom",
    "UsageRoom",
    "VersionsRoom",
    "answering",
    "meanings",
    "recognise",
    "register_exporter",
    "register_log_analysis",
    "register_transfer",
    "wire",
    "wire_around",
    "wire_dashboards",
    "wire_doors",
    "wire_exporters",
    "wire_investigations",
    "wire_ledger",
    "wire_log_doors",
    "wire_log_patterns",
    "wire_log_queries",
    "wire_log_tails",
    "wire_logs",
    "wire_queries",
    "wire_scrape",
    "wire_scrub",
    "wire_searches",
    "wire_traces",
    "wire_usage",
    "wire_versions",
]

_HOMES = {
    "correlate": "AROUND_SECTION=SECTION AroundRoom wire_around=wire",
    "dashboards": "DashboardRoom wire_dashboards=wire",
    "doors": "DOOR_SECTIONS=SECTIONS DoorsRoom wire_doors=wire",
    "investigations": "InvestigationRoom wire_investigations=wire",
    "ledger": "LedgerRoom RefusedAtDoors answering meanings wire_ledger=wire",
    "logs": "LOGS_SECTION",
    "logs.api": "LogQueryRoom wire_log_queries=wire",
    "logs.doors": "LOG_DOOR_SECTIONS=SECTIONS LogDoorsRoom wire_log_doors=wire",
    "logs.files": "register_log_analysis=register",
    "logs.limits": "LOG_LIMITS_SECTION=SECTION",
    "logs.patterns": "PatternsRoom wire_log_patterns=wire",
    "logs.recognition": "CriJoiner Joiner recognise",
    "logs.querying": "LOG_QUERIES_SECTION=SECTION",
    "logs.tailing": "LOG_TAILS_SECTION=SECTION TailRoom wire_log_tails=wire",
    "logs.wiring": "LogsRoom wire_logs=wire",
    "metrics": (
        "METRICS_SECTION SCHEMA Matcher MatchOp MetricSink MetricSource MetricsSettings Point Sample Series "
        "SinkSettings"
    ),
    "metrics.api": "QueryRoom wire_queries=wire",
    "metrics.exporter": "register_exporter=register wire_exporters=wire",
    "metrics.queries": "QUERIES_SECTION=SECTION",
    "metrics.scrape": "SCRAPE_SECTION=SECTION ScrapeRoom TargetBoard wire_scrape=wire",
    "metrics.transfer": "register_transfer=register",
    "scrub": "SCRUB_SECTION ScrubRoom ScrubSettings SenderScrubber wire_scrub=wire",
    "searches": "SearchRoom wire_searches=wire",
    "traces.settings": "TRACES_SECTION",
    "traces.wiring": "wire_traces=wire",
    "usage": "USAGE_SECTION=SECTION UsageRoom wire_usage=wire",
    "versions": "VERSIONS_SECTION=SECTION VersionsRoom wire_versions=wire",
    "wiring": "TelemetryRoom wire",
}

if not TYPE_CHECKING:  # else a name that does not exist would be an object to a type checker
    __getattr__ = open_lazily(__name__, _HOMES)
