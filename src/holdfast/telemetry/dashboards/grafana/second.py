"""Dashboards of Grafana 12 and later (`elements` and a `layout`) in the form of the schema before it.

Source: the documentation of the resource `dashboard.grafana.app/v2`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from holdfast.telemetry.dashboards.grafana.layout import FoundPanel, FoundRow
from holdfast.telemetry.dashboards.grafana.notes import Notes
from holdfast.telemetry.dashboards.grafana.parts import list_in, mapping_in, mappings_in, number_in

_VARIABLES: Final = {
    "QueryVariable": "query", "CustomVariable": "custom", "TextVariable": "textbox", "ConstantVariable": "constant",
    "IntervalVariable": "interval", "DatasourceVariable": "datasource", "AdhocVariable": "adhoc",
    "GroupByVariable": "groupby", "SwitchVariable": "switch", "SnapshotVariable": "snapshot",
}  # fmt: skip
_SORTS: Final = ("disabled", "alphabeticalAsc", "alphabeticalDesc", "numericalAsc", "numericalDesc")
_HEIGHTS: Final = {"short": 5, "standard": 9, "tall": 15}
_COLUMNS: Final = 24
_DEEPEST: Final = 20


def is_second(source: Mapping[str, Any]) -> bool:
    """Tell whether it has elements and a layout."""
    return isinstance(source.get("elements"), Mapping) and isinstance(source.get("layout"), Mapping)


def settings_of(source: Mapping[str, Any]) -> dict[str, Any]:
    """Give all but the panels as the schema before has it."""
    time = mapping_in(source, "timeSettings")
    return {
        **{name: source.get(name) for name in ("title", "description", "tags", "links")},
        "time": {name: time[name] for name in ("from", "to") if name in time},
        "timezone": time.get("timezone"),
        "refresh": time.get("autoRefresh"),
        "annotations": {"list": [mapping_in(each, "spec") for each in mappings_in(source, "annotations")]},
        "templating": {"list": [_variable(each) for each in mappings_in(source, "variables")]},
    }


def _variable(given: Mapping[str, Any]) -> dict[str, Any]:
    spec = dict(mapping_in(given, "spec"))
    found = {**spec, "type": _VARIABLES.get(str(given.get("kind")), str(given.get("kind") or ""))}
    query = spec.get("query")
    if isinstance(query, Mapping):
        inner = mapping_in(query, "spec")
        text = inner.get("query") or inner.get("expr") or inner.get("__legacyStringValue") or ""
        found |= {"query": text, "datasource": _source(query, spec)}
    if found["type"] == "datasource":
        found["query"] = spec.get("pluginId")
    if spec.get("sort") in _SORTS:
        found["sort"] = _SORTS.index(spec["sort"])
    return found


def _source(query: Mapping[str, Any], around: Mapping[str, Any]) -> dict[str, Any]:
    """Give the data source: `group` is its type, before that `kind` was."""
    named = query.get("datasource") or around.get("datasource")
    name = named.get("name") or named.get("uid") if isinstance(named, Mapping) else None
    kind = query.get("group") or query.get("kind")
    return {"type": kind if kind != "DataQuery" else "", "uid": name}


def second_rows(source: Mapping[str, Any], notes: Notes) -> Iterator[FoundRow]:
    """Give the rows that the layout makes of the elements."""
    panels = {name: _panel(each) for name, each in mapping_in(source, "elements").items() if isinstance(each, Mapping)}
    placed = set[str]()
    for row in _rows(mapping_in(source, "layout"), "layout", "", notes, _DEEPEST):
        found = []
        for each in row.panels:
            name = each.panel["element"]
            if name in panels:
                placed.add(name)
                found.append(FoundPanel(f"elements.{name}", {**panels[name], **each.panel}))
            else:
                notes.add(each.path, f"the element {name!r}, which is not there")
        yield FoundRow(row.title, row.is_collapsed, found)
    for name in panels.keys() - placed:
        notes.add(f"elements.{name}", "an element that stands nowhere in the layout")


def _rows(layout: Mapping[str, Any], path: str, title: str, notes: Notes, depth: int) -> Iterator[FoundRow]:
    spec, kind = mapping_in(layout, "spec", path), str(layout.get("kind") or "")
    if kind in {"GridLayout", "AutoGridLayout"}:
        yield FoundRow(title, is_collapsed=False, panels=_items(spec, path, notes))
        return
    name = {"RowsLayout": "rows", "TabsLayout": "tabs"}.get(kind)
    if name is None or depth == 0:
        notes.add(path, f"a layout of kind {kind!r}")
        return
    for number, each in enumerate(mappings_in(spec, name, f"{path}.spec")):
        where, inner = f"{path}.spec.{name}[{number}]", mapping_in(each, "spec")
        heading = "" if inner.get("hideHeader") else str(inner.get("title") or "")
        _note_conditions(inner, where, notes, "a row" if name == "rows" else "a tab")
        joined = " / ".join(filter(None, (title, heading)))
        for row in _rows(mapping_in(inner, "layout", where), f"{where}.spec.layout", joined, notes, depth - 1):
            yield FoundRow(row.title, row.is_collapsed or bool(inner.get("collapse")), row.panels)


def _items(spec: Mapping[str, Any], path: str, notes: Notes) -> list[FoundPanel]:
    columns = max(1, min(_COLUMNS, round(number_in(spec, "maxColumnCount")) or 3))
    auto = {"w": _COLUMNS / columns, "h": _HEIGHTS.get(str(spec.get("rowHeightMode")), _HEIGHTS["standard"])}
    found = []
    for number, each in enumerate(mappings_in(spec, "items", f"{path}.spec")):
        where, item = f"{path}.spec.items[{number}]", mapping_in(each, "spec")
        name = str(mapping_in(item, "element", where).get("name") or "")
        grid = {"x": item.get("x"), "y": item.get("y"), "w": item.get("width"), "h": item.get("height")}
        _note_conditions(item, where, notes, "a panel")
        found.append(FoundPanel(where, {"element": name, "gridPos": grid if "width" in item else auto}))
    return sorted(
        found, key=lambda each: (number_in(each.panel["gridPos"], "y"), number_in(each.panel["gridPos"], "x"))
    )


def _note_conditions(given: Mapping[str, Any], path: str, notes: Notes, what: str) -> None:
    if given.get("repeat"):
        notes.add(f"{path}.repeat", f"repetition of {what} for each value of a variable")
    if given.get("conditionalRendering"):
        notes.add(f"{path}.conditionalRendering", f"{what} that is shown on a condition")
    if given.get("variables"):
        notes.add(f"{path}.variables", f"variables that only {what} has")


def _panel(element: Mapping[str, Any]) -> dict[str, Any]:
    spec = mapping_in(element, "spec")
    if element.get("kind") == "LibraryPanel":
        return {**{name: spec.get(name) for name in ("id", "title")}, "libraryPanel": spec.get("libraryPanel") or True}
    viz, data = mapping_in(spec, "vizConfig"), mapping_in(mapping_in(spec, "data"), "spec")
    options = mapping_in(data, "queryOptions")
    return {
        **{name: spec.get(name) for name in ("id", "title", "description", "links")},
        "type": viz.get("group") or viz.get("kind"),
        **{name: mapping_in(viz, "spec").get(name) for name in ("options", "fieldConfig")},
        "transformations": list_in(data, "transformations"),
        **{name: options.get(name) for name in ("interval", "timeFrom", "timeShift")},
        "targets": [_target(mapping_in(each, "spec")) for each in mappings_in(data, "queries")],
    }


def _target(given: Mapping[str, Any]) -> dict[str, Any]:
    query = mapping_in(given, "query")
    found = {"hide": given.get("hidden"), "datasource": _source(query, given)}
    return {**mapping_in(query, "spec"), "refId": given.get("refId"), **found}
