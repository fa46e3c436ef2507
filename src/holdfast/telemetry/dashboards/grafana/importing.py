"""Maps a whole dashboard of Grafana: its rows, its variables, its time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from holdfast.kernel.errors import InvalidError, Place
from holdfast.telemetry.dashboards.checking import read_document, write_document
from holdfast.telemetry.dashboards.document import Document, Panel, Row, Variable
from holdfast.telemetry.dashboards.grafana.layout import FoundRow, rows_of
from holdfast.telemetry.dashboards.grafana.notes import Notes, Unmapped
from holdfast.telemetry.dashboards.grafana.panels import map_panel
from holdfast.telemetry.dashboards.grafana.parts import list_in, mapping_in, mappings_in
from holdfast.telemetry.dashboards.grafana.second import is_second, second_rows, settings_of
from holdfast.telemetry.dashboards.grafana.sources import Sources
from holdfast.telemetry.dashboards.grafana.trial import Trial
from holdfast.telemetry.dashboards.grafana.variables import map_variable

_SINCE: Final = re.compile(r"now-((?:\d+(?:ms|[smhdwy]))+)")
_REFRESH: Final = re.compile(r"(?:\d+(?:ms|[smhdwy]))+")


@dataclass(frozen=True, slots=True)
class Mapped:
    """A dashboard that was read, and what could not be mapped."""

    document: Document
    problems: tuple[Unmapped, ...]


def is_grafana(data: object) -> bool:
    """Tell whether this is Grafana's JSON (also as its APIs wrap it) and not a document of ours."""
    if not isinstance(data, Mapping):
        return False
    inner = _unwrapped(data)
    return isinstance(inner, Mapping) and (
        "schemaVersion" in inner or "panels" in inner or "templating" in inner or is_second(inner)
    )


def _unwrapped(data: Mapping[str, Any]) -> Any:
    """Give what is inside: its API has `dashboard`, its resources have `spec`."""
    is_resource = data.get("kind") == "Dashboard" and "spec" in data
    return data["spec"] if is_resource else data.get("dashboard", data)


def import_grafana(data: Mapping[str, Any]) -> Mapped:
    """Give the dashboard in our words.

    Raises:
        InvalidError: it is no dashboard of Grafana, or a part of it has another form than it must.
        ConfigError: what it becomes is no dashboard here, for it has more rows or panels than may be.
    """
    if not is_grafana(data):
        place = Place(field="panels")
        raise InvalidError("this is no dashboard of Grafana", hint="export it there as JSON", place=place)
    given: Mapping[str, Any] = _unwrapped(data)
    notes = Notes()
    source = settings_of(given) if is_second(given) else given
    found = second_rows(given, notes) if is_second(given) else rows_of(given, notes)
    for each in _annotations(source):
        if not each.get("builtIn"):
            notes.add("annotations", f"annotations {each.get('name')!r}: events are shown as marks here")
    if source.get("links"):
        notes.add("links", "links to other pages")
    sources = Sources(source)
    variables = _variables(source, "variables" if is_second(given) else "templating.list", sources, notes)
    trial = Trial(variables, notes)
    document = Document(
        title=str(source.get("title") or "Imported dashboard")[:200],
        description=str(source.get("description") or "")[:20_000],
        tags=tuple(str(tag)[:200] for tag in list_in(source, "tags"))[:50],
        time={"from": _since(source, notes)},
        refresh=_refresh(source.get("refresh"), notes),
        events=_has_events(source),
        variables=variables,
        rows=_with_own_ids([_row(each, sources, trial, notes) for each in found]),
    )
    return Mapped(read_document(write_document(document)), tuple(notes.found))


def _annotations(source: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return mappings_in(mapping_in(source, "annotations"), "list", "annotations")


def _variables(source: Mapping[str, Any], path: str, sources: Sources, notes: Notes) -> tuple[Variable, ...]:
    inputs = {str(each.get("name")): each.get("value") for each in mappings_in(source, "__inputs")}
    found: dict[str, Variable] = {}
    for number, given in enumerate(mappings_in(mapping_in(source, "templating"), "list", "templating")):
        each = map_variable(given, f"{path}[{number}]", sources, inputs, notes)
        if each is not None and found.setdefault(each.name, each) is not each:
            notes.add(path, f"a second variable named {each.name!r}")
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


def _since(source: Mapping[str, Any], notes: Notes) -> str:
    time = source.get("time")
    start, end = (str(time.get(name) or "") for name in ("from", "to")) if isinstance(time, Mapping) else ("", "")
    matched = _SINCE.fullmatch(start)
    if matched is None and start:
        notes.add("time", f"the time range from {start!r}")
    if end not in {"", "now"}:
        notes.add("time", f"the end of the time range, {end!r}; it is now here")
    if source.get("timezone") not in (None, "", "browser", "default"):
        notes.add("timezone", f"the time zone {source['timezone']!r}; the console's own is used")
    return matched[1] if matched else "1h"


def _refresh(given: object, notes: Notes) -> str:
    if given in (None, "", False):
        return ""
    if isinstance(given, str) and _REFRESH.fullmatch(given):
        return given
    notes.add("refresh", f"asking again every {given!r}; the time range decides here")
    return ""


def _has_events(source: Mapping[str, Any]) -> bool:
    """Tell whether the marks that every dashboard of Grafana has are switched on."""
    return all(each.get("enable", True) for each in _annotations(source) if each.get("builtIn"))


def _row(found: FoundRow, sources: Sources, trial: Trial, notes: Notes) -> Row:
    panels: list[Panel] = []
    for each in found.panels:
        panel = map_panel(each.panel, each.path, sources, notes)
        if panel is not None:
            trial.check(panel, each.path)
            panels.append(panel)
    return Row(found.title[:200], found.is_collapsed, tuple(panels))
