"""Turns lines of JSON into a request of OTLP/HTTP logs, as JSON or protobuf, with the standard library alone.

The protocol: https://opentelemetry.io/docs/specs/otlp/; fields of the messages by their numbers in
`opentelemetry/proto/logs/v1/logs.proto` and `common/v1/common.proto`. Of an answer only the refused records are read.
"""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

SEVERITIES: Final = {"debug": 5, "info": 9, "warning": 13, "error": 17, "critical": 21}
OWN_PLACE: Final = frozenset({"timestamp", "level", "event", "service", "logger", "trace_id", "span_id"})
HEX: Final = frozenset("0123456789abcdef")
LARGEST_INT: Final = 1 << 63
VARINT: Final = 0
FIXED64: Final = 1
BYTES: Final = 2


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a request is written: its media type, and the two directions."""

    media_type: str
    encode: Callable[[Iterable[str], str, Mapping[str, str]], bytes]
    count_refused: Callable[[bytes], int]


def encode_json(lines: Iterable[str], service: str, resource: Mapping[str, str]) -> bytes:
    """Give the body of a request as JSON."""
    return json.dumps(gather(lines, service, resource), separators=(",", ":")).encode()


def gather(lines: Iterable[str], service: str, resource: Mapping[str, str]) -> dict[str, Any]:
    """Give lines as an ExportLogsServiceRequest: by service, then by logger."""
    groups: dict[str, dict[str, list[dict[str, Any]]]] = {}
    observed = str(time.time_ns())
    for line in lines:
        fields = json.loads(line)
        loggers = groups.setdefault(str(fields.get("service", service)), {})
        loggers.setdefault(str(fields.get("logger", "")), []).append(record_of(fields, observed))
    return {
        "resourceLogs": [
            {
                "resource": {"attributes": attributes_of({**resource, **({"service.name": name} if name else {})})},
                "scopeLogs": [{"scope": {"name": of}, "logRecords": records} for of, records in loggers.items()],
            }
            for name, loggers in groups.items()
        ]
    }


def record_of(fields: Mapping[str, Any], observed: str) -> dict[str, Any]:
    """Give the fields of one line as a LogRecord."""
    level = str(fields.get("level", "info"))
    record: dict[str, Any] = {
        "timeUnixNano": _nanoseconds(fields.get("timestamp")) or observed,
        "observedTimeUnixNano": observed,
        "severityNumber": SEVERITIES.get(level, 9),
        "severityText": level.upper(),
        "body": value_of(fields.get("event", "")),
    }
    left = {name: value for name, value in fields.items() if name not in OWN_PLACE}
    for name, target, length in (("trace_id", "traceId", 32), ("span_id", "spanId", 16)):
        value = fields.get(name)
        if isinstance(value, str) and len(value) == length and HEX.issuperset(value):
            record[target] = value
        elif value is not None:
            left[name] = value
    record["attributes"] = attributes_of(left)
    return record


def attributes_of(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give fields as KeyValues."""
    return [{"key": name, "value": value_of(value)} for name, value in fields.items()]


def value_of(value: Any) -> dict[str, Any]:
    """Give a value as an AnyValue."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int) and -LARGEST_INT <= value < LARGEST_INT:
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [value_of(item) for item in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": attributes_of(value)}}
    return {} if value is None else {"stringValue": str(value)}


def _nanoseconds(timestamp: object) -> str:
    try:
        moment = datetime.fromisoformat(str(timestamp))
    except ValueError:
        return ""
    return str(int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1000)


def count_refused_json(answer: bytes) -> int:
    """Read how many records an answer in JSON says were refused."""
    try:
        told = json.loads(answer or b"{}")
        return int((told.get("partialSuccess") or {}).get("rejectedLogRecords", 0))
    except (ValueError, AttributeError, TypeError):
        return 0


def encode_protobuf(lines: Iterable[str], service: str, resource: Mapping[str, str]) -> bytes:
    """Give the body of a request as protobuf."""
    return b"".join(_field(1, _resource_logs(each)) for each in gather(lines, service, resource)["resourceLogs"])


def _resource_logs(group: Mapping[str, Any]) -> bytes:
    scopes = [
        _field(1, _field(1, scope["scope"]["name"].encode()))
        + b"".join(_field(2, _record(record)) for record in scope["logRecords"])
        for scope in group["scopeLogs"]
    ]
    resource = b"".join(_field(1, _key_value(pair)) for pair in group["resource"]["attributes"])
    return _field(1, resource) + b"".join(_field(2, scope) for scope in scopes)


def _record(record: Mapping[str, Any]) -> bytes:
    parts = [
        _tag(1, FIXED64) + int(record["timeUnixNano"]).to_bytes(8, "little"),
        _tag(2, VARINT) + _varint(record["severityNumber"]),
        _field(3, record["severityText"].encode()),
        _field(5, _any_value(record["body"])),
        *(_field(6, _key_value(pair)) for pair in record["attributes"]),
        _field(9, bytes.fromhex(record.get("traceId", ""))),
        _field(10, bytes.fromhex(record.get("spanId", ""))),
        _tag(11, FIXED64) + int(record["observedTimeUnixNano"]).to_bytes(8, "little"),
    ]
    return b"".join(parts)


def _key_value(pair: Mapping[str, Any]) -> bytes:
    return _field(1, _utf8(pair["key"])) + _field(2, _any_value(pair["value"]), is_kept=True)


def _any_value(value: Mapping[str, Any]) -> bytes:
    return b"".join(VALUES[kind](held) for kind, held in value.items())


def _array(held: Mapping[str, Any]) -> bytes:
    return _field(5, b"".join(_field(1, _any_value(item), is_kept=True) for item in held["values"]), is_kept=True)


def _kvlist(held: Mapping[str, Any]) -> bytes:
    return _field(6, b"".join(_field(1, _key_value(pair)) for pair in held["values"]), is_kept=True)


VALUES: Final[Mapping[str, Callable[[Any], bytes]]] = {
    "stringValue": lambda held: _field(1, _utf8(held), is_kept=True),
    "boolValue": lambda held: _tag(2, VARINT) + _varint(int(held)),
    "intValue": lambda held: _tag(3, VARINT) + _varint(int(held) % (1 << 64)),
    "doubleValue": lambda held: _tag(4, FIXED64) + struct.pack("<d", held),
    "arrayValue": _array,
    "kvlistValue": _kvlist,
}


def _field(number: int, content: bytes, *, is_kept: bool = False) -> bytes:
    """Give a field of bytes; an empty one is left out unless it means something."""
    return _tag(number, BYTES) + _varint(len(content)) + content if content or is_kept else b""


def _tag(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def count_refused_protobuf(answer: bytes) -> int:
    """Read how many records an answer in protobuf says were refused: field 1 of field 1."""
    try:
        inner = _find(answer, 1)
        refused = _find(inner, 1) if isinstance(inner, bytes) else 0
    except IndexError:
        return 0
    return refused if isinstance(refused, int) else 0


def _find(message: bytes, wanted: int) -> bytes | int:
    at = 0
    while at < len(message):
        tag, at = _read_varint(message, at)
        if tag & 7 == VARINT:
            value, at = _read_varint(message, at)
            found: bytes | int = value
        elif tag & 7 == BYTES:
            length, at = _read_varint(message, at)
            found, at = message[at : at + length], at + length
        else:
            return 0
        if tag >> 3 == wanted:
            return found
    return 0


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80 or shift > 63:
            return value, at


ENCODINGS: Final = {
    "json": Encoding("application/json", encode_json, count_refused_json),
    "protobuf": Encoding("application/x-protobuf", encode_protobuf, count_refused_protobuf),
}
