"""What Jaeger's clients write into queries: times in microseconds, durations as Go's, tags as JSON."""

from __future__ import annotations

from typing import Any, Final

import orjson

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.logs.logql.quantities import parse_duration_ns
from holdfast.telemetry.traces.jaeger.shapes import KINDS_BY_WORD
from holdfast.telemetry.traces.selection import TraceSearch
from holdfast.telemetry.traces.spans import SpanKind, SpanStatus

MOST: Final = 1500
_NS_PER_US: Final = 1000
_HOUR_NS: Final = 3600 * 10**9


def read_search(query: dict[str, str], now_ns: int) -> TraceSearch:
    """Give the search of `/api/traces`.

    Raises:
        InvalidError: a parameter cannot be read; the message names it.
    """
    if not query.get("service"):
        raise InvalidError("parameter 'service' is required", hint="say whose traces: ?service=shop")
    end_ns = _time(query, "end", now_ns)
    start_ns = _time(query, "start", end_ns - (_duration(query, "lookback") or _HOUR_NS))
    attributes = _tags(query)
    status = SpanStatus.ERROR if attributes.get("error") == "true" else None
    kind = KINDS_BY_WORD.get(attributes.get("span.kind", ""))
    if status is not None:
        del attributes["error"]
    if kind is not None:
        del attributes["span.kind"]
    operation = query.get("operation", "")
    return TraceSearch(
        start_ns,
        end_ns + 1,
        query["service"],
        "" if operation == "all" else operation,
        attributes,
        _duration(query, "minDuration"),
        _duration(query, "maxDuration"),
        status,
        kind,
        _limit(query),
    )


def read_kind(word: str) -> SpanKind | None:
    """Give the kind that a word names; None for none.

    Raises:
        InvalidError: it names none.
    """
    if word and word not in KINDS_BY_WORD:
        raise InvalidError(f"unsupported span kind: {word!r}", hint=f"one of {', '.join(sorted(KINDS_BY_WORD))}")
    return KINDS_BY_WORD.get(word)


def _time(query: dict[str, str], name: str, otherwise_ns: int) -> int:
    text = query.get(name, "")
    if not text:
        return otherwise_ns
    if not text.lstrip("-").isdecimal():
        raise InvalidError(f"unable to parse param '{name}': {text!r}", hint="microseconds since 1970")
    return int(text) * _NS_PER_US


def _duration(query: dict[str, str], name: str) -> int:
    text = query.get(name, "")
    length = parse_duration_ns(text, knows_days=True) if text else 0
    if length is None:
        raise InvalidError(f"unable to parse param '{name}': {text!r}", hint="such as 1.2s, 100ms, 500us")
    return length


def _limit(query: dict[str, str]) -> int:
    text = query.get("limit", "") or "20"
    if not text.isdecimal() or not 0 < int(text) <= MOST:
        raise InvalidError(f"unable to parse param 'limit': {text!r}", hint=f"1 to {MOST}")
    return int(text)


def _tags(query: dict[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    if text := query.get("tags", ""):
        try:
            document: Any = orjson.loads(text)
        except orjson.JSONDecodeError:
            document = None
        if not isinstance(document, dict):
            raise InvalidError(f"malformed 'tags' parameter: {text!r}", hint='a JSON object: {"error":"true"}')
        found = {str(key): _text(value) for key, value in document.items()}
    if text := query.get("tag", ""):
        key, colon, value = text.partition(":")
        if not colon:
            raise InvalidError(f"malformed 'tag' parameter: {text!r}", hint="key:value")
        found[key] = value
    return found


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
