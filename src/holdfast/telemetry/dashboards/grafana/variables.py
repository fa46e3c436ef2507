"""Maps the variables (`templating`) of a Grafana dashboard."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from holdfast.telemetry.dashboards.document import Variable, VariableKind
from holdfast.telemetry.dashboards.grafana.notes import Notes
from holdfast.telemetry.dashboards.grafana.sources import PROMETHEUS, Sources

_KINDS: Final = {
    "query": VariableKind.QUERY,
    "custom": VariableKind.CUSTOM,
    "interval": VariableKind.INTERVAL,
    "textbox": VariableKind.TEXT,
    "constant": VariableKind.CONSTANT,
}
_LISTS: Final = {VariableKind.CUSTOM, VariableKind.INTERVAL}
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_INPUT: Final = re.compile(r"\$\{(VAR_\w+)\}")
# Values stand between commas; a backslash keeps one, and quotes keep what is between them.
_VALUE: Final = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|((?:\\,|[^,])+))\s*(?:,|$)""")
_NAMED_VALUE: Final = re.compile(r"(.+?)\s+:\s+(.+)", re.DOTALL)
_MOST: Final = 1000
_SORTED: Final = (None, 0, 1, 5)  # as they come, or by the alphabet, which is how they come


def map_variable(
    given: Mapping[str, Any], path: str, sources: Sources, inputs: Mapping[str, object], notes: Notes
) -> Variable | None:
    """Give the variable, or None where there is no counterpart; `inputs` are the constants that an export asks for."""
    kind, name = _KINDS.get(str(given.get("type", ""))), str(given.get("name", ""))
    if given.get("type") == "datasource":
        notes.add(path, f"the choice of a data source (${name}): there is one here")
        return None
    if kind is None or not _NAME.fullmatch(name):
        notes.add(path, f"a variable of type {given.get('type')!r} ({name})")
        return None
    source = sources.type_of(given.get("datasource"))
    if kind is VariableKind.QUERY and source != PROMETHEUS:
        notes.add(path, f"a variable of the data source {source!r} ({name})")
        return None
    for at, what in _lost(given, kind):
        notes.add(f"{path}.{at}", f"{what} of ${name}")
    query = given.get("query")
    text = str((query.get("query") if isinstance(query, Mapping) else query) or given.get("definition") or "")
    options = tuple(_options(text or _written(given), path, notes)) if kind in _LISTS else ()
    if len(options) > _MOST:
        notes.add(f"{path}.query", f"{len(options) - _MOST} of {len(options)} values of ${name}")
    return Variable(
        name=name,
        kind=kind,
        label=str(given.get("label") or "")[:200],
        query="" if kind in _LISTS else _with_inputs(text, inputs)[:20_000],
        options=options[:_MOST],
        multi=bool(given.get("multi")),
        include_all=bool(given.get("includeAll")),
        default=_default(given, inputs),
        regex=str(given.get("regex") or "")[:2000] if kind is VariableKind.QUERY else "",
        all_value=str(given.get("allValue") or "")[:2000] if given.get("includeAll") else "",
    )


def _lost(given: Mapping[str, Any], kind: VariableKind) -> Iterator[tuple[str, str]]:
    if given.get("sort") not in _SORTED and kind is VariableKind.QUERY:
        yield "sort", "the order of the values"
    if given.get("auto") and kind is VariableKind.INTERVAL:
        yield "auto", "the interval that follows the time range; write $__interval,"
    current = given.get("current")
    value = current.get("value") if isinstance(current, Mapping) else None
    if isinstance(value, list) and len(value) > 1:
        yield "current", f"the choice of {len(value)} values at first; one is kept,"


def _written(given: Mapping[str, Any]) -> str:
    """Give the values of a list that has them as options only."""
    options = given.get("options")
    found = [each.get("value") for each in options if isinstance(each, Mapping)] if isinstance(options, list) else []
    return ",".join(str(value).replace(",", "\\,") for value in found if value and not str(value).startswith("$__"))


def _options(text: str, path: str, notes: Notes) -> Iterator[str]:
    for found in _VALUE.finditer(text):
        value = next(filter(None, found.groups()), "").strip().replace("\\,", ",")
        if named := _NAMED_VALUE.fullmatch(value):
            notes.add(f"{path}.query", f"the name {named[1]!r} of the value {named[2]!r}")
            value = named[2]
        if value:
            yield value[:200]


def _with_inputs(text: str, inputs: Mapping[str, object]) -> str:
    return _INPUT.sub(lambda found: str(inputs.get(found[1], found[0])), text)


def _default(given: Mapping[str, Any], inputs: Mapping[str, object]) -> str:
    current = given.get("current")
    value = current.get("value") if isinstance(current, Mapping) else None
    if isinstance(value, list):
        value = value[0] if value else ""
    text = _with_inputs(str(value or ""), inputs)
    return "" if text.startswith(("$__all", "$__auto_interval")) else text[:200]
