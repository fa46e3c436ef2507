"""Paths of `| json label="a.b[0]"`: where in a document a value stands."""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

Path = tuple[str | int, ...]
_PART: Final = re.compile(
    r'\.?(?P<name>[a-zA-Z_][a-zA-Z0-9_-]*)|\[(?P<index>[0-9]+)\]|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]'
)
_MISSING: Final = object()


def parse_path(text: str) -> Path:
    """Read a path.

    Raises:
        ValueError: it is none.
    """
    path: list[str | int] = []
    at = 0
    while at < len(text):
        match = _PART.match(text, at)
        if match is None or (at == 0 and text.startswith(".")):
            message = f"cannot parse expression [{text}]: syntax error at {at + 1}"
            raise ValueError(message)
        if match["index"] is not None:
            path.append(int(match["index"]))
        else:
            path.append(match["name"] if match["name"] is not None else orjson.loads(match["quoted"]))
        at = match.end()
    if not path:
        message = "cannot parse expression []: it is empty"
        raise ValueError(message)
    return tuple(path)


def find(document: Any, path: Path) -> str | None:
    """Give the value at a path as a label holds it: text as it is, objects and lists as JSON; None if there is none."""
    value = document
    for part in path:
        if isinstance(value, dict) and isinstance(part, str):
            value = value.get(part, _MISSING)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
        if value is _MISSING:
            return None
    return shown(value)


def shown(value: Any) -> str:
    """Give a value as a label holds it."""
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case dict() | list():
            return orjson.dumps(value).decode()
        case _:
            return str(value)
