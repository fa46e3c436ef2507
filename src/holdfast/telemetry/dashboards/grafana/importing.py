"""Maps a whole dashboard of Grafana: its rows, its variables, its time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from holdfast.kernel.errors import InvalidError, Place
from holdfast.telemetry.dashboards.document import Document, Panel, Row
from holdfast.telemetry.dashboards.grafana.notes import Notes, Unmapped
from holdfast.telemetry.dashboards.grafana.panels import map_panel
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
        InvalidError: it is no dashboard of Grafana.
    """
    if not is_grafana(data):
        raise InvalidError("this is no dashboard of Grafana", hint="export it there as JSON", place=Place(field=""))
    source: Mapping[str, Any] = data.get("dashboard", data)
    notes = Notes()
    if source.get("annotations", {}).get("list"):
        extra = [each for each in source["annotations"]["list"] if not each.get("builtIn")]
        for each in extra:
            notes.add("annotations", f"annotations {each.get('name')!r}: events are shown as marks here")
    if source.get("links"):
        notes.add("links", "links to other pages")
    listed = source.get("templating", {}).get("list", ())
    variables = [map_variable(each, f"templating.list[{number}]", notes) for number, each in enumerate(listed)]
    document = Document(
        title=str(source.get("title") or "Imported dashboard")[:200],
        description=str(source.get("description") or "")[:20_000],
        tags=tuple(str(tag)[:200] for tag in source.get("tags") or ())[:50],
        time={"from": _since(source.get("time"), notes)},
        refresh=_refresh(source.get("refresh")),
        events=_has_events(source),
        variables=tuple(each for each in variables if each is not None),
        rows=tuple(_rows(source, notes)),
    )
    return Mapped(document, tuple(notes.found))


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
    listed = source.get("annotations", {}).get("list") or ()
    return all(each.get("enable", True) for each in listed if each.get("builtIn"))


def _rows(source: Mapping[str, Any], notes: Notes) -> Iterator[Row]:
    if source.get("rows"):  # before 2018
        for number, row in enumerate(source["rows"]):
            found = [_Found(f"rows[{number}].panels[{at}]", each) for at, each in enumerate(row.get("panels", ()))]
            yield _row(str(row.get("title") or ""), found, notes, is_collapsed=bool(row.get("collapse")))
        return
    title, is_collapsed, held = "", False, list[_Found]()
    for number, panel in enumerate(source.get("panels") or ()):
        path = f"panels[{number}]"
        if panel.get("type") != "row":
            held.append(_Found(path, panel))
            continue
        if held or title:
            yield _row(title, held, notes, is_collapsed=is_collapsed)
        title, is_collapsed = str(panel.get("title") or ""), bool(panel.get("collapsed"))
        held = [_Found(f"{path}.panels[{at}]", each) for at, each in enumerate(panel.get("panels") or ())]
        if panel.get("repeat"):
            notes.add(f"{path}.repeat", "repetition of a row for each value of a variable")
    if held or title:
        yield _row(title, held, notes, is_collapsed=is_collapsed)


def _row(title: str, found: list[_Found], notes: Notes, *, is_collapsed: bool) -> Row:
    ordered = sorted(found, key=lambda each: _position(each.panel))
    panels: list[Panel] = []
    for each in ordered:
        panel = map_panel(each.panel, each.path, notes)
        if panel is not None:
            panels.append(panel)
    return Row(title[:200], is_collapsed, tuple(panels))


def _position(panel: Mapping[str, Any]) -> tuple[int, int]:
    grid = panel.get("gridPos")
    return (int(grid.get("y") or 0), int(grid.get("x") or 0)) if isinstance(grid, Mapping) else (0, 0)
