"""Refuses JSON that no route can keep: cut off, nested without end, with numbers or letters that JSON does not have.

Sources: RFC 8259 for the form, RFC 7493 (I-JSON) for lone surrogates and numbers past a double. PostgreSQL has no NUL.
Reads bodies below the API's own prefix, but none of signals: their doors read more, aside, and keep more.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from holdfast.kernel.errors import InvalidError, Place
from holdfast.web.asgi import header

if TYPE_CHECKING:
    from collections.abc import Awaitable, Collection, Iterable

    from holdfast.web.asgi import AsgiApp, Message, Receive, Scope, Send

MOST_DEPTH: Final = 100
_MOST_NAME: Final = 100  # letters of a name that a sender made up
_BODY: Final = Place(field="body")
_JSON: Final = re.compile(rb"application/([^;]*\+)?json\s*(;|$)", re.IGNORECASE)
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)  # one without an end is not looked for again
_WORD: Final = re.compile(rb"NaN|Infinity")
_OTHERS: Final = bytes(set(range(256)) - set(b"[]{}"))
_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")  # one up, one down as signed bytes


class SoundJson:
    """Wraps the app; a body that is declared as JSON is whole and sound once a route has read it."""

    def __init__(self, app: AsgiApp, *, prefix: str, doors: Collection[str] = ()) -> None:
        self._app = app
        self._prefix = prefix
        self._doors = frozenset(doors)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request."""
        path = scope.get("path", "")
        is_ours = scope["type"] == "http" and path.startswith(self._prefix) and path not in self._doors
        if not is_ours or not _JSON.match(header(scope["headers"], b"content-type") or b""):
            return self._app(scope, receive, send)
        parts: list[bytes] = []

        async def judged() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                parts.append(message.get("body", b""))
                if not message.get("more_body", False):
                    demand_sound(b"".join(parts))
                    parts.clear()
            return message

        return self._app(scope, judged, send)


def demand_sound(body: bytes) -> None:
    """Refuse a body that is no sound JSON; an empty one is left to the route.

    Raises:
        InvalidError: with the line and column of the fault.
    """
    text = body.removeprefix(codecs.BOM_UTF8)
    if not text.strip():
        return
    steps = np.frombuffer(_STRING.sub(b"", text).translate(_STEPS, _OTHERS), np.int8)
    if len(steps) > MOST_DEPTH and int(np.cumsum(steps, dtype=np.int64).max()) > MOST_DEPTH:
        raise InvalidError(f"the JSON is nested deeper than {MOST_DEPTH} levels", hint="flatten it", place=_BODY)
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        word = _WORD.match(text[error.pos :]) if error.doc.isascii() else None
        what = f"{word[0].decode()} is no number in JSON, {error}" if word else f"the body is no JSON: {error}"
        hint = "write null, or leave the field out" if word else "send JSON in UTF-8, without lone surrogates"
        raise InvalidError(what, hint=hint, place=_BODY) from None
    if b"\\u0000" in text and (field := _find_nul(value, "body")):
        raise InvalidError(
            "the text holds NUL, \\u0000", hint="remove it: no database keeps it", place=Place(field=field)
        )


def _find_nul(value: Any, field: str) -> str:
    """Give the first field with a NUL in its text, or in a name below it; nothing if there is none."""
    if isinstance(value, str):
        return field if "\0" in value else ""
    parts: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, list):
        parts = enumerate(value)
    elif isinstance(value, dict):
        if any("\0" in name for name in value):
            return field
        parts = value.items()
    return next((found for name, each in parts if (found := _find_nul(each, f"{field}.{_short(str(name))}"))), "")


def _short(name: str) -> str:
    return name if len(name) <= _MOST_NAME else f"{name[:_MOST_NAME]}..."
