"""The request of OTLP traces as this room reads it: what repeats from span to span stays as the bytes that it came in.

The same fields on the wire as in opentelemetry-proto (trace/v1/trace.proto, collector/trace/v1); attributes, resources,
scopes, states, events and links are declared as bytes, so that each different one is looked at once per request.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from holdfast.telemetry.field_tables import FieldTable, message_class

_PACKAGE: Final = "holdfast.traces"
_FIELDS: Final[FieldTable] = {
    "Span": (
        (1, "trace_id", "bytes"),
        (2, "span_id", "bytes"),
        (3, "trace_state", "string"),
        (4, "parent_span_id", "bytes"),
        (5, "name", "string"),
        (6, "kind", "int32"),  # an enumeration on the wire is an int32
        (7, "start_time_unix_nano", "fixed64"),
        (8, "end_time_unix_nano", "fixed64"),
        (9, "attributes", "*bytes"),
        (11, "events", "*bytes"),
        (13, "links", "*bytes"),
        (15, "status", "bytes"),
    ),
    "ScopeSpans": ((1, "scope", "bytes"), (2, "spans", "*Span")),
    "ResourceSpans": ((1, "resource", "bytes"), (2, "scope_spans", "*ScopeSpans")),
    "ExportTraceServiceRequest": ((1, "resource_spans", "*ResourceSpans"),),
}


@lru_cache(maxsize=1)
def request_class() -> Any:
    """Give the class of the request."""
    return message_class(_FIELDS, _PACKAGE, "ExportTraceServiceRequest")
