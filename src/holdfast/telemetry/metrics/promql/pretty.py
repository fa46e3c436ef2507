"""Long expressions over several lines, as Prometheus' `format_query` lays them out."""

from __future__ import annotations

from typing import Final

from holdfast.telemetry.metrics.promql.nodes import Aggregation, Binary, Call, Expr, Paren, Subquery, Unary
from holdfast.telemetry.metrics.promql.parser import parse
from holdfast.telemetry.metrics.promql.printing import (
    aggregation_head,
    link_text,
    operator_text,
    print_expr,
    subquery_tail,
)
from holdfast.telemetry.metrics.promql.walking import links_of

_MOST: Final = 100  # characters that stay on one line
_INDENT: Final = "  "
_BREAKABLE: Final = (Aggregation, Call, Paren, Subquery)


def format_query(text: str) -> str:
    """Read a query and lay it out.

    Raises:
        QuerySyntaxError: it is none.
    """
    return prettify(parse(text))


def prettify(expr: Expr, level: int = 0) -> str:
    """Write an expression, `level` steps to the right; what fits into 100 characters stays on one line."""
    if isinstance(expr, Binary):
        return _prettify_chain(expr, level)
    margin, line = _INDENT * level, print_expr(expr)
    if isinstance(expr, Unary):
        return f"{margin}{expr.op}{prettify(expr.expr, level).strip()}"
    if _size(line) <= _MOST or not isinstance(expr, _BREAKABLE):
        return margin + line
    if isinstance(expr, Subquery):
        return f"{prettify(expr.expr, level)}{subquery_tail(expr)}"
    head, parts = _parts(expr)
    inner = ",\n".join(prettify(part, level + 1) for part in parts)
    return f"{margin}{head}(\n{inner}\n{margin})"


def _prettify_chain(expr: Binary, level: int) -> str:
    """Write as many operations of a chain on one line as fit, the others each one step less to the right."""
    links = links_of(expr)
    line, fitting = print_expr(links[0].left), 0
    for link in links:
        longer = f"{line} {link_text(link)}"
        if _size(longer) > _MOST:
            break
        line, fitting = longer, fitting + 1
    deepest = level + len(links) - fitting
    lines = [f"{_INDENT * deepest}{line}" if fitting else prettify(links[0].left, deepest)]
    for depth, link in zip(range(deepest - 1, level - 1, -1), links[fitting:], strict=True):
        lines += [f"{_INDENT * depth}{operator_text(link)}", prettify(link.right, depth + 1)]
    return "\n".join(lines)


def _size(line: str) -> int:
    return len(line.encode("utf-8", "surrogatepass"))


def _parts(expr: Aggregation | Call | Paren) -> tuple[str, tuple[Expr, ...]]:
    match expr:
        case Aggregation(param=param):
            return aggregation_head(expr), (expr.expr,) if param is None else (param, expr.expr)
        case Call():
            return expr.function, expr.args
        case Paren():
            return "", (expr.expr,)
