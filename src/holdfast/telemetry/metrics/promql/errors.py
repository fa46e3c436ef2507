"""What is wrong with a query, with the place in its text.

Messages and the form of positions (`line:column`) are those of Prometheus, because tools and tests compare them.
"""

from __future__ import annotations

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.promql.nodes import Span


class QuerySyntaxError(InvalidError):
    """The text is no PromQL; `span` says where, in characters from 0."""

    code = "bad_data"

    def __init__(self, message: str, *, span: Span, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.span = span


class QueryExecutionError(InvalidError):
    """The query is well formed but cannot be answered, such as many matches where one is allowed."""

    code = "execution"
