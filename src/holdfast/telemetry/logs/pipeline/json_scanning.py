"""JSON read from the left as far as it gets: what stands before a fault is taken, what stands behind the object is not.

Loki's parser reads so, which shows on lines that are cut, or that are no whole JSON. Values come as they are written.
Lines that are good JSON are read more quickly by `parsing`; this is the reference for all others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

BAD_OBJECT: Final = "Value looks like object, but can't find closing '}' symbol"
_BAD_ARRAY: Final = "Value looks like array, but can't find closing ']' symbol"
_BAD_STRING: Final = "Value is string, but can't find closing '\"' symbol"
_BAD_JSON: Final = "Malformed JSON error"
_UNKNOWN: Final = "Unknown value type"
_SPACE: Final = re.compile(r"[ \t\n\r]*")
_STRING: Final = re.compile(r'"((?:[^"\\]|\\.)*+)"', re.DOTALL)
_BARE: Final = re.compile(r"[^ \t\n\r,\]}]*")
_NEXT_KEY: Final = re.compile(r'[^"}]*"')
_LOOSE: Final = re.compile(r'\\.|"', re.DOTALL)
_MARK: Final = re.compile(r'"(?:[^"\\]|\\.)*+"|["{}\[\]]', re.DOTALL)
_CLOSING: Final = {"{": "}", "[": "]"}
_WORDS: Final = {"true", "false", "null"}
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class JsonScanError(ValueError):
    """Where the reading stopped."""


class Form(StrEnum):
    """What a value is."""

    STRING = '"'
    OBJECT = "{"
    ARRAY = "["
    BARE = ""


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a document; `start` and `end` are places in its text, of a string within its quotes."""

    document: str
    form: Form
    start: int
    end: int

    @property
    def text(self) -> str:
        """As a label holds it: a string and a list unescaped, null empty, all else as it is written."""
        raw = self.document[self.start : self.end]
        if self.form is Form.STRING:
            return unescape(raw)
        if self.form is Form.ARRAY:
            return unescape(_LOOSE.sub(_escaped_quote, raw) if "\\" in raw else raw)
        return "" if raw == "null" else raw

    @property
    def is_null(self) -> bool:
        """Whether it is null."""
        return self.form is Form.BARE and self.document[self.start : self.end] == "null"


def members(document: str, at: int = 0) -> Iterator[tuple[str, Value]]:
    """Give the keys and values of the object that begins at a place, as far as they can be read.

    Raises:
        JsonScanError: behind the last that could.
    """
    at = _skip(document, at)
    if document[at : at + 1] != "{":
        raise JsonScanError(BAD_OBJECT)
    at = _needed(document, at + 1, _BAD_JSON)
    if document[at] == "}":
        return
    while document[at] != "}":
        if document[at] != '"':
            raise JsonScanError(BAD_OBJECT)
        key = _STRING.match(document, at)
        if key is None:
            raise JsonScanError(_BAD_JSON)
        at = _needed(document, key.end(), _BAD_JSON)
        if document[at] != ":":
            raise JsonScanError(_BAD_JSON)
        value, at = _value(document, at + 1)
        yield unescape(key[1]), value
        at = _needed(document, at, _BAD_ARRAY)
        if document[at] == "}":
            return
        if document[at] != ",":
            raise JsonScanError(BAD_OBJECT)
        at = _needed(document, at + 1, _BAD_ARRAY)


def find(document: str, path: tuple[str | int, ...]) -> Value | None:
    """Give the value at a path; None if there is none.

    Raises:
        JsonScanError: the value cannot be read; what stands before it need not be sound.
    """
    value = _root(document)
    for part in path:
        inner = _inner(document, value, part)
        if inner is None:
            return None
        value = inner
    return value


def _root(document: str) -> Value:
    """Give the whole document; an object need not be closed, so that what stands before a cut is found."""
    at = _skip(document, 0)
    if document[at : at + 1] == "{":
        return Value(document, Form.OBJECT, at, len(document))
    return _value(document, at)[0]


def _inner(document: str, value: Value, part: str | int) -> Value | None:
    if isinstance(part, int):
        elements = _elements(document, value.start) if value.form is Form.ARRAY else iter(())
        return next((each for place, each in enumerate(elements) if place == part), None)
    return _member(document, value.start + 1, part) if value.form is Form.OBJECT else None


def _member(document: str, at: int, wanted: str) -> Value | None:
    """Give the first value of a key; what the others hold is passed over, sound or not, as Loki does."""
    while _NEXT_KEY.match(document, at) and (key := _STRING.search(document, at)) is not None:
        at = _skip(document, key.end())
        if document[at : at + 1] != ":":
            continue
        if unescape(key[1]) == wanted:
            return _value(document, at + 1)[0]
        try:
            at = _passed(document, _skip(document, at + 1))
        except JsonScanError:
            return None
    return None


def _passed(document: str, at: int) -> int:
    """Give where a value ends that is not looked at."""
    first = document[at : at + 1]
    if first in _CLOSING:
        return _block_end(document, at, first)
    string = _STRING.match(document, at)
    return string.end() if string else at + len((_BARE.match(document, at) or [""])[0])


def _elements(document: str, at: int) -> Iterator[Value]:
    at = _needed(document, at + 1, _BAD_ARRAY)
    while document[at] != "]":
        value, at = _value(document, at)
        yield value
        at = _needed(document, at, _BAD_ARRAY)
        if document[at] == ",":
            at = _needed(document, at + 1, _BAD_ARRAY)
        elif document[at] != "]":
            raise JsonScanError(_BAD_ARRAY)


def _value(document: str, at: int) -> tuple[Value, int]:
    at = _needed(document, at, _BAD_JSON)
    first = document[at]
    if first == '"':
        string = _STRING.match(document, at)
        if string is None:
            raise JsonScanError(_BAD_STRING)
        return Value(document, Form.STRING, string.start(1), string.end(1)), string.end()
    if first in _CLOSING:
        end = _block_end(document, at, first)
        return Value(document, Form(first), at, end), end
    bare = _BARE.match(document, at)
    assert bare is not None  # it matches nothing too
    if bare[0] not in _WORDS and not bare[0][:1].isdigit() and not bare[0].startswith("-"):
        raise JsonScanError(_UNKNOWN)
    return Value(document, Form.BARE, at, bare.end()), bare.end()


def _block_end(document: str, at: int, opening: str) -> int:
    closing, depth = _CLOSING[opening], 0
    for mark in _MARK.finditer(document, at):
        if mark[0] == opening:
            depth += 1
        elif mark[0] == closing:
            depth -= 1
            if not depth:
                return mark.end()
        elif mark[0] == '"':
            break
    raise JsonScanError(BAD_OBJECT if opening == "{" else _BAD_ARRAY)


def _skip(document: str, at: int) -> int:
    space = _SPACE.match(document, at)
    assert space is not None  # it matches nothing too
    return space.end()


def _needed(document: str, at: int, problem: str) -> int:
    """Give the place of the next token."""
    at = _skip(document, at)
    if at >= len(document):
        raise JsonScanError(problem)
    return at


def _escaped_quote(found: re.Match[str]) -> str:
    return '\\"' if found[0] == '"' else found[0]


def unescape(raw: str) -> str:
    """Give the text of a string that stands between quotes; empty if it holds what is no escape."""
    if "\\" in raw:
        try:
            raw = json.loads(f'"{raw}"', strict=False)
        except ValueError:
            return ""
        if _SURROGATE.search(raw):
            return ""
    return raw.replace("\ufffd", " ") if "\ufffd" in raw else raw
