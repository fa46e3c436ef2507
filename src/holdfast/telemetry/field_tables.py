"""Classes of protobuf messages from tables of their fields: for messages of which no package brings a generated module.

A table gives each message its fields as (number, name, type): a leading * repeats, a capital letter is a message of
the table, an enumeration is an int32, as it is on the wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FieldTable = Mapping[str, tuple[tuple[int, str, str], ...]]


def message_class(table: FieldTable, package: str, name: str, *, syntax: str = "proto3") -> Any:
    """Give the class of one message of a table, in a pool of its own; loading protobuf takes 30 ms the first time."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # noqa: PLC0415 -- loads slowly

    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax=syntax)
    kinds = descriptor_pb2.FieldDescriptorProto
    for message, fields in table.items():
        made = file.message_type.add(name=message)
        for number, field_name, kind in fields:
            plain = kind.removeprefix("*")
            label = kinds.LABEL_REPEATED if kind.startswith("*") else kinds.LABEL_OPTIONAL
            field = made.field.add(name=field_name, number=number, label=label)
            if plain[0].isupper():
                field.type, field.type_name = kinds.TYPE_MESSAGE, f".{package}.{plain}"
            else:
                field.type = kinds.Type.Value(f"TYPE_{plain.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))
