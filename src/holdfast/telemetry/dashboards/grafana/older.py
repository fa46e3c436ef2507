"""Panels of before 2020 in the form of today: `graph`, `singlestat`, the old table, settings in `fieldOptions`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from holdfast.telemetry.dashboards.grafana.notes import Notes

_CALCS: Final = {"current": "lastNotNull", "avg": "mean", "total": "sum"}
_LEVELS: Final = {"critical": "red", "warning": "orange", "ok": "green"}
_ROW_PX: Final = 30
_COLUMNS: Final = 24
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")


def renew_panel(panel: Mapping[str, Any], path: str, notes: Notes) -> Mapping[str, Any]:
    """Give the panel in today's form; one that has it already as it is."""
    placed = panel if "gridPos" in panel or "span" not in panel else {**panel, "gridPos": _grid(panel)}
    match panel.get("type"):
        case "graph":
            return _graph(placed, path, notes)
        case "singlestat" | "grafana-singlestat-panel":
            return _singlestat(placed, path, notes)
        case "gauge" | "bargauge" | "stat":
            return _with_field_options(placed)
        case "heatmap" if isinstance(panel.get("yAxis"), Mapping):
            return _with_defaults(placed, {"unit": panel["yAxis"].get("format")})
        case "table" | "table-old" if panel.get("styles"):
            notes.add(f"{path}.styles", "units, colours and names of columns")
    return placed


def _grid(panel: Mapping[str, Any]) -> dict[str, Any]:
    found = _NUMBER.match(str(panel.get("height") or ""))
    span = panel.get("span")
    width = span * 2 if isinstance(span, int | float) else _COLUMNS
    return {"w": width} | ({"h": float(found[0]) / _ROW_PX} if found else {})


def _graph(panel: Mapping[str, Any], path: str, notes: Notes) -> Mapping[str, Any]:
    axes = [each for each in _list(panel.get("yaxes")) if isinstance(each, Mapping)]
    formats = [each.get("format") for each in axes] or _list(panel.get("y_formats"))
    axis = axes[0] if axes else {}
    if panel.get("seriesOverrides"):
        notes.add(f"{path}.seriesOverrides", "settings for single series")
    if _mapping(panel.get("xaxis")).get("mode") not in (None, "time"):
        notes.add(f"{path}.xaxis.mode", f"an axis of {panel['xaxis']['mode']} instead of time")
    if isinstance(axis.get("logBase"), int | float) and axis["logBase"] != 1:
        notes.add(f"{path}.yaxes[0].logBase", "a logarithmic axis")
    steps = []
    for number, each in enumerate(_list(panel.get("thresholds"))):
        step = _mapping(each)
        if step.get("op", "gt") == "gt":
            colour = _LEVELS.get(str(step.get("colorMode")), step.get("fillColor") or step.get("lineColor"))
            steps.append({"value": step.get("value"), "color": colour})
        else:
            notes.add(f"{path}.thresholds[{number}]", "a threshold for what is below it")
    bars = {} if panel.get("lines", True) or not panel.get("bars") else {"drawStyle": "bars"}
    stacking = {"stacking": {"mode": "percent"}} if panel.get("percentage") and panel.get("stack") else {}
    ends = {name: axis.get(name) for name in ("min", "max")}
    unit = formats[0] if formats else None
    found = {"unit": unit, "custom": bars | stacking, "thresholds": {"steps": steps}, **ends}
    return _with_defaults(panel, {**found, "decimals": panel.get("decimals")})


def _singlestat(panel: Mapping[str, Any], path: str, notes: Notes) -> Mapping[str, Any]:
    gauge = _mapping(panel.get("gauge"))
    for name in ("prefix", "postfix"):
        if panel.get(name):
            notes.add(f"{path}.{name}", f"the text {str(panel[name])!r} beside the number")
    calc = str(panel.get("valueName") or "avg")
    maps = [*_list(panel.get("valueMaps")), *_list(panel.get("rangeMaps"))]
    mappings = [each for each in maps if "null" not in (_mapping(each).get("value"), _mapping(each).get("from"))]
    found = {
        "unit": panel.get("format"),
        "decimals": panel.get("decimals"),
        "thresholds": {"steps": _steps(panel) if _is_coloured(panel, gauge) else []},
        "mappings": mappings,
    }
    ends = {"min": gauge.get("minValue"), "max": gauge.get("maxValue")} if gauge.get("show") else {}
    column = str(panel.get("tableColumn") or "")
    fields = {} if column in {"", "Value", "value"} else {"fields": column}
    texts = {"textMode": "name"} if calc == "name" else {}
    options = {"reduceOptions": {"calcs": [_CALCS.get(calc, calc)], **fields}, **texts}
    kind = "gauge" if gauge.get("show") else "stat"
    return {**_with_defaults(panel, found | ends), "type": kind, "options": options}


def _is_coloured(panel: Mapping[str, Any], gauge: Mapping[str, Any]) -> bool:
    return bool(panel.get("colorValue") or panel.get("colorBackground") or gauge.get("show"))


def _steps(panel: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give what `thresholds: "80,95"` and three colours say."""
    bounds = [float(each) for each in str(panel.get("thresholds") or "").split(",") if _NUMBER.fullmatch(each.strip())]
    values: list[float | None] = [None, *bounds]
    return [
        {"value": value, "color": colour}
        for value, colour in zip(values, _list(panel.get("colors")), strict=False)
        if bounds
    ]


def _with_field_options(panel: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read the settings that stood in `options.fieldOptions` for a year."""
    options = _mapping(panel.get("options"))
    given = _mapping(options.get("fieldOptions"))
    if not given:
        return panel
    defaults = dict(_mapping(given.get("defaults")))
    steps = given.get("thresholds") or options.get("thresholds")
    if isinstance(steps, list) and "thresholds" not in defaults:
        defaults["thresholds"] = {"steps": steps}
    mappings = given.get("mappings") or defaults.get("mappings")
    kept = {"reduceOptions": {name: given.get(name) for name in ("calcs", "values")}, **options}
    found = {**panel, "options": kept}
    config = {"defaults": {**defaults, "mappings": mappings}, "overrides": given.get("overrides")}
    return found if panel.get("fieldConfig") else {**found, "fieldConfig": config}


def _with_defaults(panel: Mapping[str, Any], found: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the panel with settings of its own form, where it has none of today's."""
    config = _mapping(panel.get("fieldConfig"))
    known = {name: value for name, value in found.items() if value is not None}
    return {**panel, "fieldConfig": {**config, "defaults": known | _mapping(config.get("defaults"))}}


def _mapping(given: object) -> dict[str, Any]:
    return dict(given) if isinstance(given, Mapping) else {}


def _list(given: object) -> list[Any]:
    return given if isinstance(given, list) else []
