"""Arguments of a template's function that are of a wrong type, in the words of Go and at the argument at fault.

Source: Go's package `text/template`, how it evaluates arguments.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

WRONG: Final = re.compile(r"(?:function '\w+' failed: )?argument (\d+) to (\w+): expected (\w+), got (\w+)")
_ARGUMENT: Final = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`|\([^()]*\)|[^\s"`()]+')
_NUMBER: Final = re.compile(r"[+-]?\.?[0-9]\w*(?:\.\w*)?")
_TYPES: Final = {"str": "string", "float": "float64", "Moment": "time.Time"}
_KINDS: Final = {"str": "string", "int": "integer", "float": "float", "bool": "bool"}
_WORDS: Final = frozenset({"true", "false", "nil"})


class Fault(NamedTuple):
    """Where in the call an argument stands, in letters, its text, and what is wrong with it."""

    start: int
    text: str
    message: str


def fault_of(found: re.Match[str], call: str) -> Fault:
    """Say what is wrong with an argument of a call, `found` by `WRONG`; one that is piped in has no text of its own."""
    pieces = [*_ARGUMENT.finditer(call)]
    place, wanted, got = int(found[1]), found[3], found[4]
    if place >= len(pieces):  # piped in: Go is still at what it has read last
        return Fault(pieces[-1].start(), pieces[-1][0], _wrong(wanted, got))
    start, text = pieces[place].start(), pieces[place][0]
    if not _is_literal(text):
        return Fault(start, text, _wrong(wanted, got))
    if wanted in _KINDS:
        return Fault(start, text, f"expected {_KINDS[wanted]}; found {text}")
    return Fault(start, text, f"can't handle {text} for arg of type {_TYPES.get(wanted, wanted)}")


def _wrong(wanted: str, got: str) -> str:
    return f"wrong type for value; expected {_TYPES.get(wanted, wanted)}; got {_TYPES.get(got, got)}"


def _is_literal(text: str) -> bool:
    return text[0] in '"`' or text in _WORDS or _NUMBER.fullmatch(text) is not None
