"""The message of a push as field tables, built on first use in a pool of its own.

Source: grafana/loki pkg/push/push.proto (field numbers and types).
"""

from __future__ import annotations

from typing import Any, Final

from holdfast.telemetry.field_tables import FieldTable, message_class

_PACKAGE: Final = "logproto"
_FIELDS: Final[FieldTable] = {
    "Timestamp": ((1, "seconds", "int64"), (2, "nanos", "int32")),
    "LabelPair": ((1, "name", "string"), (2, "value", "string")),
    "Entry": ((1, "timestamp", "Timestamp"), (2, "line", "string"), (3, "structured_metadata", "*LabelPair")),
    "Stream": ((1, "labels", "string"), (2, "entries", "*Entry")),
    "PushRequest": ((1, "streams", "*Stream"),),
}


def build_push_request() -> Any:
    """Build the class of the message PushRequest."""
    return message_class(_FIELDS, _PACKAGE, "PushRequest")
