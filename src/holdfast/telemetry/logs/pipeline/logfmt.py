"""Lines of `key=value` pairs: cut as Loki's parser does, which takes what it can and says what it could not.

A key without a value has an empty one. A value in double quotes may hold JSON's escapes. Spaces and control characters
of ASCII part pairs, other spaces do not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

_PAIR: Final = re.compile(
    r'[\x00-\x20]*(?P<key>[^\x00-\x20="]+)'
    r'(?:="(?P<quoted>(?:[^"\\]|\\.)*+)"|(?:=(?P<bare>[^\x00-\x20="]*+))?(?=[\x00-\x20]|\Z))',
    re.DOTALL,
)
_KEY: Final = re.compile(r'[\x00-\x20]*([^\x00-\x20="]*)')
_BARE: Final = re.compile(r'[^\x00-\x20="]*')
_SPACES: Final = " \t\n"
_NAME: Final = re.compile(rf"[{_SPACES}]*[a-zA-Z_][a-zA-Z0-9_]*")
_PATH: Final = re.compile(rf'[{_SPACES}]*(?:(?P<name>[a-zA-Z_][a-zA-Z0-9_]*)|"(?P<quoted>[^"\]]*)["\]]?)[{_SPACES}]*')
_REST: Final = re.compile(r"[^\x00-\x20]*")
_BLANKS: Final = "".join(map(chr, range(0x21)))


class LogfmtError(ValueError):
    """A place that holds no pair."""


def pairs(line: str, *, is_strict: bool) -> Iterable[tuple[str, str]]:
    """Give the pairs of a line; what is none is passed over, or ends a strict reading.

    Raises:
        LogfmtError: strict, and a place holds no pair.
    """
    if '"' not in line and line.isprintable():
        simple = [part.partition("=") for part in line.split()]
        if all(key and "=" not in value for key, _, value in simple):
            return [(key, value) for key, _, value in simple]
    return _scan(line, is_strict=is_strict)


def _scan(line: str, *, is_strict: bool) -> Iterator[tuple[str, str]]:
    at, length = 0, len(line.rstrip(_BLANKS))
    while at < length:
        match = _PAIR.match(line, at)
        value = None if match is None else _value(match)
        if match is not None and value is not None:
            at = match.end()
            yield match["key"], value
            continue
        place, problem = (match.end(), "invalid quoted value") if match else _problem(line, at)
        if is_strict:
            message = f"logfmt syntax error at pos {len(line[:place].encode()) + 1} : {problem}"
            raise LogfmtError(message)
        if match:
            at = match.end()
        elif problem.startswith("unterminated"):  # it takes the rest with it
            return
        else:
            rest = _REST.match(line, place)
            at = max(rest.end() if rest else place, place + 1)


def _problem(line: str, at: int) -> tuple[int, str]:
    """Give the place that holds no pair, and what is wrong there."""
    key = _KEY.match(line, at)
    assert key is not None  # it matches anything
    place = key.end()
    if key[1] and line[place] == "=":
        if line[place + 1] == '"':
            return len(line), "unterminated quoted value"
        bare = _BARE.match(line, place + 1)
        place = bare.end() if bare else place
    return place, f"unexpected '{line[place]}'"


def check_path(text: str) -> str:
    """Give the key that a field of `logfmt` names: a name, or anything in double quotes.

    Raises:
        ValueError: it is none.
    """
    found = _PATH.fullmatch(text)
    if found is None:
        rest = _NAME.sub("", text, count=1).lstrip(_SPACES)
        odd = rest[:1]
        if not odd:
            problem = "syntax error: unexpected $end, expecting STRING or KEY"
        elif _NAME.match(rest):
            problem = "syntax error: unexpected KEY"
        else:
            problem = f"unexpected char {odd}"
        raise ValueError(f"cannot parse expression [{text}]: {problem}")
    return found["name"] or found["quoted"]


def _value(match: re.Match[str]) -> str | None:
    """Give the value of a pair; None if it holds what is no escape."""
    quoted = match["quoted"]
    if quoted is None:
        return match["bare"] or ""
    if "\\" not in quoted:
        return quoted
    try:
        return str(json.loads(f'"{quoted}"', strict=False))
    except ValueError:
        return None
