"""PromQL: text becomes nodes (`parser`), nodes become answers over a source of samples (`engine`).

Knows the language of Prometheus 3 and nothing of where samples live, of HTTP or of tenants' limits.
"""

from holdfast.telemetry.metrics.promql.answers import Answer, Grid, QueryStats
from holdfast.telemetry.metrics.promql.errors import QueryExecutionError, QuerySyntaxError
from holdfast.telemetry.metrics.promql.nodes import Expr, ValueType

__all__ = [
    "Answer",
    "Expr",
    "Grid",
    "QueryExecutionError",
    "QueryStats",
    "QuerySyntaxError",
    "ValueType",
]
