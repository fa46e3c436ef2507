"""Cuts a LogQL query into tokens. Which words mean something depends on where they stand: here all are words."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final, NamedTuple

from holdfast.telemetry.logs.logql.errors import LogqlError
from holdfast.telemetry.metrics.promql.nodes import Span

_TOKEN: Final = re.compile(
    r"(?:[ \t\n\r]+|\#[^\r\n]*)*(?:"
    r"(?P<word>[a-zA-Z_][a-zA-Z0-9_]*)"
    r"|(?P<duration>(?:[0-9]+(?:\.[0-9]+)?(?:[num\u00b5\u03bc]?s|[mhdwy]))+(?![a-zA-Z0-9_]))"
    r"|(?P<size>[0-9]+(?:\.[0-9]+)?(?:[kKMGTP]i?)?B(?![a-zA-Z0-9_]))"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![a-zA-Z0-9_]))"
    r"|(?P<flag>--[a-z][a-z-]*)"
    r"|(?P<operator>\|[=~>]|![=~>]|=~|==|[<>]=?|[-+*/%^|=])"
    r"|(?P<punctuation>[(){}\[\],.])"
    r'|(?P<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)'
    r"|(?P<end>\Z)|(?P<other>.))",
    re.DOTALL,
)


class Kind(StrEnum):
    """What a token is."""

    WORD = "IDENTIFIER"
    DURATION = "DURATION"
    SIZE = "BYTES"
    NUMBER = "NUMBER"
    FLAG = "FUNCTION_FLAG"
    OPERATOR = "operator"
    PUNCTUATION = "punctuation"
    STRING = "STRING"
    END = "$end"


_KINDS: Final = {
    "word": Kind.WORD,
    "duration": Kind.DURATION,
    "size": Kind.SIZE,
    "number": Kind.NUMBER,
    "flag": Kind.FLAG,
    "operator": Kind.OPERATOR,
    "punctuation": Kind.PUNCTUATION,
    "string": Kind.STRING,
    "end": Kind.END,
}


class Token(NamedTuple):
    """A token with its text as written and where it starts."""

    kind: Kind
    text: str
    start: int

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + len(self.text)

    @property
    def span(self) -> Span:
        """Where it stands."""
        return Span(self.start, self.end)

    @property
    def shown(self) -> str:
        """How an error names it."""
        return self.text if self.kind in {Kind.OPERATOR, Kind.PUNCTUATION} else str(self.kind)


def scan(text: str) -> list[Token]:
    """Give the tokens of a query; the last one is `END`.

    Raises:
        LogqlError: a character or a string that cannot be cut.
    """
    tokens: list[Token] = []
    at = 0
    while not tokens or tokens[-1].kind is not Kind.END:
        match = _TOKEN.match(text, at)
        assert match is not None  # the pattern ends with "any character or the end"
        group = match.lastgroup or ""
        start = match.start(group)
        if group == "other":
            problem = (
                "literal not terminated" if match[group] in {'"', "`"} else f"unexpected character {match[group]!r}"
            )
            raise LogqlError(problem, span=Span(start, start + 1), text=text)
        tokens.append(Token(_KINDS[group], match[group], start))
        at = match.end()
    return tokens


class TokenStream:
    """The tokens of a query, read one after the other."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = scan(text)
        self._at = 0

    @property
    def token(self) -> Token:
        """The token that is next."""
        return self._tokens[self._at]

    def following(self, distance: int = 1) -> str:
        """Give the text of a token further on."""
        return self._tokens[min(self._at + distance, len(self._tokens) - 1)].text

    def last_end(self) -> int:
        """Give where the last taken token ends."""
        return self._tokens[self._at - 1].end if self._at else 0

    def take(self) -> Token:
        """Take the next token."""
        token = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def accept(self, text: str) -> bool:
        """Take the next token if it is a word, operator or punctuation of this text."""
        is_it = self.token.text == text and self.token.kind is not Kind.STRING
        if is_it:
            self.take()
        return is_it

    def expect(self, text: str) -> Token:
        """Take what must be next."""
        if self.token.text != text or self.token.kind is Kind.STRING:
            raise self.unexpected(text)
        return self.take()

    def expect_kind(self, kind: Kind) -> Token:
        """Take what must be next, of this kind."""
        if self.token.kind is not kind:
            raise self.unexpected(str(kind))
        return self.take()

    def expect_end(self) -> None:
        """Refuse whatever is left."""
        if self.token.kind is not Kind.END:
            raise self.unexpected()

    def mark(self) -> int:
        """Give the place, to come back to with `reset`."""
        return self._at

    def reset(self, mark: int) -> None:
        """Go back to a place."""
        self._at = mark

    def unexpected(self, wanted: str = "") -> LogqlError:
        """Give the error that the next token does not belong here."""
        told = f"syntax error: unexpected {self.token.shown}"
        return self.refusal(f"{told}, expecting {wanted}" if wanted else told, self.token.span)

    def refusal(self, message: str, span: Span) -> LogqlError:
        """Give an error about a part of the text."""
        return LogqlError(message, span=span, text=self.text)
