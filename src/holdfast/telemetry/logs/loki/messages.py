"""The message of a push as field tables, built on first use in a pool of its own.

Source: grafana/loki pkg/push/push.proto (field numbers and types).
"""

from __future__ import annotations

from typing import Any, Final

_PACKAGE: Final = "logproto"
# message -> (number, name, type); a leading * repeats, a capital letter is a message.
_FIELDS: Final[dict[str, tuple[tuple[int, str, str], ...]]] = {
    "Timestamp": ((1, "seconds", "int64"), (2, "nanos", "int32")),
    "LabelPair": ((1, "name", "string"), (2, "value", "string")),
    "Entry": ((1, "timestamp", "Timestamp"), (2, "line", "string"), (3, "structured_metadata", "*LabelPair")),
    "Stream": ((1, "labels", "string"), (2, "entries", "*Entry")),
    "PushRequest": ((1, "streams", "*Stream"),),
}


def build_push_request() -> Any:
    """Build the class of the message PushRequest."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # noqa: PLC0415 -- loads slowly

    file = descriptor_pb2.FileDescriptorProto(name="push.proto", package=_PACKAGE, syntax="proto3")
    kinds = descriptor_pb2.FieldDescriptorProto
    for message, fields in _FIELDS.items():
        made = file.message_type.add(name=message)
        for number, name, kind in fields:
            plain = kind.removeprefix("*")
            label = kinds.LABEL_REPEATED if kind.startswith("*") else kinds.LABEL_OPTIONAL
            field = made.field.add(name=name, number=number, label=label)
            if plain[0].isupper():
                field.type, field.type_name = kinds.TYPE_MESSAGE, f".{_PACKAGE}.{plain}"
            else:
                field.type = kinds.Type.Value(f"TYPE_{plain.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.PushRequest"))
