"""One document as a record: its message is the body, few fields are labels, the others structured metadata.

Source: the Elastic Common Schema; Fluent Bit's `log` and `kubernetes` fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.logs.intake import SERVICE_NAME, UNKNOWN_SERVICE, with_service_name
from holdfast.telemetry.logs.level_words import normalise
from holdfast.telemetry.logs.recognition import from_number, from_text, recognise, span_id, trace_id
from holdfast.telemetry.metrics.otlp import LabelStyle, label_name

_BODIES: Final = ("message", "log", "event.original", "MESSAGE", "msg")
CONTAINER: Final = "kubernetes_container_name"  # all that Filebeat and Fluent Bit say of a pod's program
_TIMES: Final = ("@timestamp", "timestamp")
_LEVELS: Final = ("log.level", "level", "severity", "log.syslog.severity.name")
_TRACES: Final = ("trace.id", "trace_id", "traceId")
_SPANS: Final = ("span.id", "span_id", "spanId")
_RENAMED: Final = {"service.environment": "environment", "data_stream.namespace": "environment"}
_DEEPEST: Final = 16
_MOST_FIELDS: Final = 1000
_MOST_NAMES: Final = 50_000
_STYLE: Final = LabelStyle()

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Document:
    """What a document says; `ts_ns` is None where it names no time."""

    ts_ns: int | None
    body: str
    labels: dict[str, str]
    pairs: Pairs


@dataclass(slots=True)
class Reading:
    """Reads documents; remembers names in the form of labels."""

    label_fields: frozenset[str]
    names: dict[str, str] = field(default_factory=dict)

    def read(self, document: Mapping[str, Any]) -> Document:
        """Give what a document says.

        Raises:
            InvalidError: its time is none, or it has too many fields.
        """
        fields = dict(_flat(document, "", 0))
        if len(fields) > _MOST_FIELDS:
            raise InvalidError(f"Limit of total fields [{_MOST_FIELDS}] has been exceeded")
        ts_ns = _time(fields)
        body, is_whole = _body(fields, document)
        known = _known(fields)
        # Only a document that says nothing but a line is asked what the line tells.
        found = recognise(body) if not is_whole and len(known) < 2 else None
        if found is not None:
            known += [pair for pair in found.pairs() if pair[0] not in dict(known)]
            ts_ns = found.ts_ns if ts_ns is None else ts_ns
        labels = {
            _RENAMED.get(name) or self._name(name): fields.pop(name) for name in self.label_fields & fields.keys()
        }
        if found is not None and found.service and not labels.get("service_name"):
            labels["service_name"] = found.service
        rest = [] if is_whole else [(self._name(name), value) for name, value in fields.items()]
        return Document(ts_ns, body, with_service_name(labels, CONTAINER), known + rest)

    def service_of(self, document: Mapping[str, Any]) -> str:
        """Give the service of a document that is no record; empty where no field names one."""
        labels = {self._name(name): value for name, value in _flat(document, "", 0) if name in self.label_fields}
        service = with_service_name(labels, CONTAINER)[SERVICE_NAME]
        return "" if service == UNKNOWN_SERVICE else service

    def _name(self, key: str) -> str:
        name = self.names.get(key)
        if name is None:
            if len(self.names) >= _MOST_NAMES:
                self.names.clear()
            name = self.names[key] = label_name(key, _STYLE)
        return name


def _flat(document: Mapping[str, Any], before: str, depth: int) -> Iterator[tuple[str, str]]:
    for key, value in document.items():
        name = f"{before}{key}"
        if isinstance(value, Mapping) and depth < _DEEPEST:
            yield from _flat(value, f"{name}.", depth + 1)
        elif value is not None and name:
            yield name, value if isinstance(value, str) else orjson.dumps(value).decode()


def _time(fields: dict[str, str]) -> int | None:
    for name in _TIMES:
        said = fields.get(name)
        ts_ns = None if said is None else from_text(said)
        if ts_ns is None and said is not None:
            ts_ns = from_number(said)
        if ts_ns is not None:
            del fields[name]
            return ts_ns
        if said is not None and name == "@timestamp":
            raise InvalidError(f"failed to parse date field [{said[:80]}] in [@timestamp]")
    return None


def _body(fields: dict[str, str], document: Mapping[str, Any]) -> tuple[str, bool]:
    for name in _BODIES:
        if name in fields:
            return fields.pop(name).rstrip("\r\n"), False
    kept = {name: value for name, value in document.items() if name != "@timestamp"}
    return orjson.dumps(kept).decode(), True


def _known(fields: dict[str, str]) -> Pairs:
    found: Pairs = []
    for column, names, form in (
        ("detected_level", _LEVELS, normalise),
        ("trace_id", _TRACES, trace_id),
        ("span_id", _SPANS, span_id),
    ):
        name = next((name for name in names if fields.get(name)), "")
        said = form(fields[name]) if name else ""
        if said:
            del fields[name]
            found.append((column, said))
    return found
