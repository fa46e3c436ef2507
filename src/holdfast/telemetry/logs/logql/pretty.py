"""Queries as people like to read them: what does not fit on a line is broken into lines where Loki breaks it.

Where Loki's lines would be another query, ours keep it: it takes the parentheses off an operation within one, and what
stands behind `or` off a long line filter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any, Final

from holdfast.telemetry.logs.logql import nodes
from holdfast.telemetry.logs.logql.printing import (
    GROUPS,
    literal_text,
    print_matchers,
    print_query,
    print_stage,
    range_text,
    unwrap_parts,
)
from holdfast.telemetry.logs.logql.tokens import PRECEDENCE
from holdfast.telemetry.metrics.promql.literals import format_duration
from holdfast.telemetry.metrics.promql.quoting import quote

_WIDEST: Final = 100  # bytes
_INDENT: Final = "  "
_NS_OF_MS: Final = 10**6


def prettify(node: nodes.Expr) -> str:
    """Write a query, broken into lines where one is too long."""
    return "\n".join(_lines(node, 0))


def _lines(node: nodes.Expr, level: int) -> list[str]:
    text = print_query(node)
    breaks = _BREAKERS.get(type(node))
    return [_INDENT * level + text] if _fits(text) or breaks is None else breaks(node, level)


def _fits(text: str) -> bool:
    return len(text.encode()) <= _WIDEST


def _selector(node: nodes.LogSelector, level: int) -> list[str]:
    margin = _INDENT * (level + 1)
    return [_INDENT * level + print_matchers(node.matchers), *(margin + part for part in _stages(node.stages))]


def _stages(stages: tuple[nodes.Stage, ...]) -> Iterator[str]:
    """Give each stage, but line filters that stand together as one."""
    for is_filter, group in groupby(stages, key=lambda stage: isinstance(stage, nodes.LineFilter)):
        texts = [print_stage(stage) for stage in group]
        if is_filter:
            yield from _filters(texts)
        else:
            yield from texts


def _filters(texts: list[str]) -> list[str]:
    """Break line filters off the end until what is left fits."""
    if _fits(" ".join(texts)) or len(texts) == 1:
        return [" ".join(texts)]
    return [*_filters(texts[:-1]), texts[-1]]


def _range_aggregation(node: nodes.RangeAggregation, level: int) -> list[str]:
    margin = _INDENT * level
    param = [] if node.param is None else [f"{margin}{_INDENT}{literal_text(node.param)},"]
    unwrap = [_INDENT * (level + 2) + part for part in unwrap_parts(node.unwrap)]
    *inner, last = [*_lines(node.selector, level + 1), *unwrap]
    sign = "-" if node.offset_ns < 0 else ""
    offset = f" offset {sign}{format_duration(abs(node.offset_ns) // _NS_OF_MS)}" if node.offset_ns else ""
    end = f"{margin}){_grouping(node.grouping)}"
    return [f"{margin}{node.op}(", *param, *inner, f"{last} {range_text(node)}{offset}", end]


def _grouping(grouping: nodes.Grouping | None) -> str:
    if grouping is None:
        return ""
    return f" {'without' if grouping.is_without else 'by'} ({', '.join(grouping.labels)})"


def _vector_aggregation(node: nodes.VectorAggregation, level: int) -> list[str]:
    margin = _INDENT * level
    param = [] if node.param is None else [f"{margin}{_INDENT}{node.param},"]
    return [f"{margin}{node.op}{_grouping(node.grouping)}(", *param, *_lines(node.expr, level + 1), f"{margin})"]


def _binary(node: nodes.Binary, level: int) -> list[str]:
    own, is_power = PRECEDENCE[node.op], node.op == "^"  # the only one that joins from the right
    left, right = _tightness(node.left), _tightness(node.right)
    return [
        *_side(node.left, level + 1, is_in_parentheses=left < own or (is_power and left == own)),
        _INDENT * level + _operator(node),
        *_side(node.right, level + 1, is_in_parentheses=right < own or (not is_power and right == own)),
    ]


def _tightness(node: nodes.MetricExpr) -> int:
    return PRECEDENCE[node.op] if isinstance(node, nodes.Binary) else len(PRECEDENCE)


def _side(node: nodes.MetricExpr, level: int, *, is_in_parentheses: bool) -> list[str]:
    if not is_in_parentheses or _fits(print_query(node)):
        return _lines(node, level)
    return [f"{_INDENT * level}(", *_lines(node, level + 1), f"{_INDENT * level})"]


def _operator(node: nodes.Binary) -> str:
    op, matching = f"{node.op} bool" if node.returns_bool else node.op, node.matching
    group = GROUPS.get(matching.card, "") + (f" ({', '.join(matching.include)})" if matching.include else "")
    if not (matching.is_on or matching.labels or group):
        return op
    return f"{op} {'on' if matching.is_on else 'ignoring'} ({', '.join(matching.labels)}) {group}"


def _label_replace(node: nodes.LabelReplace, level: int) -> list[str]:
    margin = _INDENT * level
    *inner, last = _lines(node.expr, level + 1)
    texts = [quote(text) for text in (node.target, node.replacement, node.source)]
    lines = [f"{margin}{_INDENT}{text}," for text in texts]
    end = f"{margin}{_INDENT}{quote(node.pattern)}"
    return [f"{margin}label_replace(", *inner, f"{last},", *lines, end, f"{margin})"]


_BREAKERS: Final[dict[type[nodes.Node], Callable[[Any, int], list[str]]]] = {
    nodes.LogSelector: _selector,
    nodes.RangeAggregation: _range_aggregation,
    nodes.VectorAggregation: _vector_aggregation,
    nodes.Binary: _binary,
    nodes.LabelReplace: _label_replace,
}
