"""PromQL: text becomes nodes (`parser`), nodes become answers over a source of samples (`engine`).

Knows the language of Prometheus 3 and nothing of where samples live, of HTTP or of tenants' limits.
"""

from holdfast.telemetry.metrics.promql.answers import Answer, Grid, QueryStats
from holdfast.telemetry.metrics.promql.errors import QueryExecutionError, QuerySyntaxError
from holdfast.telemetry.metrics.promql.nodes import Expr, ValueType
from holdfast.telemetry.metrics.promql.parser import parse, parse_matchers
from holdfast.telemetry.metrics.promql.stream import ParserOptions

__all__ = [
    "Answer",
    "Expr",
    "Grid",
    "ParserOptions",
    "QueryExecutionError",
    "QueryStats",
    "QuerySyntaxError",
    "ValueType",
    "parse",
    "parse_matchers",
]
