"""The syntax tree of PromQL: what the parser gives, what the engine evaluates and what the formatter prints.

Every node knows its span in the text, so that errors, warnings and editors can point at it. Nodes hold no results.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.samples import Matcher


class ValueType(StrEnum):
    """What an expression evaluates to; the words of Prometheus' API."""

    SCALAR = "scalar"
    STRING = "string"
    VECTOR = "vector"
    MATRIX = "matrix"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Span:
    """Where a node stands in the text: characters, from 0, the end excluded."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Node:
    """The root of all nodes."""

    span: Span = field(kw_only=True, compare=False)


@dataclass(frozen=True, slots=True)
class NumberLiteral(Node):
    """A number; `is_duration` if it was written as `5m`."""

    value: float
    is_duration: bool = False

    @property
    def milliseconds(self) -> int:
        """As a duration, which is read as nanoseconds: those that are whole."""
        return int(round(self.value * 1e9) / 1e6)


@dataclass(frozen=True, slots=True)
class StringLiteral(Node):
    """A string, unquoted and unescaped."""

    value: str


@dataclass(frozen=True, slots=True)
class DurationExpr(Node):
    """Arithmetic where a duration stands: `[5m * 2]`, `offset -(1m + step())`.

    `op` is one of `+ - * / % ^`, the functions `step`, `range`, `min`, `max` (functions of newer releases likewise), or
    `()`; a leaf is a `NumberLiteral` in seconds. A unary sign has no `left`.
    """

    op: str
    left: NumberLiteral | DurationExpr | None = None
    right: NumberLiteral | DurationExpr | None = None


Duration = NumberLiteral | DurationExpr


@dataclass(frozen=True, slots=True)
class AtModifier:
    """`@ 1609746000.5`, `@ start()` or `@ end()`; exactly one of the two is set."""

    ts_ms: int | None = None
    bound: Literal["start", "end"] | None = None


@dataclass(frozen=True, slots=True)
class VectorSelector(Node):
    """`name{label="value"} offset 5m @ end()`; the name is among the matchers too; `mode` as written."""

    name: str
    matchers: tuple[Matcher, ...]
    offset: Duration | None = None
    at: AtModifier | None = None
    mode: Literal["", "anchored", "smoothed"] = ""


@dataclass(frozen=True, slots=True)
class MatrixSelector(Node):
    """`selector[5m]`; offset, at and mode are the selector's."""

    selector: VectorSelector
    range: Duration


@dataclass(frozen=True, slots=True)
class Subquery(Node):
    """`expr[30m:1m]`; without a step, the engine's default."""

    expr: Expr
    range: Duration
    step: Duration | None = None
    offset: Duration | None = None
    at: AtModifier | None = None


@dataclass(frozen=True, slots=True)
class Paren(Node):
    """An expression in parentheses."""

    expr: Expr


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """`-expr` or `+expr`."""

    op: Literal["+", "-"]
    expr: Expr


@dataclass(frozen=True, slots=True)
class Matching:
    """How the sides of a binary operation find each other.

    `card` in Prometheus' words; `include` are the labels of `group_left(...)`; the fills are values for a missing side.
    """

    card: Literal["one-to-one", "many-to-one", "one-to-many", "many-to-many"] = "one-to-one"
    is_on: bool = False
    labels: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    fill_left: float | None = None
    fill_right: float | None = None


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """`left op right`; `op` as written, words in lower case; `matching` only between two vectors.

    `</` and `>/` trim native histograms.
    """

    op: str
    left: Expr
    right: Expr
    returns_bool: bool = False
    matching: Matching | None = None


@dataclass(frozen=True, slots=True)
class Aggregation(Node):
    """`sum by (job) (expr)`; `param` is that of `topk`, `quantile`, `count_values`, `limitk`, ..."""

    op: str
    expr: Expr
    param: Expr | None = None
    grouping: tuple[str, ...] = ()
    is_without: bool = False


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function with its arguments; its signature stands in `signatures`."""

    function: str
    args: tuple[Expr, ...]


Expr = (
    NumberLiteral
    | StringLiteral
    | VectorSelector
    | MatrixSelector
    | Subquery
    | Paren
    | Unary
    | Binary
    | Aggregation
    | Call
)
