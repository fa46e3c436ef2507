"""The syntax tree of LogQL: what the parser gives and the engine evaluates.

A log query is a selector of streams with stages; a metric query counts over one. Every node knows its span in the text.
Nodes hold no results. The language: Grafana Loki's documentation, "LogQL: Log query language".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from holdfast.telemetry.metrics.promql.nodes import Matching, Span
from holdfast.telemetry.metrics.samples import Matcher


@dataclass(frozen=True, slots=True)
class Node:
    """The root of all nodes."""

    span: Span = field(kw_only=True, compare=False)


class LineOp(StrEnum):
    """How a line filter compares; `|>` and `!>` match patterns such as `<_> took <_>ms`."""

    CONTAINS = "|="
    CONTAINS_NOT = "!="
    MATCHES = "|~"
    MATCHES_NOT = "!~"
    PATTERN = "|>"
    PATTERN_NOT = "!>"

    @property
    def is_negative(self) -> bool:
        """Whether lines that hold a needle are dropped."""
        return self in {LineOp.CONTAINS_NOT, LineOp.MATCHES_NOT, LineOp.PATTERN_NOT}


@dataclass(frozen=True, slots=True)
class Needle:
    """What a line filter looks for; `is_ip` for `ip("10.0.0.0/8")`."""

    value: str
    is_ip: bool = False


@dataclass(frozen=True, slots=True)
class LineFilter(Node):
    """`|= "a" or "b"`: keeps lines that hold any needle; a negative one keeps those that hold none."""

    op: LineOp
    needles: tuple[Needle, ...]


@dataclass(frozen=True, slots=True)
class Extraction:
    """`label="path"` of `json` and `logfmt`; a label alone extracts what has its own name."""

    label: str
    path: str


@dataclass(frozen=True, slots=True)
class JsonParser(Node):
    """`| json`: all properties, flattened with `_`, or only those asked for."""

    fields: tuple[Extraction, ...] = ()


@dataclass(frozen=True, slots=True)
class LogfmtParser(Node):
    """`| logfmt --strict --keep-empty`: all pairs, or only those asked for."""

    fields: tuple[Extraction, ...] = ()
    is_strict: bool = False
    keeps_empty: bool = False


@dataclass(frozen=True, slots=True)
class RegexpParser(Node):
    """`| regexp "(?P<method>[A-Z]+)"`: the named groups."""

    pattern: str


@dataclass(frozen=True, slots=True)
class PatternParser(Node):
    """`| pattern "<ip> - <_>"`: the named captures."""

    pattern: str


@dataclass(frozen=True, slots=True)
class UnpackParser(Node):
    """`| unpack`: the properties of a packed line, whose `_entry` becomes the line."""


@dataclass(frozen=True, slots=True)
class LineFormat(Node):
    """`| line_format "{{.status}}"`: a Go template becomes the line."""

    template: str


@dataclass(frozen=True, slots=True)
class LabelAssignment:
    """`label=source` renames, `label="{{.a}}"` fills in a template; exactly one of the two is set."""

    label: str
    source: str | None = None
    template: str | None = None


@dataclass(frozen=True, slots=True)
class LabelFormat(Node):
    """`| label_format a=b, c="{{.d}}"`."""

    assignments: tuple[LabelAssignment, ...]


@dataclass(frozen=True, slots=True)
class Decolorize(Node):
    """`| decolorize`: the line without ANSI colours."""


@dataclass(frozen=True, slots=True)
class LabelChoice:
    """A label of `drop` or `keep`, always or only where its value matches."""

    label: str
    matcher: Matcher | None = None


@dataclass(frozen=True, slots=True)
class DropLabels(Node):
    """`| drop a, b="x"`."""

    choices: tuple[LabelChoice, ...]


@dataclass(frozen=True, slots=True)
class KeepLabels(Node):
    """`| keep a, b="x"`."""

    choices: tuple[LabelChoice, ...]


@dataclass(frozen=True, slots=True)
class Distinct(Node):
    """`| distinct a, b`: the first line of each combination of values."""

    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TextCondition(Node):
    """`label="x"`, also `!=`, `=~`, `!~`."""

    matcher: Matcher


class Unit(StrEnum):
    """What a compared number stands for: bare, nanoseconds, bytes."""

    NUMBER = "number"
    DURATION = "duration"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True)
class NumberCondition(Node):
    """`label > 5`, `label >= 10ms`, `label < 5KB`: `op` is one of `== != > >= < <=`; `value` in seconds or bytes."""

    label: str
    op: str
    value: float
    unit: Unit


@dataclass(frozen=True, slots=True)
class IpCondition(Node):
    """`label = ip("10.0.0.0/8")`."""

    label: str
    pattern: str
    is_negative: bool = False


@dataclass(frozen=True, slots=True)
class Both(Node):
    """`a and b`, also written `a, b` and `a b`."""

    left: Condition
    right: Condition


@dataclass(frozen=True, slots=True)
class Either(Node):
    """`a or b`."""

    left: Condition
    right: Condition


Condition = TextCondition | NumberCondition | IpCondition | Both | Either


@dataclass(frozen=True, slots=True)
class LabelFilter(Node):
    """`| level="error" and duration > 1s`."""

    condition: Condition


Stage = (
    LineFilter
    | JsonParser
    | LogfmtParser
    | RegexpParser
    | PatternParser
    | UnpackParser
    | LineFormat
    | LabelFormat
    | Decolorize
    | DropLabels
    | KeepLabels
    | Distinct
    | LabelFilter
)


@dataclass(frozen=True, slots=True)
class LogSelector(Node):
    """`{app="shop"} |= "x" | json`: a query for lines."""

    matchers: tuple[Matcher, ...]
    stages: tuple[Stage, ...] = ()


@dataclass(frozen=True, slots=True)
class Unwrap(Node):
    """`| unwrap duration(took)`: the label whose value becomes the sample, and the filters behind it.

    `conversion` is empty, `duration`, `duration_seconds` or `bytes`.
    """

    label: str
    conversion: str = ""
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Grouping:
    """`by (a, b)` or `without (a, b)`; `is_outer` if it stands around the aggregation that does its work."""

    labels: tuple[str, ...]
    is_without: bool = False
    is_outer: bool = False


@dataclass(frozen=True, slots=True)
class RangeAggregation(Node):
    """`rate({app="shop"} |= "x" [5m] offset 1h)`; lengths in nanoseconds, `param` that of `quantile_over_time`."""

    op: str
    selector: LogSelector
    range_ns: int
    offset_ns: int = 0
    unwrap: Unwrap | None = None
    param: float | None = None
    grouping: Grouping | None = None


@dataclass(frozen=True, slots=True)
class VectorAggregation(Node):
    """`sum by (level) (...)`; `param` is that of `topk`, `bottomk` and `approx_topk`."""

    op: str
    expr: MetricExpr
    param: int | None = None
    grouping: Grouping | None = None


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """`left op right` between vectors and numbers."""

    op: str
    left: MetricExpr
    right: MetricExpr
    returns_bool: bool = False
    matching: Matching = field(default_factory=Matching)


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A number."""

    value: float


@dataclass(frozen=True, slots=True)
class VectorOf(Node):
    """`vector(1)`."""

    value: float


@dataclass(frozen=True, slots=True)
class LabelReplace(Node):
    """`label_replace(expr, "dst", "$1", "src", "(.*)")`."""

    expr: MetricExpr
    target: str
    replacement: str
    source: str
    pattern: str


MetricExpr = RangeAggregation | VectorAggregation | Binary | Number | VectorOf | LabelReplace
Expr = LogSelector | MetricExpr
