"""Cuts a LogQL query into tokens. Which words mean something depends on where they stand: here all are words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
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
    FLAG = "FUNCTION_FLAG"
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
CONVERSIONS: Final = frozenset({"duration", "duration_seconds", "bytes"})
COMPARISONS: Final = frozenset({"=", "==", "!=", "=~", "!~", ">", ">=", "<", "<="})
PRECEDENCE: Final = {
    "or": 1, "and": 2, "unless": 2, "==": 3, "!=": 3, ">": 3, ">=": 3, "<": 3, "<=": 3,
    "+": 4, "-": 4, "*": 5, "/": 5, "%": 5, "^": 6,
}  # fmt: skip
_MOST: Final = {"matchers": 200, "stages": 200, "operations": 100, "nested conditions": 100}  # of one query
_BEFORE_NAMES: Final = frozenset({"{", "(", ",", "drop", "keep", "unwrap"})
_QUOTES: Final = frozenset({'"', "`", "'"})
KEYWORDS: Final = frozenset(
    {
        "by", "without", "bool", "offset", "on", "ignoring", "group_left", "group_right", "or", "and", "unless",
        "json", "logfmt", "regexp", "pattern", "unpack", "unwrap", "line_format", "label_format", "decolorize",
        "drop", "keep", "ip", "label_replace", "variants", "of",
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
        is_fixed = self.kind in {Kind.OPERATOR, Kind.PUNCTUATION} or self.text in KEYWORDS
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


def _fold(tokens: list[Token]) -> list[Token]:
    """Write words of the language in small letters, for Loki takes them in any; names stay as they are."""
    folded = list(tokens)
    for place, token in enumerate(tokens[:-1]):
        small = token.text.lower()
        if token.kind is not Kind.WORD or small == token.text:
            continue
        before, behind = folded[place - 1].text if place else "", tokens[place + 1].text.lower()
        if small in FUNCTIONS | CONVERSIONS:
            is_word = behind in {"(", "by", "without"}
        else:
            is_word = small in KEYWORDS and behind not in COMPARISONS and before not in _BEFORE_NAMES
        if is_word:
            folded[place] = token._replace(text=small)
    return folded


class TokenStream:
    """The tokens of a query, read one after the other."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = _fold(scan(text))
        self._at = 0
        self._postponed: list[tuple[int, int, int, LogqlError]] = []
        self._counts: Counter[str] = Counter()

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

    def is_function(self) -> bool:
        """Tell whether the next token is the name of a function that is called."""
        is_name = self.token.kind is Kind.WORD and self.token.text in FUNCTIONS
        behind = self.following()
        return is_name and (behind == "(" or (behind in {"by", "without"} and self.following(2) == "("))

    def expect_name(self, told: str) -> Token:
        """Take a name, of a label; what is called is none."""
        if self.is_function():
            raise self.unexpected(told)
        return self.expect_kind(Kind.WORD, told)

    def count(self, what: str) -> None:
        """Take that the next token begins one more of what a query may have only so many of.

        Raises:
            LogqlError: it is one too many.
        """
        self._counts[what] += 1
        if self._counts[what] > _MOST[what]:
            raise self.refusal(f"the query has more than {_MOST[what]} {what}, the limit of one query", self.token.span)

    def judge(self, check: Callable[[], None], span: Span, rank: int = 0) -> None:
        """Note what a check says of a part that is well formed; errors of form are told before all these."""
        try:
            check()
        except LogqlError as error:
            self._postponed.append((rank, span.start, -span.end, error))

    def tell_postponed(self) -> None:
        """Raise the first error that was noted: by rank, then what stands around others, then from the left."""
        if self._postponed:
            raise min(self._postponed, key=lambda noted: noted[:3])[3]

    def unexpected(self, wanted: str = "") -> LogqlError:
        """Give the error that the next token does not belong here."""
        shown, is_named = self.token.shown, self.token.text in KEYWORDS
        if self.is_function():
            shown = self.token.text if is_named else self.token.text.upper()
        elif self.token.text in {"ip", "label_replace"} and self.following() != "(":
            shown = str(Kind.WORD)
        told = f"syntax error: unexpected {shown}"
        token = self.token
        message = f"{told}, expecting {wanted}" if wanted else told
        return LogqlError(message, span=token.span, text=self.text, is_lineless=token.is_lineless)

    def refusal(self, message: str, span: Span) -> LogqlError:
        """Give an error about a part of the text."""
        return LogqlError(message, span=span, text=self.text)
