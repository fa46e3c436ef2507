"""Sends spans and log lines to an OpenTelemetry collector over OTLP/HTTP, in batches, in the background.

Queues are bounded (2,048 each, the SDK's default): when the collector is away, the oldest are lost, never the service.
"""

import contextlib
import io
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, TextIO, cast

from opentelemetry._logs import Logger, LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from shop.chassis.releases import ReleasedTracers, running

TIMEOUT_S = 5
DELAY_MS = 1000
_SEVERITIES = {
    "debug": SeverityNumber.DEBUG,
    "info": SeverityNumber.INFO,
    "warning": SeverityNumber.WARN,
    "error": SeverityNumber.ERROR,
    "critical": SeverityNumber.FATAL,
}
_ENVELOPE = {"timestamp", "level", "event", "service", "trace_id", "span_id"}
# Lines about a failing export are not exported: each would make the next one.
_OWN_LOGGERS = ("opentelemetry", "urllib3", "requests")


def export_spans(tracers: ReleasedTracers, endpoint: str) -> None:
    """Send spans to `endpoint`/v1/traces."""
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=TIMEOUT_S)
    tracers.processor.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=DELAY_MS))


@contextlib.contextmanager
def export_logs(resource: Resource, endpoint: str, stream: TextIO) -> Iterator[TextIO]:
    """Give a stream for the journal: its lines go to `stream` and to `endpoint`/v1/logs."""
    exporter = OTLPLogExporter(f"{endpoint.rstrip('/')}/v1/logs", timeout=TIMEOUT_S)
    processor = BatchLogRecordProcessor(exporter, schedule_delay_millis=DELAY_MS)
    try:
        # The journal writes and flushes; of a text stream it needs no more.
        yield cast("TextIO", _ExportedLines(stream, resource, processor))
    finally:
        processor.shutdown()  # type: ignore[no-untyped-call]  # the SDK does not say that it gives nothing


class _ExportedLines(io.TextIOBase):
    """Writes each JSON line through, and emits it as a log record of the release in the context of whoever logs."""

    def __init__(self, stream: TextIO, resource: Resource, processor: BatchLogRecordProcessor) -> None:
        super().__init__()
        self._stream = stream
        self._resource = resource
        self._processor = processor
        self._loggers: dict[str, Logger] = {}

    def write(self, text: str) -> int:
        fields = json.loads(text)
        if not str(fields.get("logger", "")).startswith(_OWN_LOGGERS):
            self._logger().emit(_to_record(fields))
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()

    def _logger(self) -> Logger:
        if running.name not in self._loggers:
            loggers = LoggerProvider(self._resource.merge(running.attributes), shutdown_on_exit=False)
            loggers.add_log_record_processor(self._processor)
            self._loggers[running.name] = loggers.get_logger("shop")
        return self._loggers[running.name]


def _to_record(fields: dict[str, Any]) -> LogRecord:
    level = str(fields["level"])
    details = {name: value for name, value in fields.items() if name not in _ENVELOPE and value is not None}
    return LogRecord(
        timestamp=int(datetime.fromisoformat(fields["timestamp"]).timestamp() * 1e9),
        severity_text=level,
        severity_number=_SEVERITIES.get(level, SeverityNumber.UNSPECIFIED),
        body=str(fields["event"]),
        attributes=details,
        event_name=str(fields["event"]),
    )
