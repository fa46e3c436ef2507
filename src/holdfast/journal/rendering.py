"""Turns an event into one line: JSON, logfmt, or something pretty for a terminal.

By now its values are redacted and plain; whatever still has no place in a format is written as text.
"""

from __future__ import annotations

import json
import re
import sys
import traceback
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import structlog

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from structlog.typing import Processor

    Event = MutableMapping[str, Any]

LEADING_FIELDS: Final = frozenset({"timestamp", "level", "event"})
LEVEL_NAMES: Final = {"warn": "warning", "exception": "error", "fatal": "critical", "msg": "info"}
UNSAFE_LOGFMT: Final = re.compile(r'[\s="\\\x00-\x1f\x7f]')

encode_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


class Format(StrEnum):
    """The shapes of a line."""

    JSON = "json"
    LOGFMT = "logfmt"
    PRETTY = "pretty"


def render_json(_logger: Any, _level: str, event: Any) -> str:
    """Render an event as one JSON object."""
    try:
        return encode_json(event)
    except ValueError:  # not a number, or infinite: JSON has neither
        return encode_json(_without_strange_floats(event))


def _without_strange_floats(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_strange_floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_strange_floats(item) for item in value]
    if isinstance(value, float) and not float("-inf") < value < float("inf"):
        return str(value)
    return value


def render_logfmt(_logger: Any, _level: str, event: Event) -> str:
    """Render an event as `key=value` pairs; values that could be misread are quoted as in JSON."""
    return " ".join(f"{UNSAFE_LOGFMT.sub('_', name)}={_logfmt_value(value)}" for name, value in event.items())


def _logfmt_value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = render_json(None, "", value) if isinstance(value, (dict, list)) else str(value)
    return encode_json(text) if not text or UNSAFE_LOGFMT.search(text) else text


def choose_renderer(shape: Format, *, colours: bool) -> Processor:
    """Give the last processor of the chain for a format."""
    if shape is Format.JSON:
        return render_json
    if shape is Format.LOGFMT:
        return render_logfmt
    return structlog.dev.ConsoleRenderer(colors=colours, pad_event_to=0, sort_keys=False)


def make_stamp(service: str) -> Processor:
    """Make the processor that puts time, level and event first; a field of the same name gets a `_` behind it."""

    def stamp(_logger: Any, level: str, event: Event) -> Event:
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        stamped: Event = {
            "timestamp": f"{now[:-6]}Z",
            "level": LEVEL_NAMES.get(level, level),
            "event": event.pop("event", ""),
        }
        if service:
            event.setdefault("service", service)
        for name, value in event.items():
            stamped[f"{name}_" if name in LEADING_FIELDS else name] = value
        return stamped

    return stamp


def describe_error(_logger: Any, _level: str, event: Event) -> Event:
    """Replace `exc_info` by the error's type, message and stack, named as OpenTelemetry names them."""
    error = _find_error(event.pop("exc_info", None))
    if error is not None:
        event["exception.type"] = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
        event["exception.message"] = str(error)
        event["exception.stacktrace"] = "".join(traceback.format_exception(error))
    return event


def _find_error(exc_info: Any) -> BaseException | None:
    found = exc_info[1] if isinstance(exc_info, tuple) else exc_info
    if isinstance(found, BaseException):
        return found
    return sys.exception() if found else None
