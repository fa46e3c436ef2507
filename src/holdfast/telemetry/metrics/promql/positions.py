"""Places in a query's text: `line:column`, as Prometheus prints them in front of errors and behind warnings.

Spans count characters, columns count bytes of UTF-8 from 1, because that is what tools compare.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.telemetry.metrics.promql.errors import QuerySyntaxError

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.promql.nodes import Span


def place(text: str, start: int) -> str:
    """Give `line:column` of the character at `start`."""
    if not text:
        return "unknown position"
    before = text[:start]
    line_start = before.rfind("\n") + 1
    column = len(before[line_start:].encode("utf-8", "surrogatepass")) + 1
    return f"{before.count(chr(10)) + 1}:{column}"


def syntax_error(text: str, span: Span, problem: str) -> QuerySyntaxError:
    """Give the error of a query that cannot be read: `1:5: parse error: ...`."""
    return QuerySyntaxError(f"{place(text, span.start)}: parse error: {problem}", span=span)
