"""Maps a whole dashboard of Grafana: its rows, its variables, its time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from holdfast.kernel.errors import InvalidError, Place
from holdfast.telemetry.dashboards.checking import read_document, write_document
from holdfast.telemetry.dashboards.document import Document, Panel, Row, Variable
from holdfast.telemetry.dashboards.grafana.notes import Notes, Unmapped
from holdfast.telemetry.dashboards.grafana.panels import map_panel
from holdfast.telemetry.dashboards.grafana.parts import list_in, mapping_in, mappings_in, number_in
from holdfast.telemetry.dashboards.grafana.variables import map_variable

_SINCE: Final = re.compile(r"now-((?:\d+(?:ms|[smhdwy]))+)")
_REFRESH: Final = re.compile(r"(?:\d+(?:ms|[smhdwy]))+")


@dataclass(frozen=True, slots=True)
class Mapped:
    """A dashboard that was read, and what could not be mapped."""

    document: Document
    problems: tuple[Unmapped, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """A panel as it stands in the file."""

    path: str
    panel: Mapping[str, Any]


def is_grafana(data: object) -> bool:
    """Tell whether this is Grafana's JSON (also as its API wraps it) and not a document of ours."""
    if not isinstance(data, Mapping):
        return False
    inner = data.get("dashboard", data)
    return isinstance(inner, Mapping) and ("schemaVersion" in inner or "panels" in inner or "templating" in inner)


def import_grafana(data: Mapping[str, Any]) -> Mapped:
    """Give the dashboard in our words.

    Raises:
        InvalidError: it is no dashboard of Grafana, or a part of it has another form than it must.
        ConfigError: what it becomes is no dashboard here, for it has more rows or panels than may be.
    """
    if not is_grafana(data):
        place = Place(field="panels")
        raise InvalidError("this is no dashboard of Grafana", hint="export it there as JSON", place=place)
    source: Mapping[str, Any] = data.get("dashboard", data)
    notes = Notes()
    for each in _annotations(source):
        if not each.get("builtIn"):
            notes.add("annotations", f"annotations {each.get('name')!r}: events are shown as marks here")
    if source.get("links"):
        notes.add("links", "links to other pages")
    listed = mappings_in(mapping_in(source, "templating"), "list", "templating")
    variables = [map_variable(each, f"templating.list[{number}]", notes) for number, each in enumerate(listed)]
    document = Document(
        title=str(source.get("title") or "Imported dashboard")[:200],
        description=str(source.get("description") or "")[:20_000],
        tags=tuple(str(tag)[:200] for tag in list_in(source, "tags"))[:50],
        time={"from": _since(source.get("time"), notes)},
        refresh=_refresh(source.get("refresh")),
        events=_has_events(source),
        variables=_of_own_names(variables, notes),
        rows=_with_own_ids(_rows(source, notes)),
    )
    return Mapped(read_document(write_document(document)), tuple(notes.found))


def _annotations(source: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return mappings_in(mapping_in(source, "annotations"), "list", "annotations")


def _of_own_names(variables: Sequence[Variable | None], notes: Notes) -> tuple[Variable, ...]:
    found: dict[str, Variable] = {}
    for each in variables:
        if each is not None and found.setdefault(each.name, each) is not each:
            notes.add("templating.list", f"a second variable named {each.name!r}")
    return tuple(found.values())


def _with_own_ids(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Give each panel an id that no other has; copies of rows have those of the original in old files."""
    seen: Counter[str] = Counter()
    found = []
    for row in rows:
        panels = []
        for panel in row.panels:
            seen[panel.id] += 1
            times = seen[panel.id]
            panels.append(panel if times == 1 else replace(panel, id=f"{panel.id[:56]}-copy{times}"))
        found.append(replace(row, panels=tuple(panels)))
    return tuple(found)


def _since(time: object, notes: Notes) -> str:
    start = str(time.get("from", "")) if isinstance(time, Mapping) else ""
    matched = _SINCE.fullmatch(start)
    if matched is None and start:
        notes.add("time", f"the time range from {start!r}")
    return matched[1] if matched else "1h"


def _refresh(given: object) -> str:
    return given if isinstance(given, str) and _REFRESH.fullmatch(given) else ""


def _has_events(source: Mapping[str, Any]) -> bool:
    """Tell whether the marks that every dashboard of Grafana has are switched on."""
    return all(each.get("enable", True) for each in _annotations(source) if each.get("builtIn"))


def _rows(source: Mapping[str, Any], notes: Notes) -> Iterator[Row]:
    if source.get("rows"):  # before 2018
        for number, row in enumerate(mappings_in(source, "rows")):
            found = _panels(row, f"rows[{number}]")
            yield _row(str(row.get("title") or ""), found, notes, is_collapsed=bool(row.get("collapse")))
        return
    title, is_collapsed, held = "", False, list[_Found]()
    for number, panel in enumerate(mappings_in(source, "panels")):
        path = f"panels[{number}]"
        if panel.get("type") != "row":
            held.append(_Found(path, panel))
            continue
        if held or title:
            yield _row(title, held, notes, is_collapsed=is_collapsed)
        title, is_collapsed = str(panel.get("title") or ""), bool(panel.get("collapsed"))
        held = _panels(panel, path)
        if panel.get("repeat"):
            notes.add(f"{path}.repeat", "repetition of a row for each value of a variable")
    if held or title:
        yield _row(title, held, notes, is_collapsed=is_collapsed)


def _panels(row: Mapping[str, Any], path: str) -> list[_Found]:
    return [_Found(f"{path}.panels[{at}]", each) for at, each in enumerate(mappings_in(row, "panels", path))]


def _row(title: str, found: list[_Found], notes: Notes, *, is_collapsed: bool) -> Row:
    ordered = sorted(found, key=lambda each: _position(each.panel))
    panels: list[Panel] = []
    for each in ordered:
        panel = map_panel(each.panel, each.path, notes)
        if panel is not None:
            panels.append(panel)
    return Row(title[:200], is_collapsed, tuple(panels))


def _position(panel: Mapping[str, Any]) -> tuple[float, float]:
    grid = panel.get("gridPos")
    return (number_in(grid, "y"), number_in(grid, "x")) if isinstance(grid, Mapping) else (0, 0)
