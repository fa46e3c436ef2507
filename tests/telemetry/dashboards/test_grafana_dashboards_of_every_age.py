"""Grafana's JSON of every age: rows and singlestats of old, exports for others, elements with a layout."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.telemetry.dashboards.document import PanelKind, Query, Threshold, Variable, VariableKind
from holdfast.telemetry.dashboards.grafana import import_grafana

GREEN, ORANGE, RED = "rgba(50, 172, 45, 0.97)", "#EAB839", "rgba(245, 54, 54, 0.9)"


def panel(**more: Any) -> dict[str, Any]:
    return {"id": 1, "type": "timeseries", "title": "CPU", "gridPos": {"x": 0, "y": 0, "w": 12, "h": 8}, **more}


def mapped(*panels: dict[str, Any], **more: Any) -> Any:
    return import_grafana({"schemaVersion": 39, "title": "Node", "panels": list(panels), **more})


def lost(found: Any) -> dict[str, str]:
    return {each.path: each.what for each in found.problems}


def test_a_singlestat_keeps_its_unit_digits_and_thresholds() -> None:
    old = panel(
        type="singlestat",
        format="percent",
        decimals=1,
        thresholds="80,95",
        colors=[GREEN, ORANGE, RED],
        colorValue=True,
        valueName="current",
        valueMaps=[{"op": "=", "text": "N/A", "value": "null"}],
        rangeMaps=[{"from": "null", "to": "null", "text": "N/A"}],
        targets=[{"expr": "up"}],
    )
    found = mapped(old, {**old, "id": 2, "gauge": {"show": True, "minValue": 0, "maxValue": 100}})
    stat, gauge = found.document.rows[0].panels
    assert found.problems == ()
    assert (stat.kind, stat.unit, stat.decimals) == (PanelKind.STAT, "percent", 1)
    assert stat.thresholds == (Threshold(80, "degraded"), Threshold(95, "down"))
    assert (gauge.kind, gauge.options) == (PanelKind.GAUGE, {"min": 0, "max": 100})


def test_what_a_singlestat_cannot_keep_is_listed() -> None:
    old = panel(
        type="singlestat", valueName="avg", postfix=" users", valueMaps=[{"op": "=", "text": "UP", "value": "1"}]
    )
    assert lost(mapped(old)) == {
        "panels[0].postfix": "the text ' users' beside the number",
        "panels[0].fieldConfig.defaults.mappings": "texts for values",
        "panels[0].options.reduceOptions.calcs": "the mean over the time range; the last value is shown",
    }


def test_a_graph_keeps_the_unit_of_its_left_axis_and_its_thresholds() -> None:
    old = panel(
        type="graph",
        yaxes=[{"format": "bytes", "min": 0, "logBase": 2}, {"format": "short"}],
        thresholds=[
            {"value": 5, "op": "gt", "colorMode": "critical"},
            {"value": 1, "op": "lt", "colorMode": "warning"},
        ],
        seriesOverrides=[{"alias": "in", "transform": "negative-Y"}],
        bars=True,
        lines=False,
    )
    found = mapped(old, panel(id=2, type="graph", y_formats=["Bps", "short"]))
    first, second = found.document.rows[0].panels
    assert (first.unit, first.thresholds, second.unit) == ("bytes", (Threshold(5, "down"),), "bytes/s")
    assert lost(found) == {
        "panels[0].seriesOverrides": "settings for single series",
        "panels[0].yaxes[0].logBase": "a logarithmic axis",
        "panels[0].thresholds[1]": "a threshold for what is below it",
        "panels[0].fieldConfig.defaults.custom.drawStyle": "drawing as bars; they are curves here",
    }


def test_rows_of_old_say_how_wide_and_high_their_panels_are() -> None:
    rows = [{"title": "A", "height": "300px", "repeat": "node", "panels": [{"id": 1, "type": "graph", "span": 4}]}]
    found = import_grafana({"schemaVersion": 14, "rows": rows})
    got = found.document.rows[0].panels[0]
    assert (got.span, got.height, list(lost(found))) == (4, 8, ["rows[0].repeat"])


def test_settings_of_gauges_stood_in_their_options_for_a_year() -> None:
    options = {
        "fieldOptions": {
            "calcs": ["mean"],
            "defaults": {"unit": "s", "max": 9},
            "thresholds": [{"color": "green", "value": None}, {"color": "red", "value": 8}],
        }
    }
    found = mapped(panel(type="gauge", options=options))
    got = found.document.rows[0].panels[0]
    assert (got.unit, got.options, got.thresholds) == ("seconds", {"max": 9}, (Threshold(8, "down"),))
    assert list(lost(found)) == ["panels[0].options.reduceOptions.calcs"]


def test_what_is_bad_below_the_first_threshold_stays_bad() -> None:
    steps = [{"color": "red", "value": None}, {"color": "green", "value": 1}]
    found = mapped(panel(type="stat", fieldConfig={"defaults": {"thresholds": {"steps": steps}}}))
    assert found.document.rows[0].panels[0].thresholds == (Threshold(0, "down"), Threshold(1, "up"))


@pytest.mark.parametrize(
    ("colour", "status"),
    [("#F2495C", "down"), ("#73BF69", "up"), ("#EAB839", "degraded"), ("rgb(31, 120, 193)", None), ("#808080", None)],
)
def test_colours_in_numbers_are_read(colour: str, status: str | None) -> None:
    steps = [{"color": "green", "value": None}, {"color": colour, "value": 1}]
    found = mapped(panel(fieldConfig={"defaults": {"thresholds": {"steps": steps}}}))
    assert [each.status for each in found.document.rows[0].panels[0].thresholds] == ([status] if status else [])
    assert bool(found.problems) == (status is None)


def test_panels_belong_to_the_row_that_stands_above_them_on_the_page() -> None:
    rows = [
        {"type": "row", "title": name, "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}} for name, y in (("A", 0), ("B", 9))
    ]
    low, high = (
        panel(id=2, gridPos={"x": 0, "y": 10, "w": 1, "h": 1}),
        panel(id=1, gridPos={"x": 0, "y": 1, "w": 1, "h": 1}),
    )
    found = mapped(*rows, low, high)
    assert [(row.title, [one.id for one in row.panels]) for row in found.document.rows] == [
        ("A", ["p1"]),
        ("B", ["p2"]),
    ]


def test_queries_of_other_sources_are_told_by_the_variable_that_stands_for_them() -> None:
    listed = [
        {"type": "datasource", "name": "ds", "query": "prometheus"},
        {"type": "datasource", "name": "logs", "query": "loki"},
        {"type": "query", "name": "app", "datasource": {"uid": "$logs"}, "query": "label_values(app)"},
    ]
    targets = [
        {"expr": "up", "datasource": {"uid": "${ds}"}},
        {"expr": "{a=`b`}", "datasource": {"uid": "${logs}"}},
        {"expr": "{a=`b`}", "datasource": "$logs"},
        {"expr": "{a=`b`}", "datasource": "${DS_LOKI}"},
        {"expr": "down", "datasource": "Prometheus"},
    ]
    mixed = panel(datasource={"type": "datasource", "uid": "-- Mixed --"}, targets=targets)
    inputs = [{"name": "DS_LOKI", "type": "datasource", "pluginId": "loki"}]
    found = mapped(mixed, templating={"list": listed}, __inputs=inputs)
    assert found.document.rows[0].panels[0].queries == (Query("up"), Query("down"))
    assert list(lost(found)) == ["templating.list[0]", "templating.list[1]", "templating.list[2]"] + [
        f"panels[0].targets[{number}]" for number in (1, 2, 3)
    ]


def test_variables_keep_their_filter_what_all_means_and_their_values() -> None:
    listed = [
        {
            "type": "query",
            "name": "node",
            "definition": "query_result(up)",
            "regex": '/instance="([^"]+)"/',
            "includeAll": True,
            "allValue": ".+",
            "sort": 1,
        },
        {"type": "custom", "name": "env", "query": "Production : prod, a\\,b, 'c, d'", "current": {"value": "prod"}},
        {"type": "custom", "name": "old", "query": "", "options": [{"text": "One", "value": "1"}]},
        {
            "type": "interval",
            "name": "every",
            "query": "1m,5m",
            "auto": True,
            "current": {"value": "$__auto_interval_every"},
        },
        {"type": "constant", "name": "prefix", "query": "${VAR_PREFIX}"},
    ]
    inputs = [{"name": "VAR_PREFIX", "type": "constant", "value": "shop_"}]
    found = mapped(templating={"list": listed}, __inputs=inputs)
    assert found.document.variables == (
        Variable(
            "node",
            VariableKind.QUERY,
            query="query_result(up)",
            include_all=True,
            regex='/instance="([^"]+)"/',
            all_value=".+",
        ),
        Variable("env", VariableKind.CUSTOM, options=("prod", "a,b", "c, d"), default="prod"),
        Variable("old", VariableKind.CUSTOM, options=("1",)),
        Variable("every", VariableKind.INTERVAL, options=("1m", "5m")),
        Variable("prefix", VariableKind.CONSTANT, query="shop_"),
    )
    assert list(lost(found)) == ["templating.list[1].query", "templating.list[3].auto"]


def test_settings_that_no_panel_has_are_listed() -> None:
    custom = {"scaleDistribution": {"type": "log"}, "stacking": {"mode": "percent"}}
    defaults = {"max": 10, "links": [1], "noValue": "-", "custom": custom}
    reduced = {"reduceOptions": {"calcs": ["sum"], "fields": "/^version$/"}, "textMode": "name"}
    found = mapped(
        panel(fieldConfig={"defaults": defaults}, interval="1m", targets=[{"expr": "a", "interval": "30s"}]),
        panel(id=2, type="stat", options=reduced),
        panel(id=3, type="text", options={"mode": "html", "content": "<b>"}),
        panel(id=4, targets=[{"expr": f"a{number}"} for number in range(30)]),
        time={"from": "now-2d", "to": "now-1d"},
        timezone="utc",
        refresh="1M",
    )
    where = "panels[0].fieldConfig.defaults"
    assert set(lost(found)) == {
        f"{where}.max",
        f"{where}.links",
        f"{where}.noValue",
        f"{where}.custom.scaleDistribution",
        f"{where}.custom.stacking",
        "panels[0].interval",
        "panels[0].targets[0].interval",
        "panels[1].options.reduceOptions.calcs",
        "panels[1].options.reduceOptions.fields",
        "panels[1].options.textMode",
        "panels[2].options.mode",
        "panels[3].targets",
        "time",
        "timezone",
        "refresh",
    }


def test_a_name_for_every_series_becomes_the_legend() -> None:
    names = ("Busy", "${__field.labels.pod}", "${__field.displayName}", "${__cell_0}")
    panels = [
        panel(id=at + 1, fieldConfig={"defaults": {"displayName": name}}, targets=[{"expr": "a", "legendFormat": "x"}])
        for at, name in enumerate(names)
    ]
    found = mapped(*panels)
    assert [each.queries[0].legend for each in found.document.rows[0].panels] == ["Busy", "{{pod}}", "x", "x"]
    assert list(lost(found)) == ["panels[3].fieldConfig.defaults.displayName"]


def test_queries_that_cannot_run_here_are_listed() -> None:
    listed = [{"type": "interval", "name": "every", "query": "5m"}, {"type": "adhoc", "name": "filters"}]
    exprs = [
        'topk($limit, rate(a{job=~"$job"}[$every])) > ${x:raw}',
        "sum by ([[by]]) (a offset $shift)",
        "$agg(a[$__rate_interval:])",
        "a{$filters}",
        "sum(",
        "rate(a[$__range]) * $__to",
    ]
    known = [{"type": "custom", "name": name, "query": "1"} for name in ("limit", "x")]
    others = [{"type": "query", "name": name, "query": "up"} for name in ("job", "by", "shift", "agg")]
    found = mapped(
        *(panel(id=at + 1, targets=[{"expr": expr}]) for at, expr in enumerate(exprs)),
        templating={"list": [*listed, *known, *others]},
    )
    assert [(each.path, each.what[:32]) for each in found.problems[1:]] == [
        ("panels[3]", "the variable $filters of a query"),
        ("panels[3]", "a query that is no PromQL here: "),
        ("panels[4]", "a query that is no PromQL here: "),
        ("panels[5]", "the variable $__to of a query, w"),
    ]


def test_panels_of_the_library_come_from_the_export_or_are_listed() -> None:
    model = {"type": "stat", "title": "Users", "targets": [{"expr": "users"}]}
    elements = {"one": {"name": "Users", "kind": 1, "model": model}}
    places = [
        {"id": at, "gridPos": {"w": 6, "h": 4}, "libraryPanel": {"uid": uid}} for at, uid in ((1, "one"), (2, "gone"))
    ]
    found = mapped(*places, __elements=elements)
    (got,) = found.document.rows[0].panels
    assert (got.id, got.kind, got.span, got.queries) == ("p1", PanelKind.STAT, 3, (Query("users"),))
    assert lost(found) == {"panels[1]": "a panel of the library (untitled)"}


def second(layout: dict[str, Any], **more: Any) -> dict[str, Any]:
    query = {"kind": "DataQuery", "group": "prometheus", "spec": {"expr": "up", "legendFormat": "{{job}}"}}
    viz = {"kind": "VizConfig", "group": "stat", "spec": {"fieldConfig": {"defaults": {"unit": "s"}}, "options": {}}}
    queries = [{"kind": "PanelQuery", "spec": {"query": query, "refId": "A", "hidden": False}}]
    spec = {
        "id": 4,
        "title": "Up",
        "vizConfig": viz,
        "data": {"kind": "QueryGroup", "spec": {"queries": queries, "transformations": [{"kind": "merge"}]}},
    }
    inner = {
        "title": "New",
        "elements": {"panel-4": {"kind": "Panel", "spec": spec}},
        "layout": layout,
        "timeSettings": {"from": "now-6h", "to": "now", "autoRefresh": "30s", "timezone": "browser"},
        **more,
    }
    return {"apiVersion": "dashboard.grafana.app/v2", "kind": "Dashboard", "metadata": {}, "spec": inner}


GRID = {
    "kind": "GridLayout",
    "spec": {
        "items": [
            {
                "kind": "GridLayoutItem",
                "spec": {
                    "x": 0,
                    "y": 0,
                    "width": 8,
                    "height": 8,
                    "element": {"kind": "ElementReference", "name": "panel-4"},
                },
            }
        ]
    },
}


def test_a_dashboard_of_elements_is_read_too() -> None:
    inner = {"kind": "DataQuery", "group": "prometheus", "spec": {"__legacyStringValue": "label_values(up, job)"}}
    spec = {"name": "job", "query": inner, "regex": "/a/", "sort": "alphabeticalAsc", "current": {"value": "api"}}
    tab = {"kind": "TabsLayoutTab", "spec": {"title": "Now", "layout": GRID, "repeat": {"value": "job"}}}
    row = {"kind": "TabsLayout", "spec": {"tabs": [tab]}}
    rows = [{"kind": "RowsLayoutRow", "spec": {"title": "Shop", "collapse": True, "layout": row}}]
    found = import_grafana(
        second(
            {"kind": "RowsLayout", "spec": {"rows": rows}},
            variables=[{"kind": "QueryVariable", "spec": spec}, {"kind": "AdhocVariable", "spec": {"name": "f"}}],
        )
    )
    (got,) = found.document.rows
    (stat,) = got.panels
    assert (found.document.title, found.document.time, found.document.refresh) == ("New", {"from": "6h"}, "30s")
    assert (got.title, got.collapsed, stat.id, stat.kind, stat.span) == ("Shop / Now", True, "p4", PanelKind.STAT, 4)
    assert (stat.unit, stat.queries) == ("seconds", (Query("up", "{{job}}"),))
    assert found.document.variables == (
        Variable("job", VariableKind.QUERY, query="label_values(up, job)", default="api", regex="/a/"),
    )
    assert lost(found) == {
        "layout.spec.rows[0].spec.layout.spec.tabs[0].repeat": "repetition of a tab for each value of a variable",
        "elements.panel-4.transformations": "transformations of the result",
        "variables[1]": "a variable of type 'adhoc' (f)",
    }


def test_what_a_layout_leaves_out_is_listed() -> None:
    auto = {"element": {"name": "gone"}, "conditionalRendering": {"kind": "x"}}
    layout = {
        "kind": "AutoGridLayout",
        "spec": {"maxColumnCount": 2, "items": [{"kind": "AutoGridLayoutItem", "spec": auto}]},
    }
    assert lost(import_grafana(second(layout))) == {
        "layout.spec.items[0].conditionalRendering": "a panel that is shown on a condition",
        "layout.spec.items[0]": "the element 'gone', which is not there",
        "elements.panel-4": "an element that stands nowhere in the layout",
    }
    assert list(lost(import_grafana(second({"kind": "Canvas"}, variables=[])))) == ["layout", "elements.panel-4"]


def test_a_resource_of_the_schema_before_is_read() -> None:
    given = {
        "apiVersion": "dashboard.grafana.app/v1beta1",
        "kind": "Dashboard",
        "spec": {"title": "X", "panels": [panel()]},
    }
    assert import_grafana(given).document.rows[0].panels[0].id == "p1"


def test_settings_of_another_form_are_passed_over() -> None:
    odd: list[Any] = [[], {}, [1], {"a": 1}]
    for value in odd:
        custom = {"scaleDistribution": {"type": value}, "stacking": {"mode": value}, "drawStyle": value}
        defaults = {"max": value, "min": value, "unit": value, "mappings": [{"value": value}], "custom": custom}
        found = mapped(
            panel(fieldConfig={"defaults": defaults}),
            panel(id=2, type="text", options={"mode": value}),
            panel(id=3, type="graph", xaxis={"mode": value}, yaxes=[{"format": value, "logBase": value}]),
            panel(id=4, type="singlestat", valueMaps=[{"value": value}], valueName=value, colors=value, format=value),
            panel(id=5, type="table", datasource=value, targets=[{"expr": value, "datasource": {"uid": value}}]),
            templating={"list": [{"type": "query", "name": "a", "sort": value, "regex": value, "query": value}]},
            timezone=value,
            refresh=value,
        )
        assert len(found.document.rows[0].panels) == 5
