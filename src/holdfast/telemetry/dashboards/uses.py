"""Which metrics the dashboards name: what nobody names and nobody queries may be dropped at its source."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from holdfast.telemetry.metrics.promql import QuerySyntaxError, parse, selectors_of
from holdfast.telemetry.metrics.samples import MatchOp

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.dashboards.document import Document
    from holdfast.telemetry.dashboards.shelf import Shelf

_PLACEHOLDER: Final = "variable_of_a_dashboard"
_VALUES_OF: Final = re.compile(r"^\s*(?:label_values|query_result|series)\s*\((.*?)(?:,\s*\w+\s*)?\)\s*$", re.DOTALL)
_DURATION: Final = re.compile(r"(?<=\[)\s*\$\w+|(?<=\[)\s*\$\{\w+\}|(?<=:)\s*\$\w+(?=\s*\])")
_BRACKETED: Final = re.compile(r"\[\[(\w+)(?::\w+)?\]\]")
_VARIABLE: Final = re.compile(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)")


class DashboardUses:
    """Names the metrics of every dashboard of a tenant."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def metric_names(self, tenant: TenantId) -> set[str]:
        """Give them; a query that is no PromQL without its variables names none."""
        documents = await self._shelf.documents(tenant)
        return {name for document in documents for text in _texts(document) for name in names_in(text)}


def names_in(text: str) -> Iterable[str]:
    """Give the metrics that a query with variables names."""
    inner = _VALUES_OF.match(text)
    dollared = _BRACKETED.sub(r"${\1}", inner[1] if inner else text)
    plain = _VARIABLE.sub(_PLACEHOLDER, _DURATION.sub("5m", dollared))
    try:
        chosen = selectors_of(parse(plain))
    except QuerySyntaxError:
        return ()
    return {
        matcher.value
        for matchers in chosen
        for matcher in matchers
        if matcher.label == "__name__" and matcher.op is MatchOp.EQUAL and _PLACEHOLDER not in matcher.value
    }


def _texts(document: Document) -> Iterator[str]:
    yield from (variable.query for variable in document.variables if variable.query)
    yield from (query.expr for row in document.rows for panel in row.panels for query in panel.queries)
