"""Patterns such as `<ip> - <_> "<method> <path>"`: literals with captures between them, each up to the next literal.

The parser wants names and lets the line go on behind the last literal; the filters `|>` and `!>` know only `<_>` and
match the whole line. Source: Loki's documentation, "Pattern" and "Pattern match filter operators".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_CAPTURE: Final = re.compile("<([a-zA-Z_][a-zA-Z0-9_]*)>")


@dataclass(frozen=True, slots=True)
class Pattern:
    """Literals and captures by turns, a literal first and last; a name is `_` where none is wanted."""

    literals: tuple[str, ...]
    names: tuple[str, ...]

    def captures(self, line: str) -> Iterator[tuple[str, str]]:
        """Give what the captures hold, as far as the line matches."""
        if not line or not line.startswith(self.literals[0]):
            return
        at = len(self.literals[0])
        for name, literal in zip(self.names, self.literals[1:], strict=True):
            end = line.find(literal, at) if literal else len(line)
            if end < 0:
                if name != "_":
                    yield name, line[at:]
                return
            if name != "_":
                yield name, line[at:end]
            at = end + len(literal)

    def matches(self, line: str) -> bool:
        """Tell whether the whole line has this form.

        Every capture holds something, and ends where the literal behind it stands first, as Loki has it.
        """
        if not line.startswith(self.literals[0]):
            return False
        at = len(self.literals[0])
        for literal in self.literals[1:]:
            if not literal:  # the last: the pattern ends with a capture
                return at < len(line)
            end = line.find(literal, at)
            if end <= at:
                return False
            at = end + len(literal)
        return at == len(line)


def parse_pattern(text: str, *, is_filter: bool) -> Pattern:
    """Read a pattern.

    Raises:
        ValueError: it captures nothing, names a capture where none is taken, or two captures touch.
    """
    pieces = _CAPTURE.split(text)
    literals, names = tuple(pieces[::2]), tuple(pieces[1::2])
    if any(not literal for literal in literals[1:-1]):
        place = literals.index("", 1, -1)
        message = f"found consecutive capture '<{names[place - 1]}><{names[place]}>': invalid expression"
        raise ValueError(message)
    named = [name for name in names if name != "_"]
    if is_filter and named:
        message = f"named captures are not allowed: found '<{named[0]}>'"
        raise ValueError(message)
    if not is_filter and not named:
        message = "at least one capture is required"
        raise ValueError(message)
    if len(set(named)) < len(named):
        twice = next(name for name in named if named.count(name) > 1)
        message = f"duplicate capture name ({twice}): invalid expression"
        raise ValueError(message)
    return Pattern(literals, names)
