"""The syntax tree as JSON, in the shape of Prometheus' `/api/v1/parse_query` (web/api/v1/translate_ast.go)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import orjson

from holdfast.telemetry.metrics.promql.literals import format_number
from holdfast.telemetry.metrics.promql.nodes import (
    Aggregation,
    Binary,
    Call,
    Expr,
    Matching,
    MatrixSelector,
    NumberLiteral,
    Paren,
    StringLiteral,
    Subquery,
    Unary,
    VectorSelector,
)
from holdfast.telemetry.metrics.promql.quoting import legible
from holdfast.telemetry.metrics.promql.signatures import FUNCTIONS
from holdfast.telemetry.metrics.promql.walking import links_of

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.promql.nodes import AtModifier, Duration
    from holdfast.telemetry.metrics.samples import Matcher

Json = dict[str, object]

_TOGETHER: Final = 8  # links of a chain that are written at once: orjson goes no deeper than 254 levels
_OPS: Final = {"min": "min_of", "max": "max_of"}


def expr_to_json(expr: Expr) -> Json:
    """Give the tree of an expression; durations are milliseconds, numbers are text."""
    return _TREES[type(expr)](expr)


def _subquery(expr: Subquery) -> Json:
    return {
        "type": "subquery",
        "expr": expr_to_json(expr.expr),
        **_duration("range", expr.range),
        **_duration("offset", expr.offset),
        **_duration("step", expr.step),
        **_at(expr.at),
    }


def _aggregation(expr: Aggregation) -> Json:
    return {
        "type": "aggregation",
        "op": expr.op,
        "expr": expr_to_json(expr.expr),
        "param": expr_to_json(expr.param) if expr.param is not None else None,
        "grouping": list(expr.grouping),
        "without": expr.is_without,
    }


def _call(expr: Call) -> Json:
    return {"type": "call", "func": _function(expr.function), "args": [expr_to_json(arg) for arg in expr.args]}


def _matrix(expr: MatrixSelector) -> Json:
    return {"type": "matrixSelector", **_selector(expr.selector), **_duration("range", expr.range)}


def _binary(expr: Binary) -> Json:
    links = links_of(expr)
    tree = expr_to_json(links[0].left)
    for place, binary in enumerate(links):
        left = orjson.Fragment(orjson.dumps(tree)) if place % _TOGETHER == _TOGETHER - 1 else tree
        tree = {
            "type": "binaryExpr",
            "op": binary.op,
            "lhs": left,
            "rhs": expr_to_json(binary.right),
            "matching": _matching(binary.matching) if binary.matching is not None else None,
            "bool": binary.returns_bool,
        }
    return tree


def _matching(matching: Matching) -> Json:
    return {
        "card": matching.card,
        "labels": list(matching.labels),
        "on": matching.is_on,
        "include": list(matching.include),
        "fillValues": {"lhs": matching.fill_left, "rhs": matching.fill_right},
    }


def _function(name: str) -> Json:
    signature = FUNCTIONS[name]
    return {
        "name": name,
        "argTypes": [each.value for each in signature.args],
        "variadic": signature.variadic,
        "returnType": signature.returns.value,
    }


def _selector(selector: VectorSelector) -> Json:
    return {
        "name": selector.name,
        **_duration("offset", selector.offset),
        "matchers": [_matcher(each) for each in selector.matchers],
        **_at(selector.at),
        "anchored": selector.mode == "anchored",
        "smoothed": selector.mode == "smoothed",
    }


def _matcher(matcher: Matcher) -> Json:
    return {"name": legible(matcher.label), "value": legible(matcher.value), "type": matcher.op.value}


def _at(at: AtModifier | None) -> Json:
    return {"timestamp": at.ts_ms if at else None, "startOrEnd": at.bound if at else None}


def _duration(name: str, duration: Duration | None) -> Json:
    if duration is None or isinstance(duration, NumberLiteral):
        return {name: duration.milliseconds if duration else 0, f"{name}Expr": None}
    return {name: 0, f"{name}Expr": _reckoned(duration)}


def _reckoned(duration: Duration | None) -> Json | None:
    if duration is None:
        return None
    if isinstance(duration, NumberLiteral):
        number = format_number(duration.value)
        return {"type": "numberLiteral", "val": number, "duration": duration.is_duration}
    if duration.op == "()" and duration.right is not None and not isinstance(duration.right, NumberLiteral):
        inner = _reckoned(duration.right) or {}
        return {**inner, "wrapped": True}
    return {
        "type": "durationExpr",
        "op": "+" if duration.op == "()" else _OPS.get(duration.op, duration.op),
        "lhs": _reckoned(duration.left),
        "rhs": _reckoned(duration.right),
        "wrapped": duration.op == "()",
    }


_TREES: Final[dict[type[Expr], Callable[[Any], Json]]] = {
    VectorSelector: lambda expr: {"type": "vectorSelector", **_selector(expr)},
    MatrixSelector: _matrix,
    Subquery: _subquery,
    Binary: _binary,
    Aggregation: _aggregation,
    Call: _call,
    Paren: lambda expr: {"type": "parenExpr", "expr": expr_to_json(expr.expr)},
    Unary: lambda expr: {"type": "unaryExpr", "op": expr.op, "expr": expr_to_json(expr.expr)},
    StringLiteral: lambda expr: {"type": "stringLiteral", "val": legible(expr.value)},
    NumberLiteral: lambda expr: {"type": "numberLiteral", "val": format_number(expr.value)},
}
