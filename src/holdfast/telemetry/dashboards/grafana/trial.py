"""Reads each query of an import with values for its variables, and notes what would be no PromQL here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import product, zip_longest
from typing import Final

from holdfast.telemetry.dashboards.document import Panel, Variable, VariableKind
from holdfast.telemetry.dashboards.grafana.notes import Notes
from holdfast.telemetry.metrics.promql import QuerySyntaxError, parse

_NAME: Final = re.compile(r"\$\{(\w+)(?::[^}]*)?\}|\$(\w+)|\[\[(\w+)(?::\w+)?\]\]")
_BUILT_IN: Final = {
    "__interval": "1m", "__rate_interval": "1m", "__range": "1h",
    "__interval_ms": "60000", "__range_s": "3600", "__range_ms": "3600000",
}  # fmt: skip
# A variable of label values may stand for a name, a number, a time or a function.
_PLACEHOLDERS: Final = ("job", "5", "5m", "sum", "rate")
_MOST_TRIED: Final = 3  # names with each placeholder: 125 queries


class Trial:
    """Knows what the variables may be."""

    def __init__(self, variables: Sequence[Variable], notes: Notes) -> None:
        self._notes = notes
        self._values: dict[str, str | None] = {**_BUILT_IN, **{each.name: _value(each) for each in variables}}

    def check(self, panel: Panel, path: str) -> None:
        """Note the queries of a panel that no value makes PromQL, and the variables that are not there."""
        for query in panel.queries:
            names = {next(filter(None, found.groups())) for found in _NAME.finditer(query.expr)}
            for name in sorted(names - self._values.keys()):
                self._notes.add(path, f"the variable ${name} of a query, which has no value here")
            fault = self._fault(query.expr, [name for name in sorted(names) if self._values.get(name) is None])
            if fault:
                self._notes.add(path, f"a query that is no PromQL here: {fault}")

    def _fault(self, text: str, open_names: Sequence[str]) -> str:
        """Give what is wrong with a query, whatever stands for the variables whose values nobody knows yet."""
        faults = []
        for chosen in product(_PLACEHOLDERS, repeat=min(len(open_names), _MOST_TRIED)):
            values = self._values | dict(zip_longest(open_names, chosen, fillvalue=_PLACEHOLDERS[0]))
            try:
                parse(_filled(text, values))
            except QuerySyntaxError as error:
                faults.append(str(error))
            else:
                return ""
        return faults[0]


def _filled(text: str, values: Mapping[str, str | None]) -> str:
    return _NAME.sub(lambda found: values[next(filter(None, found.groups()))] or "", text)


def _value(variable: Variable) -> str | None:
    match variable.kind:
        case VariableKind.CUSTOM | VariableKind.INTERVAL:
            return variable.default or next(iter(variable.options), None)
        case VariableKind.CONSTANT | VariableKind.TEXT:
            return variable.default or variable.query or None
    return None
