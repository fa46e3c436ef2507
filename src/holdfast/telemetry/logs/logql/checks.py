"""What a well-formed query may still not ask: operations that want a number to unwrap, groupings, parameters.

Sources: Loki's documentation of metric queries; its messages where they are known.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import Final

from holdfast.telemetry.logs.logql.errors import LogqlError
from holdfast.telemetry.logs.logql.expressions import compile_expression
from holdfast.telemetry.logs.logql.nodes import (
    Binary,
    Grouping,
    LineFilter,
    LineOp,
    LogSelector,
    MetricExpr,
    Number,
    RangeAggregation,
    Stage,
)
from holdfast.telemetry.logs.logql.printing import print_stage
from holdfast.telemetry.logs.logql.tokens import GROUPED, OVER_BOTH, OVER_LINES, SORTED, WITH_PARAM
from holdfast.telemetry.metrics.matching import question_of
from holdfast.telemetry.metrics.samples import Matcher, MatchOp

_SETS: Final = frozenset({"and", "or", "unless"})
_COMPARISONS: Final = frozenset({"==", "!=", ">", ">=", "<", "<="})
_EXPRESSIONS: Final = frozenset({LineOp.MATCHES, LineOp.MATCHES_NOT})
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


def check_range(node: RangeAggregation) -> None:
    """Refuse an operation that does not go with its range.

    Raises:
        LogqlError: it unwraps nothing where it must, or what it must not; or a parameter or grouping is wrong.
    """
    if (node.param is not None) != (node.op == "quantile_over_time"):
        if node.param is None:
            raise LogqlError(f"parameter required for operation {node.op}")
        raise LogqlError(f"parameter {node.param:g} not supported for operation {node.op}")
    if node.grouping is not None and node.op not in GROUPED:
        raise LogqlError(f"grouping not allowed for {node.op} aggregation")
    if node.unwrap is None and node.op not in OVER_LINES | OVER_BOTH:
        raise LogqlError(f"invalid aggregation {node.op} without unwrap")
    if node.unwrap is not None and node.op in OVER_LINES:
        raise LogqlError(f"invalid aggregation {node.op} with unwrap")


def check_line_filters(stages: tuple[Stage, ...]) -> None:
    """Refuse line filters whose expressions are none; Loki names all that stand together.

    Raises:
        LogqlError: naming the filters and what is wrong.
    """
    for is_filter, group in groupby(stages, key=lambda stage: isinstance(stage, LineFilter)):
        filters = [stage for stage in group if isinstance(stage, LineFilter)] if is_filter else []
        needles = [needle for each in filters if each.op in _EXPRESSIONS for needle in each.needles]
        for needle in needles:
            if not needle.is_ip and (problem := compile_expression(needle.value)[1]):
                raise LogqlError(f"stage '{' '.join(map(print_stage, filters))}' : {problem}")


def check_aggregation(op: str, expr: MetricExpr, param: float | None, grouping: Grouping | None) -> None:
    """Refuse an aggregation without its parameter, or with one that it does not take.

    Raises:
        LogqlError: it lacks its parameter, or has one that it does not take.
    """
    if isinstance(expr, Number):
        raise LogqlError(f"{op} wants a vector, not a number")
    if op in WITH_PARAM and param is None:
        raise LogqlError(f"parameter required for operation {op}")
    if op in WITH_PARAM and param is not None and param % 1:
        raise LogqlError(f"invalid parameter {op}({param:g},")
    if op in WITH_PARAM and param is not None and param < 1:
        raise LogqlError(f"invalid parameter (must be greater than 0) {op}({param:g}")
    if op not in WITH_PARAM and param is not None:
        raise LogqlError(f"unsupported parameter for operation {op}({param:g},")
    if op == "approx_topk" and grouping is not None:
        raise LogqlError("grouping not allowed for approx_topk aggregation")
    if op in SORTED and grouping is not None and grouping.labels:
        raise LogqlError("sort and sort_desc doesn't allow grouping by ")


def refuse_lines(op: str, side: LogSelector, leg: str) -> None:
    """Refuse a side of an operation that gives lines, not numbers.

    Raises:
        LogqlError: always.
    """
    kind = "PipelineExpr" if side.stages else "MatchersExpr"
    raise LogqlError(f"unexpected type for {leg} leg of binary operation ({op}): *syntax.{kind}")


def check_binary(node: Binary) -> None:
    """Refuse an operation whose sides or words do not go with it.

    Raises:
        LogqlError: a number stands beside `and`, `or` or `unless`, or `bool` where nothing is compared.
    """
    if node.op in _SETS:
        for side, leg in ((node.left, "left"), (node.right, "right")):
            if isinstance(side, Number):
                what = f"unexpected literal for {leg} leg of logical/set binary operation"
                raise LogqlError(f"{what} ({node.op}): {side.value:f}")
        if node.matching.card in {"many-to-one", "one-to-many"}:
            raise LogqlError(f'no grouping allowed for "{node.op}" operation')
    if node.returns_bool and node.op not in _COMPARISONS:
        raise LogqlError("bool modifier is only allowed with comparison operators")


def check_replacement(target: str, pattern: str) -> None:
    """Refuse a `label_replace` that could not work.

    Raises:
        LogqlError: the expression is no RE2, or the label no name.
    """
    problem = compile_expression(pattern)[1]
    if problem:
        raise LogqlError(f"invalid regex in label_replace: {problem}")
    if not _LABEL.fullmatch(target):
        raise LogqlError(f"invalid destination label name in label_replace: {target}")
