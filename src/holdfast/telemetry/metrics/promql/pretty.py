"""Long expressions over several lines, as Prometheus' `format_query` lays them out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from holdfast.telemetry.metrics.promql.nodes import Aggregation, Binary, Call, Expr, Paren, Subquery, Unary
from holdfast.telemetry.metrics.promql.parser import parse
from holdfast.telemetry.metrics.promql.printing import aggregation_head, operator_text, print_expr, subquery_tail
from holdfast.telemetry.metrics.promql.walking import count_nodes

_MOST: Final = 100  # characters that stay on one line
_INDENT: Final = "  "
_BREAKABLE: Final = (Aggregation, Binary, Call, Paren, Subquery)


def format_query(text: str) -> str:
    """Read a query and lay it out.

    Raises:
        QuerySyntaxError: it is none.
    """
    return prettify(parse(text))


def prettify(expr: Expr) -> str:
    """Write an expression; what fits into 100 characters stays on one line."""
    return _lay_out(expr, 0, count_nodes(expr))


def _lay_out(expr: Expr, level: int, counts: Mapping[int, int]) -> str:
    """Write an expression `level` steps to the right."""
    margin = _INDENT * level
    if isinstance(expr, Unary):
        return f"{margin}{expr.op}{_lay_out(expr.expr, level, counts).strip()}"
    if not isinstance(expr, _BREAKABLE) or _fits(expr, counts):
        return margin + print_expr(expr)
    if isinstance(expr, Subquery):
        return f"{_lay_out(expr.expr, level, counts)}{subquery_tail(expr)}"
    if isinstance(expr, Binary):
        left, right = _lay_out(expr.left, level + 1, counts), _lay_out(expr.right, level + 1, counts)
        return f"{left}\n{margin}{operator_text(expr)}\n{right}"
    head, parts = _parts(expr)
    inner = ",\n".join(_lay_out(part, level + 1, counts) for part in parts)
    return f"{margin}{head}(\n{inner}\n{margin})"


def _fits(expr: Expr, counts: Mapping[int, int]) -> bool:
    """Tell whether it stays on one line; what has more nodes than that has letters is not written to find out."""
    return counts[id(expr)] <= _MOST and len(print_expr(expr).encode("utf-8", "surrogatepass")) <= _MOST


def _parts(expr: Aggregation | Call | Paren) -> tuple[str, tuple[Expr, ...]]:
    match expr:
        case Aggregation(param=param):
            return aggregation_head(expr), (expr.expr,) if param is None else (param, expr.expr)
        case Call():
            return expr.function, expr.args
        case Paren():
            return "", (expr.expr,)
