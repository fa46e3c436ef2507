"""Long expressions over several lines, as Prometheus' `format_query` lays them out."""

from __future__ import annotations

from typing import Final

from holdfast.telemetry.metrics.promql.nodes import Aggregation, Binary, Call, Expr, Paren, Subquery, Unary
from holdfast.telemetry.metrics.promql.parser import parse
from holdfast.telemetry.metrics.promql.printing import aggregation_head, operator_text, print_expr, subquery_tail

_MOST: Final = 100  # characters that stay on one line
_INDENT: Final = "  "
_BREAKABLE: Final = (Aggregation, Binary, Call, Paren, Subquery)


def format_query(text: str) -> str:
    """Read a query and lay it out.

    Raises:
        QuerySyntaxError: it is none.
    """
    return prettify(parse(text))


def prettify(expr: Expr, level: int = 0) -> str:
    """Write an expression, `level` steps to the right; what fits into 100 characters stays on one line."""
    margin, line = _INDENT * level, print_expr(expr)
    if isinstance(expr, Unary):
        return f"{margin}{expr.op}{prettify(expr.expr, level).strip()}"
    if len(line.encode("utf-8", "surrogatepass")) <= _MOST or not isinstance(expr, _BREAKABLE):
        return margin + line
    if isinstance(expr, Subquery):
        return f"{prettify(expr.expr, level)}{subquery_tail(expr)}"
    if isinstance(expr, Binary):
        left, right = prettify(expr.left, level + 1), prettify(expr.right, level + 1)
        return f"{left}\n{margin}{operator_text(expr)}\n{right}"
    head, parts = _parts(expr)
    inner = ",\n".join(prettify(part, level + 1) for part in parts)
    return f"{margin}{head}(\n{inner}\n{margin})"


def _parts(expr: Aggregation | Call | Paren) -> tuple[str, tuple[Expr, ...]]:
    match expr:
        case Aggregation(param=param):
            return aggregation_head(expr), (expr.expr,) if param is None else (param, expr.expr)
        case Call():
            return expr.function, expr.args
        case Paren():
            return "", (expr.expr,)
