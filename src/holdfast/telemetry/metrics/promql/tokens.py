"""The words of PromQL: the kinds of tokens, the keywords, and how an error message names a token."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from holdfast.telemetry.metrics.promql.quoting import quote


class Kind(StrEnum):
    """What a token is; operators and punctuation have their own text as kind."""

    END_OF_INPUT = "end of input"
    ERROR = "error"
    IDENTIFIER = "identifier"
    METRIC_IDENTIFIER = "metric identifier"
    STRING = "string"
    NUMBER = "number"
    DURATION = "duration"
    KEYWORD = "keyword"
    AGGREGATOR = "aggregator"
    OPERATOR = "operator"
    PREPROCESSOR = "preprocessor"
    PUNCTUATION = "punctuation"


class Token(NamedTuple):
    """One word; `key` is what the parser looks at: the kind's value, or the word itself in lower case."""

    kind: Kind
    key: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """Where it ends, excluded; an error stands for nothing in the text."""
        return self.start + len(self.text)


SET_OPERATORS: Final = frozenset({"and", "or", "unless"})
COMPARISONS: Final = frozenset({"==", "!=", "<=", "<", ">=", ">"})
MATCH_OPERATORS: Final = frozenset({"=", "!=", "=~", "!~"})
AGGREGATORS: Final = frozenset(
    {
        "avg",
        "bottomk",
        "count",
        "count_values",
        "group",
        "limit_ratio",
        "limitk",
        "max",
        "min",
        "quantile",
        "stddev",
        "stdvar",
        "sum",
        "topk",
    }
)
PREPROCESSORS: Final = frozenset({"start", "end", "step", "range"})
FILLS: Final = frozenset({"fill", "fill_left", "fill_right"})
_MODIFIERS: Final = frozenset(
    {"offset", "smoothed", "anchored", "by", "without", "on", "ignoring", "group_left", "group_right", "bool"} | FILLS
)

WORDS: Final[dict[str, Kind]] = (
    dict.fromkeys((*SET_OPERATORS, "atan2"), Kind.OPERATOR)
    | dict.fromkeys(AGGREGATORS, Kind.AGGREGATOR)
    | dict.fromkeys(_MODIFIERS, Kind.KEYWORD)
    | dict.fromkeys(PREPROCESSORS, Kind.PREPROCESSOR)
    | dict.fromkeys(("inf", "nan"), Kind.NUMBER)
)

# What may name a metric although it is a word of the language.
METRIC_NAMES: Final = (
    AGGREGATORS
    | SET_OPERATORS
    | PREPROCESSORS
    | {"by", "offset", "without", "anchored", "smoothed", Kind.IDENTIFIER, Kind.METRIC_IDENTIFIER}
)
# What may name a label in `by (...)`, `on (...)` and their like.
LABEL_NAMES: Final = (METRIC_NAMES - {"without"}) | {"bool", "group_left", "group_right", "ignoring", "on", "atan2"}

PRECEDENCE: Final[dict[str, int]] = {
    "or": 1,
    "and": 2,
    "unless": 2,
    "==": 3,
    "!=": 3,
    "<=": 3,
    "<": 3,
    ">=": 3,
    ">": 3,
    "</": 3,
    ">/": 3,
    "+": 4,
    "-": 4,
    "*": 5,
    "/": 5,
    "%": 5,
    "atan2": 5,
    "^": 6,
}
UNARY_PRECEDENCE: Final = 5  # as strong as `*`: -1 ^ 2 is -(1 ^ 2)
RIGHT_ASSOCIATIVE: Final = frozenset({"^"})
_SHOWN: Final = 10


def describe(token: Token) -> str:
    """Name a token in an error message, as Prometheus does."""
    match token.kind:
        case Kind.END_OF_INPUT:
            return "end of input"
        case Kind.KEYWORD:
            return f"<{token.text}>"
        case Kind.OPERATOR:
            return f"<op:{token.text}>"
        case Kind.AGGREGATOR:
            return f"<aggr:{token.text}>"
        case Kind.IDENTIFIER | Kind.METRIC_IDENTIFIER:
            return f"{token.kind} {quote(token.text)}"
    shown = f"{quote(token.text[:_SHOWN])}..." if len(token.text.encode()) > _SHOWN else quote(token.text)
    return shown if token.kind in {Kind.PUNCTUATION, Kind.PREPROCESSOR} else f"{token.kind} {shown}"
