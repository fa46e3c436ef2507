"""Maps one panel of Grafana."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping
from typing import Any, Final

from holdfast.telemetry.dashboards.document import Panel, PanelKind, Query, Threshold
from holdfast.telemetry.dashboards.grafana.notes import Notes
from holdfast.telemetry.dashboards.grafana.parts import list_in, mappings_in

_KINDS: Final = {
    "timeseries": PanelKind.TIMESERIES,
    "graph": PanelKind.TIMESERIES,
    "trend": PanelKind.TIMESERIES,
    "stat": PanelKind.STAT,
    "singlestat": PanelKind.STAT,
    "gauge": PanelKind.GAUGE,
    "bargauge": PanelKind.BAR,
    "barchart": PanelKind.BAR,
    "table": PanelKind.TABLE,
    "table-old": PanelKind.TABLE,
    "heatmap": PanelKind.HEATMAP,
    "text": PanelKind.TEXT,
}
_UNITS: Final = {
    "": "", "none": "", "short": "",
    "s": "seconds", "dtdurations": "seconds", "ms": "milliseconds", "dtdurationms": "milliseconds",
    "bytes": "bytes", "decbytes": "bytes", "Bps": "bytes/s", "binBps": "bytes/s",
    "percentunit": "ratio", "percent": "percent",
    "reqps": "requests/s", "rps": "requests/s", "ops": "ops/s", "cps": "ops/s",
}  # fmt: skip
# The colours that people use for good and bad; the rest of the palette says nothing.
_STATUS: Final = {"green": "up", "yellow": "degraded", "orange": "degraded", "red": "down"}
_COLOUR: Final = re.compile(r"^(?:super-light-|light-|semi-dark-|dark-)?(green|yellow|orange|red)$")
_LOST: Final = {
    "transformations": "transformations of the result",
    "links": "links",
    "alert": "an alert; alerts are rules in ops/rules",
    "libraryPanel": "a panel of the library; export it with the dashboard",
    "repeat": "repetition for each value of a variable",
    "timeFrom": "a time range of its own",
    "timeShift": "a time shift; write offset into the query",
}
_TWELFTHS: Final = 2  # Grafana's page has 24 columns
_HEIGHT: Final = 0.75  # 30 pixels a row there, 40 here


def map_panel(panel: Mapping[str, Any], path: str, notes: Notes) -> Panel | None:
    """Give the panel, or None for a kind that is none of ours."""
    kind = _KINDS.get(str(panel.get("type", "")))
    title = str(panel.get("title") or "")
    if kind is None:
        notes.add(path, f"a panel of kind {panel.get('type')!r} ({title or 'untitled'})")
        return None
    for key, what in _LOST.items():
        if panel.get(key):
            notes.add(f"{path}.{key}", what)
    defaults = _mapping(_mapping(panel.get("fieldConfig")).get("defaults"))
    if _mapping(panel.get("fieldConfig")).get("overrides"):
        notes.add(f"{path}.fieldConfig.overrides", "settings for single series")
    if defaults.get("mappings"):
        notes.add(f"{path}.fieldConfig.defaults.mappings", "texts for values")
    grid = _mapping(panel.get("gridPos"))
    return Panel(
        id=_identify(panel, path),
        kind=kind,
        title=title[:200],
        description=str(panel.get("description") or "")[:20_000],
        span=_bounded(grid.get("w"), 1 / _TWELFTHS, 12, 6),
        height=_bounded(grid.get("h"), _HEIGHT, 40, 7),
        unit=_unit(defaults.get("unit"), path, notes),
        decimals=_decimals(defaults.get("decimals")),
        queries=_queries(panel, path, notes) if kind is not PanelKind.TEXT else (),
        thresholds=_thresholds(_mapping(defaults.get("thresholds")), path, notes),
        options=_options(panel, kind),
    )


def _identify(panel: Mapping[str, Any], path: str) -> str:
    name = panel.get("id")
    return f"p{name}"[:64] if isinstance(name, int) and name > 0 else re.sub(r"\W+", "-", path)[:64]


def _queries(panel: Mapping[str, Any], path: str, notes: Notes) -> tuple[Query, ...]:
    queries = []
    for number, target in enumerate(mappings_in(panel, "targets", path)):
        where = f"{path}.targets[{number}]"
        source = str(_mapping(target.get("datasource") or panel.get("datasource")).get("type", "prometheus"))
        if source not in {"prometheus", "", "-- Mixed --"} or not target.get("expr"):
            notes.add(where, f"a query of the data source {source!r}" if source != "prometheus" else "an empty query")
            continue
        queries.append(
            Query(
                expr=str(target["expr"])[:20_000],
                legend=_legend(target.get("legendFormat")),
                instant=bool(target.get("instant")),
                hidden=bool(target.get("hide")),
            )
        )
    return tuple(queries[:26])


def _legend(text: object) -> str:
    return "" if text is None or text == "__auto" else str(text)[:200]


def _unit(unit: object, path: str, notes: Notes) -> str:
    name = str(unit or "")
    if name not in _UNITS:
        notes.add(f"{path}.fieldConfig.defaults.unit", f"the unit {name!r}, shown as it is written")
    return _UNITS.get(name, name)[:200]


def _decimals(given: object) -> int | None:
    return given if isinstance(given, int) and 0 <= given <= 12 else None


def _thresholds(given: Mapping[str, Any], path: str, notes: Notes) -> tuple[Threshold, ...]:
    where = f"{path}.fieldConfig.defaults.thresholds"
    steps = mappings_in(given, "steps", where)
    if given.get("mode") == "percentage" and len(steps) > 1:
        notes.add(where, "thresholds in percent")
        return ()
    found = []
    for step in steps:
        colour = _COLOUR.match(str(step.get("color", "")))
        value = step.get("value")
        if value is None:
            continue  # the colour below the first threshold
        if colour is None or not isinstance(value, int | float):
            notes.add(where, f"a threshold in the colour {step.get('color')!r}")
            continue
        found.append(Threshold(_float(value), _STATUS[colour[1]]))
    return tuple(found[:20])


def _options(panel: Mapping[str, Any], kind: PanelKind) -> dict[str, Any]:
    options = _mapping(panel.get("options"))
    if kind is PanelKind.TEXT:
        return {"text": str(options.get("content") or panel.get("content") or "")[:20_000]}
    defaults = _mapping(_mapping(panel.get("fieldConfig")).get("defaults"))
    if kind in {PanelKind.GAUGE, PanelKind.BAR}:
        return {name: _float(defaults[name]) for name in ("min", "max") if isinstance(defaults.get(name), int | float)}
    if kind is not PanelKind.TIMESERIES:
        return {}
    custom = _mapping(defaults.get("custom"))
    is_stacked = bool(panel.get("stack")) or _mapping(custom.get("stacking")).get("mode") in {"normal", "percent"}
    has_exemplars = any(_mapping(target).get("exemplar") is True for target in list_in(panel, "targets"))
    return ({"stacked": True} if is_stacked else {}) | {"exemplars": has_exemplars}


def _bounded(given: object, factor: float, most: int, default: int) -> int:
    if not isinstance(given, int | float) or not given > -math.inf:
        return default
    return most if given >= most / factor else max(1, round(given * factor))


def _float(given: float) -> float:
    """Give a number that JSON has, however many digits were written."""
    return max(-sys.float_info.max, min(sys.float_info.max, given)) if given == given else 0.0  # noqa: PLR0124 -- NaN


def _mapping(given: object) -> Mapping[str, Any]:
    return given if isinstance(given, Mapping) else {}
