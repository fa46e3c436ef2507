"""Lines of `key=value` pairs: cut as Loki's parser does, which takes what it can and says what it could not.

A key without a value has an empty one. A value in double quotes may hold JSON's escapes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

_PAIR: Final = re.compile(
    r'\s*(?P<key>[^\s="]+)(?:=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"(?=\s|$)|(?P<bare>[^\s="]*)(?=\s|$)))?'
)
_REST: Final = re.compile(r'[^\s="]+="(?:[^"\\]|\\.)*\Z|\S*')  # a value that never ends takes the rest with it


class LogfmtError(ValueError):
    """A place that holds no pair."""


def pairs(line: str, *, is_strict: bool) -> Iterable[tuple[str, str]]:
    """Give the pairs of a line; what is none is passed over, or ends a strict reading.

    Raises:
        LogfmtError: strict, and a place holds no pair.
    """
    if '"' not in line:
        simple = [part.partition("=") for part in line.split()]
        if all(key and "=" not in value for key, _, value in simple):
            return [(key, value) for key, _, value in simple]
    return _scan(line, is_strict=is_strict)


def _scan(line: str, *, is_strict: bool) -> Iterator[tuple[str, str]]:
    at, length = 0, len(line.rstrip())
    while at < length:
        match = _PAIR.match(line, at)
        if match is not None and (match.end() >= length or line[match.end()].isspace()):
            at = match.end()
            yield match["key"], _value(match)
            continue
        start = at + len(line[at:]) - len(line[at:].lstrip())
        if is_strict:
            message = f"logfmt syntax error at pos {start + 1} : unexpected {line[start]!r}"
            raise LogfmtError(message)
        rest = _REST.match(line, start)
        at = max(rest.end() if rest else start, start + 1)


def _value(match: re.Match[str]) -> str:
    quoted = match["quoted"]
    if quoted is None:
        return match["bare"] or ""
    if "\\" not in quoted:
        return quoted
    try:
        return str(json.loads(f'"{quoted}"', strict=False))
    except ValueError:
        return quoted
