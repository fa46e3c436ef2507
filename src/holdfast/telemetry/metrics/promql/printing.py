"""Expressions as one line of text, as Prometheus prints them; reading it again gives the same expression.

`pretty` breaks long ones into lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from holdfast.telemetry.metrics.labels import METRIC_NAME
from holdfast.telemetry.metrics.promql.histograms import write_number
from holdfast.telemetry.metrics.promql.literals import format_duration, format_number
from holdfast.telemetry.metrics.promql.nodes import (
    Aggregation,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    NumberLiteral,
    Paren,
    StringLiteral,
    Subquery,
    Unary,
    VectorSelector,
)
from holdfast.telemetry.metrics.promql.quoting import quote
from holdfast.telemetry.metrics.promql.walking import links_of
from holdfast.telemetry.metrics.samples import MatchOp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.telemetry.metrics.promql.nodes import AtModifier, Duration, Matching
    from holdfast.telemetry.metrics.samples import Matcher

_PLAIN_LABEL: Final = re.compile("[a-zA-Z_][a-zA-Z0-9_]*")
_GROUPS: Final = {"many-to-one": "group_left", "one-to-many": "group_right"}
_NAMES: Final = {"min": "min_of", "max": "max_of"}


def print_expr(expr: Expr) -> str:
    """Write an expression on one line."""
    return _PRINTERS[type(expr)](expr)


def print_duration(duration: Duration) -> str:
    """Write a number, a duration or a reckoned duration."""
    if isinstance(duration, NumberLiteral):
        return _length(duration) if duration.is_duration else format_number(duration.value)
    left = print_duration(duration.left) if duration.left is not None else ""
    right = print_duration(duration.right) if duration.right is not None else ""
    if not right:
        return f"{duration.op}()"
    if duration.op == "()":
        return f"({right})"
    if duration.op in _NAMES:
        return f"{_NAMES[duration.op]}({left}, {right})"
    return f"{left} {duration.op} {right}" if left else f"{duration.op}{right}"


def print_matcher(matcher: Matcher) -> str:
    """Write `label="value"`; a label that is no plain word is quoted."""
    return f"{_label(matcher.label)}{matcher.op}{quote(matcher.value)}"


def aggregation_head(aggregation: Aggregation) -> str:
    """Write what stands before the parentheses: `sum by (job) `."""
    if aggregation.is_without:
        return f"{aggregation.op} without ({_labels(aggregation.grouping)}) "
    return f"{aggregation.op} by ({_labels(aggregation.grouping)}) " if aggregation.grouping else aggregation.op


def operator_text(binary: Binary) -> str:
    """Write the operator with what modifies it: `== bool on (job) group_left (team)`."""
    modifiers = " bool" if binary.returns_bool else ""
    return f"{binary.op}{modifiers}{_matching(binary.matching) if binary.matching is not None else ''}"


def subquery_tail(subquery: Subquery) -> str:
    """Write what stands behind the expression: `[5m:1m] @ end() offset 1m`."""
    step = _range(subquery.step) if subquery.step is not None else ""
    length = _range(subquery.range)
    return f"[{length}:{step}]{_at(subquery.at)}{_offset(subquery.offset)}"


def _vector(selector: VectorSelector) -> str:
    return f"{_selector(selector)}{_at(selector.at)}{_mode(selector)}{_offset(selector.offset)}"


def _matrix(matrix: MatrixSelector) -> str:
    selector = matrix.selector
    length = _range(matrix.range)
    return f"{_selector(selector)}[{length}]{_mode(selector)}{_at(selector.at)}{_offset(selector.offset)}"


def _aggregation(aggregation: Aggregation) -> str:
    param = f"{print_expr(aggregation.param)}, " if aggregation.param is not None else ""
    return f"{aggregation_head(aggregation)}({param}{print_expr(aggregation.expr)})"


def _call(call: Call) -> str:
    return f"{call.function}({', '.join(map(print_expr, call.args))})"


def _binary(binary: Binary) -> str:
    links = links_of(binary)
    return " ".join([print_expr(links[0].left), *map(link_text, links)])


def link_text(link: Binary) -> str:
    """Write an operation's operator and right side."""
    return f"{operator_text(link)} {print_expr(link.right)}"


def _matching(matching: Matching) -> str:
    group = _GROUPS.get(matching.card)
    written = ""
    if matching.labels or matching.is_on or group:
        written = f" {'on' if matching.is_on else 'ignoring'} ({_labels(matching.labels)})"
    if group:
        written += f" {group} ({_labels(matching.include)})"
    left, right = matching.fill_left, matching.fill_right
    left_text = write_number(left) if left is not None else ""
    right_text = write_number(right) if right is not None else ""
    if left_text and left_text == right_text:
        return f"{written} fill ({left_text})"
    written += f" fill_left ({left_text})" if left_text else ""
    return written + (f" fill_right ({right_text})" if right_text else "")


def _selector(selector: VectorSelector) -> str:
    shown = sorted(print_matcher(each) for each in selector.matchers if not _is_the_name(each, selector.name))
    return f"{selector.name}{{{','.join(shown)}}}" if shown else selector.name


def _is_the_name(matcher: Matcher, name: str) -> bool:
    return bool(name) and matcher.label == METRIC_NAME and matcher.op is MatchOp.EQUAL and matcher.value == name


def _at(at: AtModifier | None) -> str:
    if at is None:
        return ""
    return f" @ {at.ts_ms / 1000:.3f}" if at.ts_ms is not None else f" @ {at.bound}()"


def _mode(selector: VectorSelector) -> str:
    return f" {selector.mode}" if selector.mode else ""


def _offset(offset: Duration | None) -> str:
    if offset is None:
        return ""
    if not isinstance(offset, NumberLiteral):
        return f" offset {print_duration(offset)}"
    return f" offset {_length(offset)}" if offset.value else ""


def _range(duration: Duration) -> str:
    return _length(duration) if isinstance(duration, NumberLiteral) else print_duration(duration)


def _length(literal: NumberLiteral) -> str:
    duration_ms = literal.milliseconds
    return f"-{format_duration(-duration_ms)}" if duration_ms < 0 else format_duration(duration_ms)


def _labels(labels: Iterable[str]) -> str:
    return ", ".join(map(_label, labels))


def _label(label: str) -> str:
    return label if _PLAIN_LABEL.fullmatch(label) else quote(label)


_PRINTERS: Final[dict[type[Expr], Callable[[Any], str]]] = {
    VectorSelector: _vector,
    MatrixSelector: _matrix,
    Subquery: lambda expr: f"{print_expr(expr.expr)}{subquery_tail(expr)}",
    Binary: _binary,
    Aggregation: _aggregation,
    Call: _call,
    Paren: lambda expr: f"({print_expr(expr.expr)})",
    Unary: lambda expr: f"{expr.op}{print_expr(expr.expr)}",
    StringLiteral: lambda expr: quote(expr.value),
    NumberLiteral: print_duration,
}
