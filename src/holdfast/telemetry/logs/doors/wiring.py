"""Joins the doors of logs to the app: routes at the root, and the service that the gRPC server of OTLP serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.kernel.wiring import Ground, Job, Wiring
from holdfast.telemetry.ledger import Signal
from holdfast.telemetry.logs import elastic, loki, otlp, plain, syslog
from holdfast.telemetry.logs.intake import LogMeters
from holdfast.telemetry.logs.settings import LogsSettings
from holdfast.telemetry.otlp import http_routes

if TYPE_CHECKING:
    from holdfast.telemetry.backlog import Backlog
    from holdfast.telemetry.ledger import Notes
    from holdfast.telemetry.logs.wiring import LogsRoom
    from holdfast.telemetry.otlp import Service

SECTIONS: Final = (otlp.SECTION, loki.SECTION, elastic.SECTION, syslog.SECTION)

LINES: Final = "/api/v1/logs/lines"
BULKS: Final = "/elastic/"


@dataclass(frozen=True, slots=True)
class LogDoorsRoom:
    """The doors and how they are wired; `service` takes OTLP, by whatever transport."""

    service: Service
    wiring: Wiring


def wire(ground: Ground, logs: LogsRoom, backlog: Backlog, ledger: Notes) -> LogDoorsRoom:
    """Build the doors over the logs; `backlog` bounds what waits at them."""
    keeping, meters = ground.settings[LogsSettings], LogMeters(ground.metrics, ledger)
    exported = otlp.OtlpLogs(logs.sink, settings=ground.settings[otlp.OtlpLogsSettings], keeping=keeping, meters=meters)
    pushed = loki.LokiPush(logs.sink, settings=ground.settings[loki.LokiSettings], keeping=keeping, meters=meters)
    bulk = elastic.ElasticBulk(
        logs.sink, settings=ground.settings[elastic.ElasticSettings], keeping=keeping, meters=meters
    )
    lines = plain.PlainLines(logs.sink, meters=meters)
    messages = syslog.SyslogServer(
        logs.sink,
        ground.settings[syslog.SyslogSettings],
        meters=meters,
        clock=ground.clock,
        registry=ground.metrics,
        ledger=ledger,
    )
    service = otlp.logs_service(exported, backlog)
    surfaces = (
        http_routes(service, *otlp.PATHS),
        loki.push_routes(pushed, backlog),
        elastic.elastic_routes(bulk, backlog),
    )
    return LogDoorsRoom(
        service,
        Wiring(
            name="logs.doors",
            routers=(plain.line_routes(lines, backlog),),
            surfaces=surfaces,
            doors=dict.fromkeys((*otlp.PATHS, loki.PATH, LINES, BULKS), Signal.LOGS),
            jobs=(Job("logs.syslog", messages.run, "ingest"),),
        ),
    )
