r"""Strings as PromQL writes them: Go's escapes read, and written as Go's `%q` does, because tools compare the texts.

Bytes that are no UTF-8 (`"\xff"`) live in Python strings as surrogates, as `surrogateescape` puts them there; they are
written back as `\xff`.
"""

from __future__ import annotations

import re
from typing import Final

_ESCAPE: Final = re.compile(
    r"""\\(?:(?P<plain>[abfnrtv\\'"])|(?P<octal>[0-7]{3})|x(?P<hex>[0-9a-fA-F]{2})"""
    r"""|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8}))"""
)
_PLAIN: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_WRITTEN: Final = {value: f"\\{letter}" for letter, value in _PLAIN.items()}
_LOW_SURROGATES: Final = range(0xDC80, 0xDD00)
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_SAFE: Final = re.compile(r"[ !#-\[\]-~]*")


def unquote(literal: str) -> str:
    """Give the value of a string literal, which the lexer has found well formed; `literal` is with its quotes."""
    body = literal[1:-1]
    if "\\" not in body or literal[0] == "`":
        return body
    whole = b"".join(_pieces(body))
    return whole.decode("utf-8", "surrogateescape")


def quote(value: str) -> str:
    """Write a value in double quotes, as Go's `strconv.Quote`."""
    if _SAFE.fullmatch(value):
        return f'"{value}"'
    return f'"{"".join(map(_written, value))}"'


def quote_character(character: str) -> str:
    """Write one character in single quotes, as Go's `%q` of a rune."""
    if character in {"'", "\\"}:
        return f"'\\{character}'"
    return "'\"'" if character == '"' else f"'{_written(character)}'"


def is_utf8(value: str) -> bool:
    """Tell whether the value is valid UTF-8, as names of labels and metrics must be."""
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)


def legible(value: str) -> str:
    """Give the value with U+FFFD for each byte that is no UTF-8, as Go writes it in JSON."""
    return value if is_utf8(value) else _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", value)


def _pieces(body: str) -> list[bytes]:
    pieces: list[bytes] = []
    last = 0
    for match in _ESCAPE.finditer(body):
        pieces += [body[last : match.start()].encode("utf-8", "surrogateescape"), _escaped(match)]
        last = match.end()
    return [*pieces, body[last:].encode("utf-8", "surrogateescape")]


def _escaped(match: re.Match[str]) -> bytes:
    if plain := match["plain"]:
        return _PLAIN.get(plain, plain).encode()
    if octal := match["octal"]:
        return bytes([int(octal, 8)])
    if pair := match["hex"]:
        return bytes([int(pair, 16)])
    return chr(int(match["short"] or match["long"], 16)).encode("utf-8", "surrogatepass")


def _written(character: str) -> str:
    if character in {'"', "\\"}:
        return f"\\{character}"
    if character in _WRITTEN:
        return _WRITTEN[character]
    code = ord(character)
    if code in _LOW_SURROGATES:
        return f"\\x{code - 0xDC00:02x}"
    if character == " " or (character.isprintable() and not character.isspace()):
        return character
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
