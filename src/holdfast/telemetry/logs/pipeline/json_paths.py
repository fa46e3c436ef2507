"""Paths of `| json label="a.b[0]"`: where in a document a value stands."""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

from holdfast.telemetry.logs.logql.nodes import Extraction
from holdfast.telemetry.logs.pipeline.entries import JSON_ERROR, Entry, Step
from holdfast.telemetry.logs.pipeline.json_scanning import JsonScanError, find

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


def paths_step(fields: tuple[Extraction, ...]) -> Step:
    """Give the step of `| json label="path"`.

    Raises:
        ValueError: a path is none.
    """
    paths = [(field.label, parse_path(field.path)) for field in fields]

    def take(entry: Entry) -> bool:
        line = entry.line
        if not line:
            return True
        if line[0] not in '{["':
            entry.fail(JSON_ERROR, "")
            return True
        try:
            document = orjson.loads(line)
        except orjson.JSONDecodeError:
            document = _MISSING
        for label, path in paths:
            value = None if document is _MISSING else _label(document, path)
            entry.put_parsed(label, _scanned(entry, path) if value is None else value)
        return True

    return take


def _label(document: Any, path: Path) -> str | None:
    """Give the value at a path as a label holds it; None if it must be taken as it is written."""
    match _walk(document, path):
        case str() as text:
            return text.replace("\ufffd", " ")
        case None:
            return ""
        case bool() as truth:
            return "true" if truth else "false"
        case int() as number:
            return str(number)
        case _:
            return None


def _walk(document: Any, path: Path) -> Any:
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
    return value


def _scanned(entry: Entry, path: Path) -> str:
    try:
        value = find(entry.line, path)
    except JsonScanError:
        return ""
    return "" if value is None else value.text
