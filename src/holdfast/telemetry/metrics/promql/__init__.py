"""PromQL: text becomes nodes (`parser`), nodes become answers over a source of samples (`engine`).

Knows the language of Prometheus 3 and nothing of where samples live, of HTTP or of tenants' limits.
"""

from holdfast.telemetry.metrics.promql.answers import Answer, Grid, QueryStats
from holdfast.telemetry.metrics.promql.engine import Engine, EngineOptions
from holdfast.telemetry.metrics.promql.errors import QueryExecutionError, QuerySyntaxError
from holdfast.telemetry.metrics.promql.limits import QueryLimits
from holdfast.telemetry.metrics.promql.nodes import Expr, ValueType
from holdfast.telemetry.metrics.promql.parser import parse, parse_matchers
from holdfast.telemetry.metrics.promql.pretty import format_query, prettify
from holdfast.telemetry.metrics.promql.printing import print_expr
from holdfast.telemetry.metrics.promql.series_notation import NotedSeries, NotedValue, parse_series
from holdfast.telemetry.metrics.promql.signatures import AGGREGATIONS, FUNCTIONS, AggregationSignature, Signature
from holdfast.telemetry.metrics.promql.stream import ParserOptions
from holdfast.telemetry.metrics.promql.syntax_json import expr_to_json
from holdfast.telemetry.metrics.promql.walking import selectors_of, walk

__all__ = [
    "AGGREGATIONS",
    "FUNCTIONS",
    "AggregationSignature",
    "Answer",
    "Engine",
    "EngineOptions",
    "Expr",
    "Grid",
    "NotedSeries",
    "NotedValue",
    "ParserOptions",
    "QueryExecutionError",
    "QueryLimits",
    "QueryStats",
    "QuerySyntaxError",
    "Signature",
    "ValueType",
    "expr_to_json",
    "format_query",
    "parse",
    "parse_matchers",
    "parse_series",
    "prettify",
    "print_expr",
    "selectors_of",
    "walk",
]
