"""Paths of `| json label="a.b[0]"`: where in a document a value stands."""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

from holdfast.telemetry.logs.logql.nodes import Extraction
from holdfast.telemetry.logs.pipeline.entries import JSON_ERROR, Entry, Step
from holdfast.telemetry.logs.pipeline.json_scanning import JsonScanError, find

Path = tuple[str | int, ...]
_TOKEN: Final = re.compile(
    r'[ \t\n]*(?:(?P<FIELD>[a-zA-Z_][a-zA-Z0-9_]*)|(?P<INDEX>[0-9]+)(?=[ \t\n\]]|\Z)|(?P<STRING>"(?:[^"\\]|\\.)*")'
    r"|(?P<DOT>\.)|(?P<LSB>\[)|(?P<RSB>\])|(?P<end>\Z)|(?P<other>.))",
    re.DOTALL,
)
_END: Final = "$end"
_NEXT: Final = {  # what may follow, by what stood before, in the order in which Loki lists it
    "": ("LSB", "FIELD"),
    "LSB": ("STRING", "INDEX"),
    "STRING": ("RSB",),
    "INDEX": ("RSB",),
    "DOT": ("FIELD",),
}
_GOES_ON: Final = frozenset({"DOT", "LSB"})
_MISSING: Final = object()


def parse_path(text: str) -> Path:
    """Read a path.

    Raises:
        ValueError: it is none.
    """
    path: list[str | int] = []
    before, at = "", 0
    while True:
        match = _TOKEN.match(text, at)
        assert match is not None  # it ends with "any character or the end"
        kind = match.lastgroup or ""
        if kind == "other" and before in {"FIELD", "RSB"}:
            raise ValueError(f"cannot parse expression [{text}]: unexpected char {match[kind]}")
        kind = _END if kind in {"end", "other"} else kind
        if kind == _END and before in {"FIELD", "RSB"}:
            return tuple(path)
        _check(text, before, kind)
        if kind == "INDEX":
            path.append(int(match[kind]))
        elif kind == "FIELD":
            path.append(match[kind])
        elif kind == "STRING":
            path.append(_quoted(match[kind]))
        before, at = kind, match.end()


def _check(text: str, before: str, kind: str) -> None:
    wanted = _NEXT.get(before)
    if kind in (_GOES_ON if wanted is None else wanted):
        return
    expected = f", expecting {' or '.join(wanted)}" if wanted else ""
    raise ValueError(f"cannot parse expression [{text}]: syntax error: unexpected {kind}{expected}")


def _quoted(text: str) -> str:
    try:
        return str(orjson.loads(text))
    except orjson.JSONDecodeError:
        return text[1:-1]


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
            value = _scanned(entry, path) if value is None else value
            if value is not _MISSING:
                entry.put_parsed(label, str(value))
            elif entry.find(label) is None:  # a label of the stream stays alone where nothing was found
                entry.put_parsed(label, "")
        return True

    return take


def _label(document: Any, path: Path) -> Any:
    """Give the value at a path as a label holds it; None if it must be taken as it is written, or `_MISSING`."""
    value = _walk(document, path)
    if value is _MISSING:
        return _MISSING
    match value:
        case str() as text:
            return text.replace("\ufffd", " ")
        case None:
            return ""
        case bool() as truth:
            return "true" if truth else "false"
        case int() as number:
            return str(number) if number else None  # it may be written -0
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
            return _MISSING
        if value is _MISSING:
            return _MISSING
    return value


def _scanned(entry: Entry, path: Path) -> Any:
    try:
        value = find(entry.line, path)
    except JsonScanError as error:
        entry.fail(JSON_ERROR, str(error))
        return _MISSING
    return _MISSING if value is None else value.text
