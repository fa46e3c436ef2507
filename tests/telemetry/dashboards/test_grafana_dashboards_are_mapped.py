"""Grafana's JSON in our words: what has a counterpart is mapped, what has none is listed."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.dashboards.document import PanelKind, Query, Threshold, Variable, VariableKind
from holdfast.telemetry.dashboards.grafana import import_grafana


def panel(**more: Any) -> dict[str, Any]:
    return {"id": 1, "type": "timeseries", "title": "CPU", "gridPos": {"x": 0, "y": 0, "w": 12, "h": 8}, **more}


def mapped(*panels: dict[str, Any], **more: Any) -> Any:
    return import_grafana({"schemaVersion": 39, "title": "Node", "panels": list(panels), **more})


def test_a_panel_keeps_its_queries_unit_size_and_thresholds() -> None:
    steps = [
        {"color": "green", "value": None},
        {"color": "semi-dark-orange", "value": 0.7},
        {"color": "red", "value": 0.9},
    ]
    defaults = {"unit": "percentunit", "decimals": 2, "thresholds": {"mode": "absolute", "steps": steps}}
    targets = [{"expr": "rate(x[5m])", "legendFormat": "{{pod}}"}, {"expr": "y", "instant": True, "hide": True}]
    found = mapped(panel(fieldConfig={"defaults": defaults}, targets=targets))
    got = found.document.rows[0].panels[0]
    assert found.problems == ()
    assert (got.kind, got.unit, got.decimals, got.span, got.height) == (PanelKind.TIMESERIES, "ratio", 2, 6, 6)
    assert got.queries == (Query("rate(x[5m])", "{{pod}}"), Query("y", instant=True, hidden=True))
    assert got.thresholds == (Threshold(0.7, "degraded"), Threshold(0.9, "down"))


def test_rows_gather_the_panels_below_them() -> None:
    row = {"type": "row", "title": "Disks", "collapsed": True, "panels": [panel(id=3)]}
    found = mapped(panel(id=1), panel(id=2, gridPos={"x": 12, "y": 0, "w": 12, "h": 8}), row)
    assert [(each.title, each.collapsed, [p.id for p in each.panels]) for each in found.document.rows] == [
        ("", False, ["p1", "p2"]),
        ("Disks", True, ["p3"]),
    ]


def test_dashboards_of_before_2018_have_rows_of_their_own() -> None:
    old = {
        "title": "Old",
        "schemaVersion": 14,
        "rows": [{"title": "A", "panels": [{"id": 7, "type": "graph", "stack": True}]}],
    }
    (row,) = import_grafana(old).document.rows
    assert (row.title, row.panels[0].id, row.panels[0].options) == ("A", "p7", {"stacked": True, "exemplars": False})


def test_exemplars_and_marks_are_shown_where_they_were() -> None:
    targets = [{"expr": "a", "exemplar": False}, {"expr": "b", "exemplar": True}]
    plain = {"expr": "a"}
    found = mapped(
        panel(id=1, targets=targets), panel(id=2, targets=[plain]), panel(id=3, type="stat", targets=targets)
    )
    assert [each.options for each in found.document.rows[0].panels] == [{"exemplars": True}, {"exemplars": False}, {}]
    assert found.document.events
    assert not mapped(annotations={"list": [{"builtIn": 1, "enable": False}]}).document.events


def test_a_gauge_keeps_its_ends() -> None:
    ends = {"defaults": {"min": 10, "max": 0.5}}
    found = mapped(panel(id=1, type="gauge", fieldConfig=ends), panel(id=2, type="stat", fieldConfig=ends))
    assert [each.options for each in found.document.rows[0].panels] == [{"min": 10, "max": 0.5}, {}]


def test_variables_become_ours() -> None:
    listed = [
        {
            "type": "query",
            "name": "job",
            "query": {"query": "label_values(up, job)"},
            "multi": True,
            "includeAll": True,
        },
        {"type": "custom", "name": "env", "query": "prod, test", "current": {"value": ["test"]}},
        {"type": "datasource", "name": "ds"},
        {"type": "adhoc", "name": "filters"},
    ]
    found = mapped(templating={"list": listed})
    assert found.document.variables == (
        Variable("job", VariableKind.QUERY, query="label_values(up, job)", multi=True, include_all=True),
        Variable("env", VariableKind.CUSTOM, options=("prod", "test"), default="test"),
    )
    assert [each.path for each in found.problems] == ["templating.list[2]", "templating.list[3]"]


def test_what_has_no_counterpart_is_listed_with_its_place() -> None:
    odd = panel(
        targets=[{"datasource": {"type": "loki"}, "expr": "{}"}],
        transformations=[{"id": "merge"}],
        fieldConfig={"defaults": {"unit": "flops", "mappings": [1]}, "overrides": [1]},
    )
    found = mapped(odd, time={"from": "now/d"}, annotations={"list": [{"name": "deploys"}, {"builtIn": 1}]})
    assert {each.path for each in found.problems} == {
        "annotations",
        "time",
        "panels[0].transformations",
        "panels[0].fieldConfig.overrides",
        "panels[0].fieldConfig.defaults.mappings",
        "panels[0].fieldConfig.defaults.unit",
        "panels[0].targets[0]",
    }
    assert found.document.rows[0].panels[0].queries == ()
    scaled = mapped(panel(type="stat", fieldConfig={"defaults": {"color": {"mode": "continuous-GrYlRd"}}}))
    assert [each.path for each in scaled.problems] == ["panels[0].fieldConfig.defaults.color"]


USUAL = {"mode": "absolute", "steps": [{"color": "green", "value": None}, {"color": "red", "value": 80}]}


@pytest.mark.parametrize(
    ("kind", "defaults", "options", "is_coloured"),
    [
        ("stat", {}, {}, True),
        ("stat", {"color": {"mode": "thresholds"}}, {"colorMode": "value"}, True),
        ("stat", {"color": {"mode": "thresholds"}}, {"colorMode": "none"}, False),
        ("stat", {"color": {"mode": "fixed", "fixedColor": "blue"}}, {}, False),
        ("bargauge", {"color": {"mode": "palette-classic"}}, {}, False),
        ("barchart", {}, {}, False),
        ("barchart", {"color": {"mode": "thresholds"}}, {}, True),
        ("table", {"color": {"mode": "thresholds"}, "custom": {"cellOptions": {"type": "auto"}}}, {}, False),
        ("table", {"color": {"mode": "thresholds"}, "custom": {"cellOptions": {"type": "color-text"}}}, {}, True),
        ("table", {"custom": {"displayMode": "color-background"}}, {}, True),
    ],
)
def test_thresholds_give_a_status_where_they_gave_a_colour(
    kind: str, defaults: dict[str, Any], options: dict[str, Any], *, is_coloured: bool
) -> None:
    given = panel(type=kind, options=options, fieldConfig={"defaults": {"thresholds": USUAL, **defaults}})
    (got,) = mapped(given).document.rows[0].panels
    assert got.thresholds == ((Threshold(80, "down"),) if is_coloured else ())


def test_pies_and_states_are_shown_by_what_comes_nearest() -> None:
    kinds = ("piechart", "state-timeline", "status-history", "grafana-singlestat-panel")
    found = mapped(*(panel(id=at, type=kind, targets=[{"expr": "up"}]) for at, kind in enumerate(kinds, 1)))
    panels = found.document.rows[0].panels
    curve = PanelKind.TIMESERIES
    assert [each.kind for each in panels] == [PanelKind.BAR, curve, curve, PanelKind.STAT]
    assert all(each.queries == (Query("up"),) for each in panels)
    assert [each.path for each in found.problems[:3]] == [f"panels[{at}].type" for at in range(3)]


def test_the_form_of_the_api_is_read_too_and_what_is_no_dashboard_is_refused() -> None:
    assert import_grafana({"dashboard": {"title": "X", "panels": []}, "meta": {}}).document.title == "X"
    with pytest.raises(InvalidError, match="no dashboard of Grafana"):
        import_grafana({"title": "ours", "rows": []})


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"panels": {"a": 1}}, "panels"),
        ({"panels": [panel(), 7]}, "panels[1]"),
        ({"panels": [{"type": "row", "panels": "x"}]}, "panels[0].panels"),
        ({"panels": [panel(targets=["up"])]}, "panels[0].targets[0]"),
        (
            {"panels": [panel(fieldConfig={"defaults": {"thresholds": {"steps": True}}})]},
            "panels[0].fieldConfig.defaults.thresholds.steps",
        ),
        ({"rows": [None]}, "rows[0]"),
        ({"tags": "shop"}, "tags"),
        ({"templating": []}, ""),
        ({"templating": [1]}, "templating"),
        ({"templating": {"list": [1]}}, "templating.list[0]"),
        ({"annotations": {"list": "x"}}, "annotations.list"),
    ],
)
def test_what_has_another_form_is_refused_with_its_place(more: dict[str, Any], place: str) -> None:
    given = {"schemaVersion": 39, "title": "Node", **more}
    if not place:
        import_grafana(given)
        return
    with pytest.raises(InvalidError, match=r"expected (a list|an object), found ") as caught:
        import_grafana(given)
    assert (caught.value.place.field, bool(caught.value.hint)) == (place, True)


def test_odd_values_become_what_is_kept() -> None:
    odd = panel(
        id=10**80,
        gridPos={"x": "a", "y": [], "w": 10**30, "h": -5},
        targets=[{"expr": "a", "legendFormat": [1], "datasource": {"type": []}}, {"expr": "b", "legendFormat": ["x"]}],
        fieldConfig={"defaults": {"unit": {}, "min": -(10**400), "max": 1e400, "thresholds": {"steps": []}}},
        type="gauge",
    )
    names = [{"type": "custom", "name": "v", "query": "a"}, {"type": "textbox", "name": "v"}]
    found = mapped(odd, panel(id=1), panel(id=1), templating={"list": names})
    first, second, third = found.document.rows[0].panels
    assert (first.span, first.height, len(first.id)) == (12, 1, 64)
    assert all(abs(value) < float("inf") for value in first.options.values())
    assert (second.id, third.id) == ("p1", "p1-copy2")
    assert [each.kind for each in found.document.variables] == [VariableKind.CUSTOM]
    assert "a second variable named 'v'" in [each.what for each in found.problems]
    assert len(mapped(*[{"type": "canvas"}] * 5000).problems) == 1000
