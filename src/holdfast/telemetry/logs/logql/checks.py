"""What a well-formed query may still not ask: operations that want a number to unwrap, groupings, parameters.

Sources: Loki's documentation of metric queries; its messages where they are known.
"""

from __future__ import annotations

import re
from typing import Final

from holdfast.telemetry.logs.logql.condition_grammar import check_expression
from holdfast.telemetry.logs.logql.errors import LogqlError
from holdfast.telemetry.logs.logql.nodes import (
    Binary,
    Grouping,
    MetricExpr,
    Number,
    RangeAggregation,
    VectorAggregation,
)
from holdfast.telemetry.logs.logql.tokens import TokenStream
from holdfast.telemetry.metrics.matching import question_of
from holdfast.telemetry.metrics.promql.nodes import Span
from holdfast.telemetry.metrics.samples import Matcher, MatchOp

OVER_LINES: Final = frozenset({"count_over_time", "bytes_rate", "bytes_over_time"})
OVER_BOTH: Final = frozenset({"rate", "absent_over_time"})
GROUPED: Final = frozenset(
    {
        "avg_over_time",
        "max_over_time",
        "min_over_time",
        "stddev_over_time",
        "stdvar_over_time",
        "quantile_over_time",
        "first_over_time",
        "last_over_time",
    }
)
RANGE_OPS: Final = OVER_LINES | OVER_BOTH | GROUPED | {"sum_over_time", "rate_counter"}
WITH_PARAM: Final = frozenset({"topk", "bottomk", "approx_topk"})
VECTOR_OPS: Final = WITH_PARAM | {"sum", "avg", "min", "max", "count", "stddev", "stdvar", "sort", "sort_desc"}
_SETS: Final = frozenset({"and", "or", "unless"})
_COMPARISONS: Final = frozenset({"==", "!=", ">", ">=", "<", "<="})
_LABEL: Final = re.compile("[a-zA-Z_][a-zA-Z0-9_]*")
_UNSELECTIVE: Final = (
    "queries require at least one regexp or equality matcher that does not have an empty-compatible value. "
    'For instance, app=~".*" does not meet this requirement, but app=~".+" will'
)


def check_matchers(matchers: tuple[Matcher, ...]) -> None:
    """Refuse a selector that every stream would satisfy.

    Raises:
        LogqlError: no matcher wants a value.
    """
    wanting = (MatchOp.EQUAL, MatchOp.MATCHES)
    if not any(matcher.op in wanting and not question_of(matcher)("") for matcher in matchers):
        raise LogqlError(_UNSELECTIVE)


def check_range(node: RangeAggregation, stream: TokenStream) -> None:
    """Refuse an operation that does not go with its range.

    Raises:
        LogqlError: it unwraps nothing where it must, or what it must not; or a parameter or grouping is wrong.
    """
    if node.unwrap is None and node.op not in OVER_LINES | OVER_BOTH:
        raise stream.refusal(f"invalid aggregation {node.op} without unwrap", node.span)
    if node.unwrap is not None and node.op in OVER_LINES:
        raise stream.refusal(f"invalid aggregation {node.op} with unwrap", node.span)
    if (node.param is not None) != (node.op == "quantile_over_time"):
        told = "parameter required for" if node.param is None else "parameter not supported for"
        raise stream.refusal(f"{told} operation {node.op}", node.span)
    if node.grouping is not None and node.op not in GROUPED:
        raise stream.refusal(f"grouping not allowed for {node.op} aggregation", node.span)


def checked_aggregation(
    stream: TokenStream, op: str, expr: MetricExpr, param: float | None, grouping: Grouping | None, span: Span
) -> VectorAggregation:
    """Give the node.

    Raises:
        LogqlError: it lacks its parameter, or has one that it does not take.
    """
    if isinstance(expr, Number):
        raise stream.refusal(f"{op} wants a vector, not a number", expr.span)
    if op in WITH_PARAM and param is None:
        raise stream.refusal(f"parameter required for operation {op}", span)
    if op in WITH_PARAM and (param is None or param < 1 or param % 1):
        raise stream.refusal(f"invalid parameter (must be greater than 0) {op}({param:g}", span)
    if op not in WITH_PARAM and param is not None:
        raise stream.refusal(f"unsupported parameter for operation {op}({param:g},", span)
    if op == "approx_topk" and grouping is not None:
        raise stream.refusal("grouping not allowed for approx_topk aggregation", span)
    return VectorAggregation(op, expr, None if param is None else int(param), grouping, span=span)


def checked_binary(node: Binary, stream: TokenStream) -> Binary:
    """Give the node.

    Raises:
        LogqlError: a number stands beside `and`, `or` or `unless`, or `bool` where nothing is compared.
    """
    if node.op in _SETS:
        for side, leg in ((node.left, "left"), (node.right, "right")):
            if isinstance(side, Number):
                problem = f"unexpected literal for {leg} leg of logical/set operation ({node.op}): {side.value:g}"
                raise stream.refusal(problem, side.span)
        if node.matching.card in {"many-to-one", "one-to-many"}:
            raise stream.refusal(f'no grouping allowed for "{node.op}" operation', node.span)
    if node.returns_bool and node.op not in _COMPARISONS:
        raise stream.refusal("bool modifier is only allowed with comparison operators", node.span)
    return node


def check_replacement(stream: TokenStream, target: str, pattern: str, span: Span) -> None:
    """Refuse a `label_replace` that could not work.

    Raises:
        LogqlError: the expression is no RE2, or the label no name.
    """
    check_expression(stream, pattern, span)
    if not _LABEL.fullmatch(target):
        raise stream.refusal(f"invalid destination label name in label_replace: {target}", span)
