"""Writes fields as members of a JSON object, redacted, at the speed that a call to a logger allows.

Strings go through the C escaper of the standard library; names are escaped once. Texts are looked at for secrets as one
line (`looks_secret`), and only where something is found value by value (`is_careful`).
"""

from __future__ import annotations

import json
from json.encoder import encode_basestring as escape
from typing import TYPE_CHECKING, Any, Final

from holdfast.journal.redaction import LONGEST_CHARS, MASK, describe, redact, redact_text, sounds_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

LEADING_FIELDS: Final = frozenset({"timestamp", "level", "event"})
MOST_NAMES: Final = 4096  # whose form is remembered: names come from code, but nothing makes them
INFINITY: Final = float("inf")

_PREFIXES: Final[dict[str, str]] = {}
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def encode_fields(fields: Mapping[str, Any], *, is_careful: bool = False) -> str:
    """Give `,"name":value` for each field; with `is_careful` secrets inside texts are masked and long texts cut."""
    parts: list[str] = []
    for name, value in fields.items():
        prefix = _PREFIXES.get(name)
        kind = type(value)
        if prefix is None or is_careful:
            parts.append(_encode_member(name, value))
        elif kind is str:
            parts.append(prefix + escape(value))
        elif kind is int and -INFINITY < value < INFINITY and value.bit_length() < 1024:
            parts.append(f"{prefix}{value}")
        else:
            parts.append(prefix + encode_value(value))
    return "".join(parts)


def encode_value(value: Any) -> str:
    """Give one value as JSON; what JSON has no form for becomes text."""
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if type(value) is str:
        return escape(value)
    if type(value) is float and -INFINITY < value < INFINITY:
        return float.__repr__(value)
    return encode_json(redact(value))


def encode_json(value: Any) -> str:
    """Give plain data as JSON."""
    try:
        return _encode(value)
    except ValueError:  # not a number, infinite, or an integer with more digits than Python prints
        return _encode(_without_strange_numbers(value))


def looks_secret(text: str) -> bool:
    """Tell whether a secret may stand in a text, or too much; cheap, and wrong on the safe side."""
    return ("://" in text or "earer" in text or "asic " in text or "EARER" in text or "ASIC " in text) or len(
        text
    ) > LONGEST_CHARS


def clean(text: str) -> str:
    """Replace halves of surrogate pairs, which UTF-8 has no form for."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def field_name(name: str) -> str:
    """Give the name under which a field is written: one that is named like ours gets a `_` behind it."""
    return f"{name}_" if name in LEADING_FIELDS else name


def _encode_member(name: Any, value: Any) -> str:
    text = name if isinstance(name, str) else describe(name)
    prefix = f",{escape(field_name(text))}:"
    if sounds_secret(text):
        return prefix + encode_json(redact(value, name=text))
    if len(_PREFIXES) < MOST_NAMES and len(text) < 128:
        _PREFIXES[text] = prefix
    if type(value) is str:
        return prefix + escape(redact_text(value))
    return prefix + encode_json(redact(value))


def _without_strange_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_strange_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_strange_numbers(item) for item in value]
    if isinstance(value, float) and not -INFINITY < value < INFINITY:
        return str(value)
    if isinstance(value, int) and value.bit_length() > 1024:
        return f"<int of {value.bit_length()} bits>"
    return value


__all__ = ["MASK", "clean", "encode_fields", "encode_json", "encode_value", "escape", "field_name", "looks_secret"]
