"""Logs as a service of OTLP."""

from __future__ import annotations

from typing import Any, Final

from holdfast.telemetry.backlog import Backlog
from holdfast.telemetry.ledger import Signal
from holdfast.telemetry.logs.otlp.messages import request_class
from holdfast.telemetry.logs.otlp.receiving import DOOR, OtlpLogs
from holdfast.telemetry.otlp import Service

PATHS: Final = ("/v1/logs", "/otlp/v1/logs")


def logs_service(door: OtlpLogs, backlog: Backlog | None = None) -> Service:
    """Give the service over `door`."""
    return Service(
        door=DOOR,
        name="opentelemetry.proto.collector.logs.v1.LogsService",
        signal=Signal.LOGS,
        permission="logs.write",
        messages=_messages,
        rejected_field="rejected_log_records",
        export=door.export,
        backlog=backlog or Backlog(),
        reader=request_class,
    )


def _messages() -> tuple[Any, Any]:
    from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as pb  # noqa: PLC0415 -- loads slowly

    return pb.ExportLogsServiceRequest, pb.ExportLogsServiceResponse
