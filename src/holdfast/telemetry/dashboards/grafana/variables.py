"""Maps the variables (`templating`) of a Grafana dashboard."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from holdfast.telemetry.dashboards.document import Variable, VariableKind
from holdfast.telemetry.dashboards.grafana.notes import Notes

_KINDS: Final = {
    "query": VariableKind.QUERY,
    "custom": VariableKind.CUSTOM,
    "interval": VariableKind.INTERVAL,
    "textbox": VariableKind.TEXT,
    "constant": VariableKind.CONSTANT,
}
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def map_variable(given: Mapping[str, Any], path: str, notes: Notes) -> Variable | None:
    """Give the variable, or None where there is no counterpart."""
    kind, name = _KINDS.get(str(given.get("type", ""))), str(given.get("name", ""))
    if given.get("type") == "datasource":
        notes.add(path, f"the choice of a data source (${name}): there is one here")
        return None
    if kind is None or not _NAME.fullmatch(name):
        notes.add(path, f"a variable of type {given.get('type')!r} ({name})")
        return None
    if given.get("regex"):
        notes.add(f"{path}.regex", f"the filter {given['regex']!r} of the values of ${name}")
    query = given.get("query")
    text = str(query.get("query", "") if isinstance(query, Mapping) else query or "")
    has_list = kind in {VariableKind.CUSTOM, VariableKind.INTERVAL}
    return Variable(
        name=name,
        kind=kind,
        label=str(given.get("label") or "")[:200],
        query="" if has_list else text[:20_000],
        options=tuple(part.strip()[:200] for part in text.split(",") if part.strip())[:1000] if has_list else (),
        multi=bool(given.get("multi")),
        include_all=bool(given.get("includeAll")),
        default=_default(given),
    )


def _default(given: Mapping[str, Any]) -> str:
    current = given.get("current")
    value = current.get("value") if isinstance(current, Mapping) else None
    if isinstance(value, list):
        value = value[0] if value else ""
    return str(value or "").replace("$__all", "")[:200]
