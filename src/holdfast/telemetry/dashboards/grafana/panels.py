"""Maps one panel of Grafana."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

from holdfast.telemetry.dashboards.document import Panel, PanelKind, Query, Threshold
from holdfast.telemetry.dashboards.grafana.colours import status_of_colour
from holdfast.telemetry.dashboards.grafana.notes import Notes
from holdfast.telemetry.dashboards.grafana.older import renew_panel
from holdfast.telemetry.dashboards.grafana.parts import list_in, mappings_in
from holdfast.telemetry.dashboards.grafana.sources import PROMETHEUS, Sources
from holdfast.telemetry.dashboards.grafana.units import map_unit

_KINDS: Final = {
    "timeseries": PanelKind.TIMESERIES,
    "graph": PanelKind.TIMESERIES,
    "trend": PanelKind.TIMESERIES,
    "stat": PanelKind.STAT,
    "singlestat": PanelKind.STAT,
    "grafana-singlestat-panel": PanelKind.STAT,
    "gauge": PanelKind.GAUGE,
    "bargauge": PanelKind.BAR,
    "barchart": PanelKind.BAR,
    "table": PanelKind.TABLE,
    "table-old": PanelKind.TABLE,
    "heatmap": PanelKind.HEATMAP,
    "text": PanelKind.TEXT,
    "piechart": PanelKind.BAR,
    "state-timeline": PanelKind.TIMESERIES,
    "status-history": PanelKind.TIMESERIES,
}
_STAND_INS: Final = {
    "piechart": "a pie; bars show the values here",
    "state-timeline": "states over time; curves show the values here",
    "status-history": "states over time; curves show the values here",
}
_LOST: Final = {
    "transformations": "transformations of the result",
    "links": "links",
    "alert": "an alert; alerts are rules in ops/rules",
    "libraryPanel": "a panel of the library; export it with the dashboard",
    "repeat": "repetition for each value of a variable",
    "timeFrom": "a time range of its own",
    "timeShift": "a time shift; write offset into the query",
    "interval": "a least step of its own",
}
_LOST_DEFAULTS: Final = {"links": "links", "noValue": "a text for what has no value"}
_OF_A_PALETTE: Final = {"barchart", "piechart"}
_PLAIN_CELLS: Final = {None, "auto", "json-view", "image", "sparkline"}
_LAST: Final = {"last", "lastNotNull"}
_MOST_QUERIES: Final = 26
_FIELD_LABEL: Final = re.compile(r"\$\{__field\.labels\.(\w+)\}")
_TWELFTHS: Final = 2  # Grafana's page has 24 columns
_HEIGHT: Final = 0.75  # 30 pixels a row there, 40 here


def map_panel(given: Mapping[str, Any], path: str, sources: Sources, notes: Notes) -> Panel | None:
    """Give the panel, or None for a kind that is none of ours."""
    title = str(given.get("title") or "")
    if _KINDS.get(str(given.get("type", ""))) is None:
        what = "a panel of the library" if given.get("libraryPanel") else f"a panel of kind {given.get('type')!r}"
        notes.add(path, f"{what} ({title or 'untitled'})")
        return None
    panel = renew_panel(given, path, notes)
    kind = _KINDS[str(panel["type"])]
    for at, what in _lost(panel, kind):
        notes.add(f"{path}.{at}", what)
    defaults = _mapping(_mapping(panel.get("fieldConfig")).get("defaults"))
    grid = _mapping(panel.get("gridPos"))
    return Panel(
        id=_identify(panel, path),
        kind=kind,
        title=title[:200],
        description=str(panel.get("description") or "")[:20_000],
        span=_bounded(grid.get("w"), 1 / _TWELFTHS, 12, 6),
        height=_bounded(grid.get("h"), _HEIGHT, 40, 7),
        unit=_unit(panel, defaults, path, notes),
        decimals=_decimals(defaults.get("decimals")),
        queries=_queries(panel, path, sources, notes) if kind is not PanelKind.TEXT else (),
        thresholds=_thresholds(_mapping(defaults.get("thresholds")), path, notes) if _is_coloured(panel, kind) else (),
        options=_options(panel, kind),
    )


def _lost(panel: Mapping[str, Any], kind: PanelKind) -> Iterator[tuple[str, str]]:
    """Give what no panel here has, with its place in the panel."""
    if what := _STAND_INS.get(str(panel["type"])):
        yield "type", what
    yield from ((key, what) for key, what in _LOST.items() if panel.get(key))
    config = _mapping(panel.get("fieldConfig"))
    defaults = _mapping(config.get("defaults"))
    if config.get("overrides"):
        yield "fieldConfig.overrides", "settings for single series"
    mappings = defaults.get("mappings")
    if isinstance(mappings, list) and not all(map(_is_for_null, mappings)):
        yield "fieldConfig.defaults.mappings", "texts for values"
    if str(_mapping(defaults.get("color")).get("mode")).startswith("continuous"):
        yield "fieldConfig.defaults.color", "colours along a scale"
    yield from ((f"fieldConfig.defaults.{key}", what) for key, what in _LOST_DEFAULTS.items() if defaults.get(key))
    options, custom = _mapping(panel.get("options")), _mapping(defaults.get("custom"))
    if kind is PanelKind.TEXT:
        if "html" in (options.get("mode"), panel.get("mode")):
            yield "options.mode", "HTML; it stays text"
    elif kind is PanelKind.TIMESERIES:
        yield from _lost_of_curves(defaults, custom)
    else:
        yield from _lost_of_numbers(options)


def _lost_of_curves(defaults: Mapping[str, Any], custom: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    where = "fieldConfig.defaults"
    if _mapping(custom.get("scaleDistribution")).get("type") not in (None, "linear"):
        yield f"{where}.custom.scaleDistribution", "an axis that is not linear"
    if _mapping(custom.get("stacking")).get("mode") == "percent":
        yield f"{where}.custom.stacking", "shares of a whole; the values are stacked"
    if custom.get("drawStyle") not in (None, "line"):
        yield f"{where}.custom.drawStyle", f"drawing as {custom['drawStyle']}; they are curves here"
    for end in ("min", "max"):
        if defaults.get(end) not in (None, 0, ""):
            yield f"{where}.{end}", f"the axis' {end} of {defaults[end]}"


def _lost_of_numbers(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    reduced = _mapping(options.get("reduceOptions"))
    calcs = reduced.get("calcs")
    calc = str(calcs[0]) if isinstance(calcs, list) and calcs else "last"
    if calc not in _LAST:
        yield "options.reduceOptions.calcs", f"the {calc} over the time range; the last value is shown"
    if reduced.get("fields"):
        yield "options.reduceOptions.fields", f"the field {reduced['fields']!r}; the value is shown"
    if options.get("textMode") == "name":
        yield "options.textMode", "the name of the series instead of its value"


def _is_for_null(given: object) -> bool:
    """Tell whether a text is for what has no value, as every dashboard that was carried over from old ones has."""
    mapping = _mapping(given)
    return "null" in (mapping.get("value"), _mapping(mapping.get("options")).get("match"))


def _identify(panel: Mapping[str, Any], path: str) -> str:
    name = panel.get("id")
    return f"p{name}"[:64] if isinstance(name, int) and name > 0 else re.sub(r"\W+", "-", path)[:64]


def _queries(panel: Mapping[str, Any], path: str, sources: Sources, notes: Notes) -> tuple[Query, ...]:
    queries = []
    name = _display_name(panel, path, notes)
    for number, target in enumerate(mappings_in(panel, "targets", path)):
        where = f"{path}.targets[{number}]"
        source = sources.type_of(target.get("datasource"), panel.get("datasource"))
        if source != PROMETHEUS or not target.get("expr"):
            notes.add(where, f"a query of the data source {source!r}" if source != PROMETHEUS else "an empty query")
            continue
        if target.get("interval"):
            notes.add(f"{where}.interval", f"a least step of {target['interval']}")
        queries.append(
            Query(
                expr=str(target["expr"])[:20_000],
                legend=(name or _legend(target.get("legendFormat")))[:200],
                instant=bool(target.get("instant")),
                hidden=bool(target.get("hide")),
            )
        )
    if len(queries) > _MOST_QUERIES:
        notes.add(f"{path}.targets", f"{len(queries) - _MOST_QUERIES} of {len(queries)} queries")
    return tuple(queries[:_MOST_QUERIES])


def _display_name(panel: Mapping[str, Any], path: str, notes: Notes) -> str:
    """Give the name that stands in the place of every legend, if there is one."""
    given = _mapping(_mapping(panel.get("fieldConfig")).get("defaults")).get("displayName")
    name = _FIELD_LABEL.sub(r"{{\1}}", str(given or ""))
    if "${__" not in name:
        return name
    if name not in {"${__field.displayName}", "${__series.name}", "${__field.name}"}:
        notes.add(f"{path}.fieldConfig.defaults.displayName", f"the name {name!r} of every series")
    return ""


def _legend(text: object) -> str:
    return "" if text is None or text == "__auto" else str(text)


def _unit(panel: Mapping[str, Any], defaults: Mapping[str, Any], path: str, notes: Notes) -> str:
    given = (
        _mapping(_mapping(panel.get("options")).get("yAxis")).get("unit") if panel.get("type") == "heatmap" else None
    )
    name = str(given or defaults.get("unit") or "")
    found = map_unit(name)
    if found is None:
        notes.add(f"{path}.fieldConfig.defaults.unit", f"the unit {name!r}, shown as it is written")
    return (name if found is None else found)[:200]


def _decimals(given: object) -> int | None:
    return given if isinstance(given, int) and 0 <= given <= 12 else None


def _is_coloured(panel: Mapping[str, Any], kind: PanelKind) -> bool:
    """Tell whether thresholds colour the values: each panel has some, red from 80 on if nobody wrote others."""
    defaults = _mapping(_mapping(panel.get("fieldConfig")).get("defaults"))
    mode = _mapping(defaults.get("color")).get("mode")
    if kind is PanelKind.TIMESERIES:
        return True  # they are lines there, and none here
    if panel.get("type") in _OF_A_PALETTE:
        return mode == "thresholds"
    if panel.get("type") == "table":
        custom = _mapping(defaults.get("custom"))
        cell = _mapping(custom.get("cellOptions")).get("type") or custom.get("displayMode")
        if cell in _PLAIN_CELLS:
            return False
    return mode in (None, "thresholds") and _mapping(panel.get("options")).get("colorMode") != "none"


def _thresholds(given: Mapping[str, Any], path: str, notes: Notes) -> tuple[Threshold, ...]:
    where = f"{path}.fieldConfig.defaults.thresholds"
    steps = mappings_in(given, "steps", where)
    if given.get("mode") == "percentage" and len(steps) > 1:
        notes.add(where, "thresholds in percent")
        return ()
    found: list[Threshold] = []
    for step in sorted(steps, key=_bound):
        status, value = status_of_colour(step.get("color")), step.get("value")
        if value is None and status in {None, "up"}:
            continue  # below the first threshold all is well, or nothing is said
        if status is None or not isinstance(value, int | float | None):
            notes.add(where, f"a threshold in the colour {step.get('color')!r}")
            continue
        found.append(Threshold(_float(_bound(step)), status))
    return _from_zero(found)[:20]


def _bound(step: Mapping[str, Any]) -> float:
    value = step.get("value")
    return value if isinstance(value, int | float) and value == value else -math.inf  # noqa: PLR0124 -- NaN


def _from_zero(found: list[Threshold]) -> tuple[Threshold, ...]:
    """Give a bad colour below the first threshold a beginning that people can read."""
    if found and found[0].value == -sys.float_info.max and all(each.value > 0 for each in found[1:]):
        return (Threshold(0.0, found[0].status), *found[1:])
    return tuple(found)


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
    is_stacked = bool(panel.get("stack")) or _mapping(custom.get("stacking")).get("mode") in ("normal", "percent")
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
