"""What one line tells of itself: of JSON its fields, of logfmt and text what stands as `name=value` or at the start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson

from holdfast.telemetry.logs.level_words import normalise
from holdfast.telemetry.logs.recognition.ids import span_id, trace_id
from holdfast.telemetry.logs.recognition.times import from_number, from_text

_TIMES: Final = ("@timestamp", "timestamp", "time", "ts", "datetime", "asctime", "t", "Timestamp", "Time")
_LEVELS: Final = ("level", "log.level", "log_level", "severity", "levelname", "lvl", "Level", "severity_text")
_TRACES: Final = ("trace_id", "traceId", "traceID", "trace.id", "otelTraceID", "TraceId", "traceid")
_SPANS: Final = ("span_id", "spanId", "spanID", "span.id", "otelSpanID", "SpanId", "spanid")
_SERVICES: Final = ("service.name", "service_name", "service", "app", "application", "otelServiceName")
# Numbers of pino and bunyan.
_NUMBERS: Final = {10: "trace", 20: "debug", 30: "info", 40: "warn", 50: "error", 60: "fatal"}
_TRACE: Final = re.compile(r"""\btrace[_.]?id["']?\s*[=:]\s*["']?([0-9a-f][0-9a-f-]{14,34}[0-9a-f])\b""", re.IGNORECASE)
_SPAN: Final = re.compile(r"""\bspan[_.]?id["']?\s*[=:]\s*["']?([0-9a-f]{16})\b""", re.IGNORECASE)
_PARENT: Final = re.compile(r"\b00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}\b")
_TIME: Final = re.compile(r"""(?:^|\s)(?:ts|time|timestamp)=(?:"([^"]{1,40})"|(\S{1,40}))""")
_BRACKET: Final = re.compile(r"^\S+ \S+ \S+ \[([^\]]{26})\]|^\[([^\]]{10,40})\]")
_LONGEST_JSON: Final = 1_000_000


class Recognised(NamedTuple):
    """What a line tells; empty where it tells nothing. `ts_ns` is None where it names no time."""

    ts_ns: int | None = None
    level: str = ""
    service: str = ""
    trace_id: str = ""
    span_id: str = ""

    def pairs(self) -> list[tuple[str, str]]:
        """Give what goes to the columns of a record."""
        known = (("detected_level", self.level), ("trace_id", self.trace_id), ("span_id", self.span_id))
        return [(name, value) for name, value in known if value]


def recognise(line: str) -> Recognised:
    """Say what a line tells; never fails, whatever stands in it."""
    if line[:1] == "{" and len(line) <= _LONGEST_JSON:
        try:
            document = orjson.loads(line)
        except orjson.JSONDecodeError:
            return _of_text(line)
        return of_document(document) if isinstance(document, Mapping) else Recognised()
    return _of_text(line)


def of_document(document: Mapping[str, Any]) -> Recognised:
    """Say what the fields of a JSON object tell."""
    at = _first(document, _TIMES)
    if at is None and _is_unix_time(document.get("date")):
        at = document["date"]
    ts_ns = from_number(at) if isinstance(at, int | float) else from_text(at) if isinstance(at, str) else None
    said = _first(document, _LEVELS)
    level = _NUMBERS.get(int(said), "") if _is_number(said) else normalise(said) if isinstance(said, str) else ""
    service = _first(document, _SERVICES)
    return Recognised(
        ts_ns,
        level,
        service if isinstance(service, str) else "",
        trace_id(str(_first(document, _TRACES) or "")),
        span_id(str(_first(document, _SPANS) or "")),
    )


def _is_unix_time(said: Any) -> bool:
    """Tell Fluent Bit's `date` from the day of a delivery, which `date` is elsewhere."""
    return isinstance(said, int | float) and said >= 1e9


def _is_number(said: Any) -> bool:
    return isinstance(said, int | float) and not isinstance(said, bool) and abs(said) < 1e9


def _first(document: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    for name in names:
        found = document.get(name)
        if found is None and "." in name:
            outer, _, inner = name.partition(".")
            within = document.get(outer)
            found = within.get(inner) if isinstance(within, Mapping) else None
        if found is not None and not isinstance(found, Mapping | list):
            return found
    return None


def _of_text(line: str) -> Recognised:
    ts_ns, trace, span = _time_of(line), "", ""
    if "race" in line or "RACE" in line:
        if found := _PARENT.search(line):
            trace, span = found.groups()
        elif found := _TRACE.search(line):
            trace = trace_id(found[1])
    if not span and ("pan" in line or "PAN" in line) and (found := _SPAN.search(line)):
        span = span_id(found[1])
    return Recognised(ts_ns, trace_id=trace, span_id=span)


def _time_of(line: str) -> int | None:
    if line[:4].isdigit():
        return from_text(line[:40], is_whole=False)
    if found := _BRACKET.match(line):
        return from_text(found[1] or found[2])
    found = _TIME.search(line) if "t" in line[:200] else None
    return from_text(found[1] or found[2]) if found else None
