"""The rows of a dashboard and the panels in them, each with the place where it stands in the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from holdfast.telemetry.dashboards.grafana.notes import Notes
from holdfast.telemetry.dashboards.grafana.parts import mapping_in, mappings_in, number_in


@dataclass(frozen=True, slots=True)
class FoundPanel:
    """A panel as it stands in the file."""

    path: str
    panel: Mapping[str, Any]


@dataclass(slots=True)
class FoundRow:
    """Panels under one heading."""

    title: str = ""
    is_collapsed: bool = False
    panels: list[FoundPanel] = field(default_factory=list)


def rows_of(source: Mapping[str, Any], notes: Notes) -> Iterator[FoundRow]:
    """Give the rows of a dashboard with `panels`, or with the `rows` of before 2018."""
    library = _library(source)
    for row in _old_rows(source, notes) if source.get("rows") else _rows(source, notes):
        held = [FoundPanel(each.path, _filled(each.panel, library)) for each in row.panels]
        yield FoundRow(row.title, row.is_collapsed, sorted(held, key=lambda each: _position(each.panel)))


def _old_rows(source: Mapping[str, Any], notes: Notes) -> Iterator[FoundRow]:
    for number, row in enumerate(mappings_in(source, "rows")):
        path = f"rows[{number}]"
        _note_repeat(row, path, notes)
        title = "" if row.get("showTitle") is False else str(row.get("title") or "")
        found = [FoundPanel(each.path, {"height": row.get("height"), **each.panel}) for each in _inner(row, path)]
        yield FoundRow(title, bool(row.get("collapse")), found)


def _rows(source: Mapping[str, Any], notes: Notes) -> Iterator[FoundRow]:
    panels = [FoundPanel(f"panels[{at}]", each) for at, each in enumerate(mappings_in(source, "panels"))]
    if all(isinstance(each.panel.get("gridPos"), Mapping) for each in panels):
        panels.sort(key=lambda each: _position(each.panel))  # the page is what counts, not the order in the file
    row = FoundRow()
    for each in panels:
        if each.panel.get("type") != "row":
            row.panels.append(each)
            continue
        if row.panels or row.title:
            yield row
        row = FoundRow(str(each.panel.get("title") or ""), bool(each.panel.get("collapsed")), [])
        for inner in _inner(each.panel, each.path):
            row.panels.extend(_inner(inner.panel, inner.path) if inner.panel.get("type") == "row" else [inner])
            if inner.panel.get("type") == "row":
                notes.add(
                    inner.path, f"a row within a row ({inner.panel.get('title')}); its panels stand in the outer one"
                )
        _note_repeat(each.panel, each.path, notes)
    if row.panels or row.title:
        yield row


def _note_repeat(row: Mapping[str, Any], path: str, notes: Notes) -> None:
    if row.get("repeat"):
        notes.add(f"{path}.repeat", "repetition of a row for each value of a variable")


def _inner(row: Mapping[str, Any], path: str) -> list[FoundPanel]:
    return [FoundPanel(f"{path}.panels[{at}]", each) for at, each in enumerate(mappings_in(row, "panels", path))]


def _library(source: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """Give the library's panels that were exported with the dashboard, by their uid."""
    elements = mapping_in(source, "__elements") if isinstance(source.get("__elements"), Mapping) else {}
    models = {uid: each.get("model") for uid, each in elements.items() if isinstance(each, Mapping)}
    return {uid: model for uid, model in models.items() if isinstance(model, Mapping)}


def _filled(panel: Mapping[str, Any], library: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    reference = panel.get("libraryPanel")
    model = library.get(str(reference.get("uid"))) if isinstance(reference, Mapping) else None
    if model is None:
        return panel
    own = {name: panel[name] for name in ("id", "gridPos") if name in panel}
    return {name: value for name, value in model.items() if name != "libraryPanel"} | own


def _position(panel: Mapping[str, Any]) -> tuple[float, float]:
    grid = panel.get("gridPos")
    return (number_in(grid, "y"), number_in(grid, "x")) if isinstance(grid, Mapping) else (0, 0)
