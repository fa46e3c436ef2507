"""Cuts a LogQL query into tokens. Which words mean something depends on where they stand: here all are words."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final, NamedTuple

from holdfast.telemetry.logs.logql.errors import LogqlError
from holdfast.telemetry.logs.logql.quantities import parse_range_ns
from holdfast.telemetry.metrics.promql.nodes import Span
from holdfast.telemetry.metrics.promql.quoting import quote

_TOKEN: Final = re.compile(
    r"(?:[ \t\n\r]+|\#[^\r\n]*)*(?:"
    r"(?P<word>[a-zA-Z_][a-zA-Z0-9_]*)"
    r"|(?P<duration>(?:[0-9]+(?:\.[0-9]+)?(?:[num\u00b5\u03bc]?s|[mhdwy]))+(?![a-zA-Z0-9_]))"
    r"|(?P<size>[0-9]+(?:\.[0-9]+)?(?:[kKMGTP]i?B?|B)(?![a-zA-Z0-9_]))"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![a-zA-Z0-9_]))"
    r"|(?P<flag>--(?:strict|keep-empty)(?![a-z-]))"
    r"|(?P<operator>\|[=~>]|![=~>]|=~|==|[<>]=?|[-+*/%^|=])"
    r"|(?P<range>\[[^\]]*\]?)"
    r"|(?P<punctuation>[(){}\],.])"
    r'|(?P<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)'
    r"|(?P<end>\Z)|(?P<other>.))",
    re.DOTALL,
)
_BAD_ESCAPE: Final = re.compile(
    r'(?:[^\\]|\\(?:[abfnrtv\\"]|[0-7]{3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}))*+\\'
)


class Kind(StrEnum):
    """What a token is."""

    WORD = "IDENTIFIER"
    DURATION = "DURATION"
    SIZE = "BYTES"
    NUMBER = "NUMBER"
    FLAG = "PARSER_FLAG"
    RANGE = "RANGE"
    OPERATOR = "operator"
    PUNCTUATION = "punctuation"
    STRING = "STRING"
    OTHER = "other"
    END = "$end"


_KINDS: Final = {
    "word": Kind.WORD,
    "duration": Kind.DURATION,
    "size": Kind.SIZE,
    "number": Kind.NUMBER,
    "flag": Kind.FLAG,
    "range": Kind.RANGE,
    "operator": Kind.OPERATOR,
    "punctuation": Kind.PUNCTUATION,
    "string": Kind.STRING,
    "other": Kind.OTHER,
    "end": Kind.END,
}
OVER_LINES: Final = frozenset({"count_over_time", "bytes_rate", "bytes_over_time"})
OVER_BOTH: Final = frozenset({"rate", "absent_over_time"})
GROUPED: Final = frozenset(
    f"{name}_over_time" for name in ("avg", "max", "min", "stddev", "stdvar", "quantile", "first", "last")
)
RANGE_OPS: Final = OVER_LINES | OVER_BOTH | GROUPED | {"sum_over_time", "rate_counter"}
WITH_PARAM: Final = frozenset({"topk", "bottomk", "approx_topk"})
SORTED: Final = frozenset({"sort", "sort_desc"})
VECTOR_OPS: Final = WITH_PARAM | SORTED | {"sum", "avg", "min", "max", "count", "stddev", "stdvar"}
FUNCTIONS: Final = RANGE_OPS | VECTOR_OPS | {"vector", "label_replace"}
_QUOTES: Final = frozenset({'"', "`", "'"})
_FIXED: Final = frozenset(
    {
        "by", "without", "bool", "offset", "on", "ignoring", "group_left", "group_right", "or", "and", "unless",
        "json", "logfmt", "regexp", "pattern", "unpack", "unwrap", "line_format", "label_format", "decolorize",
        "drop", "keep", "ip",
    }
)  # fmt: skip


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
    def is_lineless(self) -> bool:
        """Whether an error tells no line of it: so it is in Loki for what its scanner puts together of pieces."""
        is_long = self.kind is Kind.OPERATOR and len(self.text) > 1
        return is_long or self.kind in {Kind.RANGE, Kind.DURATION, Kind.SIZE, Kind.FLAG}

    @property
    def shown(self) -> str:
        """How an error names it: what has one form only by that, all else by its kind."""
        is_fixed = self.kind in {Kind.OPERATOR, Kind.PUNCTUATION} or self.text in _FIXED
        return self.text if is_fixed else str(Kind.WORD if self.kind is Kind.OTHER else self.kind)


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
        token = Token(_KINDS[group], match[group], match.start(group))
        if problem := _problem(token):
            raise LogqlError(problem, span=token.span, text=text, is_lineless=token.is_lineless)
        tokens.append(token)
        at = match.end()
    return tokens


def _problem(token: Token) -> str:
    """Give what is wrong with a token by itself; empty if nothing is."""
    if token.kind is Kind.OTHER and token.text in _QUOTES:
        return "literal not terminated"
    if token.kind is Kind.STRING and token.text[0] == '"' and _BAD_ESCAPE.match(token.text):
        return "invalid char escape"
    if token.kind is not Kind.RANGE:
        return ""
    if not token.text.endswith("]"):
        return "missing closing ']' in duration"
    length = token.text[1:-1]
    try:
        return "" if parse_range_ns(length) else f"not a valid duration string: {quote(length)}"
    except ValueError as error:
        return str(error)


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

    def expect(self, text: str, told: str | None = None) -> Token:
        """Take what must be next; `told` is what an error says was expected, if that is not just this."""
        if self.token.text != text or self.token.kind is Kind.STRING:
            raise self.unexpected(text if told is None else told)
        return self.take()

    def expect_kind(self, kind: Kind, told: str | None = None) -> Token:
        """Take what must be next, of this kind."""
        if self.token.kind is not kind:
            raise self.unexpected(str(kind) if told is None else told)
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
        is_function = self.token.text in FUNCTIONS and self.following() in {"(", "by", "without"}
        told = f"syntax error: unexpected {self.token.text.upper() if is_function else self.token.shown}"
        token = self.token
        message = f"{told}, expecting {wanted}" if wanted else told
        return LogqlError(message, span=token.span, text=self.text, is_lineless=token.is_lineless)

    def refusal(self, message: str, span: Span) -> LogqlError:
        """Give an error about a part of the text."""
        return LogqlError(message, span=span, text=self.text)
