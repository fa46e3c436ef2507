"""Queries as people like to read them: what does not fit on a line is broken into lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from holdfast.telemetry.logs.logql import nodes
from holdfast.telemetry.logs.logql.printing import (
    aggregation_head,
    grouping_text,
    needs_parentheses,
    operator_text,
    print_matchers,
    print_query,
    print_stage,
    range_parts,
    range_text,
    replacement_text,
)
from holdfast.telemetry.metrics.promql.literals import format_number

_WIDEST: Final = 80
_INDENT: Final = "  "


def prettify(node: nodes.Expr) -> str:
    """Write a query, broken into lines where one is too long."""
    return "\n".join(_lines(node, 0))


def _lines(node: nodes.Expr, level: int) -> list[str]:
    text = _INDENT * level + print_query(node)
    breaks = _BREAKERS.get(type(node))
    return [text] if len(text) <= _WIDEST or breaks is None else breaks(node, level)


def _selector(node: nodes.LogSelector, level: int) -> list[str]:
    return _stages([print_matchers(node.matchers), *map(print_stage, node.stages)], level)


def _stages(parts: list[str], level: int) -> list[str]:
    first, *rest = parts
    return [_INDENT * level + first, *(_INDENT * (level + 1) + part for part in rest)]


def _range_aggregation(node: nodes.RangeAggregation, level: int) -> list[str]:
    margin = _INDENT * level
    param = [] if node.param is None else [f"{margin}{_INDENT}{format_number(node.param)},"]
    *inner, last = _stages(range_parts(node), level + 1)
    end = f"{margin}){grouping_text(node.grouping)}"
    return [f"{margin}{node.op}(", *param, *inner, f"{last} {range_text(node)}", end]


def _vector_aggregation(node: nodes.VectorAggregation, level: int) -> list[str]:
    margin = _INDENT * level
    param = [] if node.param is None else [f"{margin}{_INDENT}{node.param},"]
    return [f"{margin}{aggregation_head(node)}(", *param, *_lines(node.expr, level + 1), f"{margin})"]


def _binary(node: nodes.Binary, level: int) -> list[str]:
    left, right = needs_parentheses(node)
    return [
        *_side(node.left, level, is_in_parentheses=left),
        _INDENT * level + operator_text(node),
        *_side(node.right, level, is_in_parentheses=right),
    ]


def _side(node: nodes.MetricExpr, level: int, *, is_in_parentheses: bool) -> list[str]:
    if not is_in_parentheses:
        return _lines(node, level + 1)
    margin = _INDENT * (level + 1)
    short = f"{margin}({print_query(node)})"
    return [short] if len(short) <= _WIDEST else [f"{margin}(", *_lines(node, level + 2), f"{margin})"]


def _label_replace(node: nodes.LabelReplace, level: int) -> list[str]:
    margin = _INDENT * level
    *inner, last = _lines(node.expr, level + 1)
    texts = f"{margin}{_INDENT}{replacement_text(node)}"
    return [f"{margin}label_replace(", *inner, f"{last},", texts, f"{margin})"]


_BREAKERS: Final[dict[type[nodes.Node], Callable[[Any, int], list[str]]]] = {
    nodes.LogSelector: _selector,
    nodes.RangeAggregation: _range_aggregation,
    nodes.VectorAggregation: _vector_aggregation,
    nodes.Binary: _binary,
    nodes.LabelReplace: _label_replace,
}
