"""The request of OTLP logs as this room reads it: what repeats from record to record stays as bytes.

The same fields on the wire as in opentelemetry-proto (logs/v1/logs.proto, collector/logs/v1); resources, scopes, bodies
and attributes are declared as bytes, so that each different attribute is looked at once per request.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from holdfast.telemetry.field_tables import FieldTable, message_class

_PACKAGE: Final = "holdfast.logs"
_FIELDS: Final[FieldTable] = {
    "LogRecord": (
        (1, "time_unix_nano", "fixed64"),
        (2, "severity_number", "int32"),  # an enumeration on the wire is an int32
        (3, "severity_text", "string"),
        (5, "body", "bytes"),
        (6, "attributes", "*bytes"),
        (7, "dropped_attributes_count", "uint32"),
        (8, "flags", "fixed32"),
        (9, "trace_id", "bytes"),
        (10, "span_id", "bytes"),
        (11, "observed_time_unix_nano", "fixed64"),
        (12, "event_name", "string"),
    ),
    "ScopeLogs": ((1, "scope", "bytes"), (2, "log_records", "*LogRecord")),
    "ResourceLogs": ((1, "resource", "bytes"), (2, "scope_logs", "*ScopeLogs")),
    "ExportLogsServiceRequest": ((1, "resource_logs", "*ResourceLogs"),),
}


@lru_cache(maxsize=1)
def request_class() -> Any:
    """Give the class of the request."""
    return message_class(_FIELDS, _PACKAGE, "ExportLogsServiceRequest")


def as_read_here(request: Any) -> Any:
    """Give a request in our class; it may be in OTLP's own, as JSON is read."""
    lean = request_class()
    return request if isinstance(request, lean) else lean.FromString(request.SerializeToString())
