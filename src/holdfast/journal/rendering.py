"""Gives a line its shape: JSON, logfmt, or something pretty for a terminal. JSON's fast way stands in `pipeline`.

By now its values are redacted and plain; whatever still has no place in a format is written as text.
"""

from __future__ import annotations

import re
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import structlog

from holdfast.journal.encoding import encode_json, escape

UNSAFE_LOGFMT: Final = re.compile(r'[\s="\\\x00-\x1f\x7f]')
NANOSECONDS: Final = 1_000_000_000

Fields = dict[str, Any]
Render = Callable[[Fields], str]


class Format(StrEnum):
    """The shapes of a line."""

    JSON = "json"
    LOGFMT = "logfmt"
    PRETTY = "pretty"


def render_json(fields: Fields) -> str:
    """Render fields as one JSON object."""
    return encode_json(fields)


def render_logfmt(fields: Fields) -> str:
    """Render fields as `key=value` pairs; values that could be misread are quoted as in JSON."""
    return " ".join(f"{UNSAFE_LOGFMT.sub('_', name) or '_'}={_logfmt_value(value)}" for name, value in fields.items())


def _logfmt_value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value) if isinstance(value, str) else encode_json(value).strip('"')
    return escape(text) if not text or UNSAFE_LOGFMT.search(text) else text


def choose_renderer(shape: Format, *, colours: bool) -> Render:
    """Give what renders a format."""
    if shape is Format.JSON:
        return render_json
    if shape is Format.LOGFMT:
        return render_logfmt
    console = structlog.dev.ConsoleRenderer(colors=colours, pad_event_to=0, sort_keys=False)
    return lambda fields: str(console(None, str(fields["level"]), fields))


class Stamp:
    """The time of a line, in UTC with microseconds; what does not change within a second is made once."""

    __slots__ = ("_second",)

    def __init__(self) -> None:
        self._second = (0, "")

    def now(self) -> str:
        """Give the time now."""
        second, rest = divmod(time.time_ns(), NANOSECONDS)
        known, text = self._second
        if known != second:
            text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.")
            self._second = (second, text)
        return f"{text}{rest // 1000:06d}Z"


def describe_error(exc_info: Any) -> Fields:
    """Give an error's type, message and stack, named as OpenTelemetry names them; nothing when there is none."""
    error = _find_error(exc_info)
    if error is None:
        return {}
    return {
        "exception.type": f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins."),
        "exception.message": _message_of(error),
        "exception.stacktrace": "".join(traceback.format_exception(error)),
    }


def _message_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as second:  # noqa: BLE001 -- fence: plugin, a stranger's __str__
        return f"<{type(error).__name__} whose __str__ raised {type(second).__name__}>"


def _find_error(exc_info: Any) -> BaseException | None:
    found = exc_info[1] if isinstance(exc_info, tuple) else exc_info
    if isinstance(found, BaseException):
        return found
    return sys.exception() if found else None
