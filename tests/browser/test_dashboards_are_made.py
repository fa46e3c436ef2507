"""Dashboards in the browser: made, changed by two people at once, brought back, imported, read from files."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

DOCUMENT: dict[str, Any] = {
    "title": "Machine",
    "variables": [{"name": "window", "kind": "custom", "options": ["1m", "5m"]}],
    "rows": [
        {
            "title": "Now",
            "panels": [
                {
                    "id": "a",
                    "kind": "stat",
                    "title": "Answer over $window",
                    "unit": "ratio",
                    "queries": [{"expr": "vector(0.42)"}],
                    "thresholds": [{"value": 0.4, "status": "degraded"}],
                },
                {"id": "b", "kind": "text", "options": {"text": "**Bold** <b>not</b> [x](javascript:alert(1))"}},
                {
                    "id": "c",
                    "kind": "timeseries",
                    "title": "Curve",
                    "queries": [{"expr": "vector(1)", "legend": "one"}],
                },
            ],
        }
    ],
}
SEND = """async ([method, path, body]) => {
  const session = await (await fetch('/api/v1/session')).json();
  const headers = {'Content-Type': 'application/json', 'X-CSRF-Token': session.csrf_token};
  const answer = await fetch('/api/v1' + path, {method, headers, body: JSON.stringify(body)});
  return await answer.json();
}"""
GRAFANA = {
    "title": "From Grafana",
    "schemaVersion": 39,
    "panels": [
        {"id": 1, "type": "timeseries", "title": "Up", "targets": [{"expr": "up"}], "gridPos": {"w": 12, "h": 8}},
        {"id": 2, "type": "worldmap", "title": "Where"},
    ],
}

SEVERAL = " or ".join(
    f'label_replace(vector({one}), "route", "/customers/of/{one}/orders", "", "")' for one in range(1, 7)
)
NARROW: dict[str, Any] = {
    "title": "Narrow",
    "rows": [
        {
            "panels": [
                {
                    "id": kind,
                    "kind": kind,
                    "title": "Requests by now",
                    "span": span,
                    "unit": "requests/s",
                    "thresholds": [{"value": 0, "status": "up"}],
                    "queries": [{"expr": expr}],
                }
                for kind, span, expr in (
                    ("gauge", 4, SEVERAL),
                    ("table", 3, SEVERAL),
                    ("stat", 2, "vector(57.5)"),
                    ("timeseries", 3, "vector(1)"),
                )
            ]
        }
    ],
}
CUT = """selector => [...document.querySelectorAll(selector)].filter(one => {
  const place = one.closest('[class*=_gauge_]') ?? one.closest('section');
  const [box, frame] = [one, place].map(each => each.getBoundingClientRect());
  return one.scrollWidth > one.clientWidth + 1 || box.left < frame.left - 1 || box.right > frame.right + 1;
}).map(one => one.textContent)"""


def make(visit, document: dict[str, Any] = DOCUMENT) -> str:
    """Save a dashboard with the session of the browser, and give its id."""
    visit.go("/dashboards")
    made = visit.page.evaluate(SEND, ["POST", "/dashboards", {"document": document, "message": "made"}])
    return str(made["id"])


def panel(page: Page, name: str):
    return page.get_by_role("region", name=name)


def test_a_dashboard_shows_its_panels(visit):
    page = visit.go(f"/dashboards/{make(visit)}")
    answer = panel(page, "Answer over 1m")
    expect(answer).to_contain_text("42.0%")
    expect(answer.get_by_role("img", name="Degraded")).to_be_visible()
    expect(page.locator("main strong")).to_have_text("Bold")
    expect(page.locator("main")).to_contain_text("<b>not</b> [x](javascript:alert(1))")
    expect(panel(page, "Curve").locator("canvas")).to_be_visible()
    page.get_by_role("combobox", name="window").click()
    page.get_by_role("option", name="5m").click()
    expect(panel(page, "Answer over 5m")).to_be_visible()
    assert "var-window=5m" in page.url


@pytest.mark.parametrize("width", [1440, 390])
def test_numbers_units_and_titles_are_seen_whole(open_visit, width):
    visit = open_visit(width=width)
    page = visit.go(f"/dashboards/{make(visit, NARROW)}")
    page.locator("[data-kind=gauge] svg").nth(5).wait_for()
    page.locator("[data-kind=table]").get_by_text("1 requests/s").wait_for()
    assert page.evaluate(CUT, "[data-kind=gauge] [class*=_figure_], [data-kind=table] td:last-child, section h3") == []
    expect(page.locator("[data-kind=timeseries] h3")).to_have_text("Requests by now requests/s")


WIDE = " or ".join(
    f'label_replace(label_replace(vector(3), "instance", "payments-7d9c6b5f8-node{one}.prod.internal:8080", "", ""),'
    f' "region", "eu-central-{one}", "", "")'
    for one in (1, 2, 3, 4)
)
LONG: dict[str, Any] = {
    "title": "Long",
    "rows": [
        {
            "panels": [
                {"id": kind, "kind": kind, "title": kind, "span": 4, "height": 4, "queries": [{"expr": WIDE}]}
                for kind in ("gauge", "stat", "table")
            ]
        }
    ],
}
# What of the table is seen behind its last column, which sticks to the edge of its frame.
BEHIND = """one => one.closest('[role=region]').getBoundingClientRect().right - one.getBoundingClientRect().right"""


def test_what_has_no_room_ends_as_it_should(open_visit):
    visit = open_visit(width=390)
    page = visit.go(f"/dashboards/{make(visit, LONG)}")
    last = page.locator("[data-kind=table] td:last-child").first
    last.wait_for()
    assert abs(last.evaluate(BEHIND)) <= 1.5
    name = page.locator("[data-kind=stat] span.truncate").first
    assert name.evaluate("one => one.clientWidth <= one.closest('section').clientWidth")
    names = page.locator("[data-kind=gauge] span.truncate")
    expect(names).to_have_count(4)
    places = [names.nth(at).bounding_box() for at in range(4)]
    assert len({round(place["y"]) for place in places if place}) == 1


def test_an_empty_dashboard_leads_to_its_first_panel(visit):
    page = visit.go(f"/dashboards/{make(visit, {'title': 'Nothing yet', 'rows': [{'panels': []}]})}")
    page.get_by_role("button", name="Add the first one").click()
    expect(page.get_by_role("heading", name="Editing Nothing yet")).to_be_visible()


def test_variables_that_were_written_are_not_lost_by_a_key(visit):
    page = visit.go(f"/dashboards/{make(visit)}")
    page.keyboard.press("e")
    page.get_by_role("button", name="Variables (1)").click()
    dialog = page.get_by_role("dialog", name="Variables", exact=True)
    dialog.get_by_label("Values, by commas").fill("1m, 5m, 15m")
    page.keyboard.press("Escape")
    question = page.get_by_role("dialog", name="Discard what you changed of the variables?")
    question.get_by_role("button", name="Cancel").click()
    expect(question).to_have_count(0)
    dialog.get_by_role("button", name="Done").click()
    page.get_by_role("combobox", name="window").click()
    expect(page.get_by_role("option", name="15m")).to_be_visible()


def test_a_panel_leads_on_and_is_collected(visit):
    page = visit.go(f"/dashboards/{make(visit)}?range=6h&var-window=5m")
    curve, answer = panel(page, "Curve"), panel(page, "Answer over 5m")
    answer.get_by_role("button", name="Add to an investigation: this panel, Answer over 5m").click()
    page.get_by_role("menuitem", name="A new investigation").click()
    expect(page.get_by_text("Added to")).to_be_visible()
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Hide events").click()
    assert "marks=0" in page.url
    plot = curve.locator("[data-pickable]").bounding_box()
    assert plot is not None
    page.mouse.click(plot["x"] + plot["width"] * 0.9, plot["y"] + 50)
    page.wait_for_url(re.compile(r"/around\?at="))
    page.go_back()
    answer.get_by_role("link", name="Explore Answer over 5m").click()
    page.wait_for_url(re.compile(r"/explore\?"))
    assert all(one in page.url for one in ("q=vector", "view=table", "marks=0", "range=6h"))
    expect(page.locator("main [aria-busy=true]")).to_have_count(0)


def test_a_dashboard_is_made_by_hand(visit):
    page = visit.go("/dashboards/new")
    page.get_by_label("Title", exact=True).fill("By hand")
    page.get_by_role("button", name="Add panel").click()
    dialog = page.get_by_role("dialog", name="Panel")
    dialog.get_by_label("Title").fill("Seven")
    dialog.get_by_role("textbox", name="Query A", exact=True).click()
    page.keyboard.type("vector(7)")
    page.keyboard.press("Control+Enter")
    expect(dialog.locator("canvas")).to_be_visible()
    dialog.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="By hand")).to_be_visible()
    expect(page.get_by_role("navigation", name="Breadcrumb")).to_contain_text("By hand")
    expect(panel(page, "Seven").locator("canvas")).to_be_visible()


def write_at_once(visit) -> tuple[str, Page]:
    """Begin to write a dashboard of which somebody else then saves a version; give its name and the page."""
    name = make(visit)
    page = visit.go(f"/dashboards/{name}")
    page.keyboard.press("e")
    page.get_by_label("Title", exact=True).fill("Mine")
    theirs = {"document": DOCUMENT | {"title": "Theirs"}, "version": 1, "message": "theirs"}
    page.evaluate(SEND, ["PUT", f"/dashboards/{name}", theirs])
    return name, page


def test_what_was_changed_is_taken_back_and_made_again(visit):
    page = visit.go(f"/dashboards/{make(visit)}")
    page.keyboard.press("e")
    page.get_by_role("button", name="Remove Curve").click()
    expect(panel(page, "Curve")).to_have_count(0)
    page.keyboard.press("Control+z")
    expect(panel(page, "Curve")).to_be_visible()
    page.keyboard.press("Control+Shift+z")
    expect(panel(page, "Curve")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    expect(page.get_by_role("button", name="Close")).to_be_visible()  # nothing is changed, so nothing is lost


TALL: dict[str, Any] = {
    "title": "Tall",
    "rows": [
        {
            "panels": [
                {"id": "a", "kind": "timeseries", "title": "Wide", "span": 12, "queries": [{"expr": "vector(1)"}]},
                {"id": "b", "kind": "text", "span": 12, "height": 40, "options": {"text": "long"}},
                {"id": "c", "kind": "stat", "title": "Far down", "queries": [{"expr": "vector(42)"}]},
            ]
        }
    ],
}
# What stands out of its panel, and what of the frame around the page is there.
ON_PAPER = """() => [
  [...document.querySelectorAll('main section[data-kind]')].filter(one => one.scrollWidth > one.clientWidth).length,
  [...document.querySelectorAll('aside, header')].filter(one => one.checkVisibility() && !one.closest('main')).length,
  document.documentElement.dataset.mantineColorScheme,
]"""


def test_a_dashboard_is_printed_whole_and_on_white(visit):
    page = visit.go(f"/dashboards/{make(visit, TALL)}")
    expect(panel(page, "Wide").locator("canvas")).to_be_visible()
    expect(panel(page, "Far down")).not_to_contain_text("42")
    page.evaluate("() => { window.print = () => { document.body.dataset.printed = 'yes' } }")
    page.evaluate("document.documentElement.dataset.mantineColorScheme = 'dark'")
    page.keyboard.press("Control+p")
    page.locator("body[data-printed]").wait_for()
    expect(panel(page, "Far down")).to_contain_text("42")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.get_by_text("Printed")).to_be_visible()
    assert page.evaluate(ON_PAPER) == [0, 0, "light"]
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.get_by_text("Printed")).to_have_count(0)
    assert page.evaluate(ON_PAPER)[1:] == [2, "dark"]


def test_marks_keep_their_colours_where_the_system_chooses_them(visit):
    page = visit.go(f"/dashboards/{make(visit)}")
    page.emulate_media(forced_colors="active")
    key = panel(page, "Curve").get_by_role("region", name="Legend").locator("i").first
    colours = [one.evaluate("one => getComputedStyle(one).backgroundColor") for one in (key, page.locator("body"))]
    page.emulate_media(forced_colors="none")
    assert colours[0] != colours[1]


def test_two_people_at_once_lose_nothing_and_versions_come_back(open_visit):
    visit = open_visit(is_quiet=False)
    _, page = write_at_once(visit)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("main")).to_contain_text("saved version 2 since")
    page.get_by_role("button", name="Save over it").click()
    expect(page.get_by_role("heading", name="Mine")).to_be_visible()
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Versions").click()
    page.get_by_role("listitem").filter(has_text="Version 2: theirs").get_by_role("button", name="Restore").click()
    expect(page.get_by_label("Title", exact=True)).to_have_value("Theirs")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="Theirs")).to_be_visible()


def test_who_has_heard_of_a_newer_version_while_writing_is_asked_all_the_same(open_visit):
    visit = open_visit(is_quiet=False)
    name, page = write_at_once(visit)
    with page.expect_response(lambda answer: answer.url.endswith(f"/dashboards/{name}")):
        # Connected again, it asks for all anew.
        page.evaluate("() => { for (const kind of ['offline', 'online']) window.dispatchEvent(new Event(kind)); }")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("main")).to_contain_text("saved version 2 since")


def test_nothing_that_was_written_is_lost_by_a_key(visit):
    page = visit.go(f"/dashboards/{make(visit)}")
    page.keyboard.press("e")
    page.get_by_role("button", name="Edit Curve", exact=True).click()
    editor = page.get_by_role("dialog", name="Panel")
    editor.get_by_role("textbox", name="Query A", exact=True).click()
    page.keyboard.type(" + 1")
    for _ in range(2):  # the editor's: what it proposes goes, then it lets go of the keys
        page.keyboard.press("Escape")
    editor.get_by_label("Title").press("Escape")
    question = page.get_by_role("dialog", name="Discard what you changed")
    question.wait_for()
    page.keyboard.press("Escape")
    question.wait_for(state="detached")
    editor.get_by_role("button", name="Done").click()
    editor.wait_for(state="detached")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Checks").click()
    leaving = page.get_by_role("dialog", name="Leave without saving?")
    leaving.get_by_role("button", name="Cancel").click()
    leaving.wait_for(state="detached")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("button", name="Edit", exact=True)).to_be_focused()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Checks").click()
    page.wait_for_url("**/checks*")


def test_keys_go_with_rows_and_variables_keep_what_is_theirs(visit):
    lists = [{"name": name, "kind": "custom", "options": [name * 2, name * 3]} for name in ("x", "y")]
    rows = [*DOCUMENT["rows"], {"title": "Later", "panels": []}]
    page = visit.go(f"/dashboards/{make(visit, DOCUMENT | {'variables': lists, 'rows': rows})}")
    page.keyboard.press("e")
    title = page.get_by_label("Title of row 1", exact=True)
    title.fill("First")
    title.press("Tab")
    expect(page.get_by_role("button", name="Add panel").first).to_be_focused()
    page.get_by_role("button", name="Move row 1 down").press("Enter")
    expect(page.get_by_role("button", name="Move row 2 up")).to_be_focused()
    expect(page.get_by_label("Title of row 2", exact=True)).to_have_value("First")
    page.get_by_role("button", name="Remove Curve").press("Enter")
    expect(page.locator("[data-panel=b] [data-arrange=move]")).to_be_focused()
    page.get_by_role("button", name="Variables (2)").click()
    page.get_by_role("button", name="Remove variable x").click()
    expect(page.get_by_label("Values, by commas")).to_have_value("yy, yyy")


def test_what_of_grafana_has_no_counterpart_is_listed(visit):
    page = visit.go("/dashboards")
    page.get_by_role("button", name="Import from Grafana").click()
    page.get_by_label("Or its JSON").fill(json.dumps(GRAFANA))
    page.get_by_role("button", name="See what it becomes").click()
    expect(page.get_by_label("What could not be mapped")).to_contain_text("worldmap")
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("heading", name="From Grafana")).to_be_visible()
    page.get_by_role("link", name="Dashboards").first.click()
    expect(page.get_by_role("link", name=re.compile("From Grafana"))).to_be_visible()


def test_one_of_a_file_is_only_read(visit, server):
    folder = server.folder / "ops" / "dashboards"
    folder.mkdir(exist_ok=True)
    (folder / "machine.json").write_text(json.dumps(DOCUMENT | {"title": "Of a file"}))
    page = visit.go("/dashboards")
    visit.wait_until(
        "async () => (await (await fetch('/api/v1/dashboards')).json()).items.some((one) => one.id === 'machine')"
    )
    visit.go("/dashboards/machine")
    expect(page.get_by_role("heading", name="Of a file")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Lives in ops/dashboards/machine.json")
    expect(page.get_by_role("button", name="Edit")).to_have_count(0)


def titles(page: Page) -> list[str]:
    return [str(one) for one in page.locator("[data-panel]").evaluate_all("all => all.map(one => one.dataset.panel)")]


def test_panels_are_arranged_by_dragging(visit):
    name = make(visit)
    page = visit.go(f"/dashboards/{name}")
    page.keyboard.press("e")
    handle = page.get_by_role("button", name="Move Curve", exact=True)
    handle.wait_for()
    assert titles(page) == ["a", "b", "c"]
    target = page.locator("[data-panel=a]").bounding_box()
    handle.hover()
    page.mouse.down()
    page.mouse.move(target["x"] + target["width"] * 0.2, target["y"] + 60, steps=5)
    expect(page.locator("[data-panel=a]")).to_have_attribute("data-drop", "before")
    page.mouse.up()
    assert titles(page) == ["c", "a", "b"]
    grip = page.get_by_role("button", name="Resize Curve")
    before, corner = page.locator("[data-panel=c]").bounding_box(), grip.bounding_box()
    page.mouse.move(corner["x"] + 10, corner["y"] + 10)
    page.mouse.down()
    page.mouse.move(corner["x"] + 10 - before["width"] / 3, corner["y"] + 50, steps=5)
    page.mouse.up()
    expect(page.get_by_role("status").filter(has_text="Curve is")).to_have_text("Curve is 4 of 12 wide and 8 high")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("button", name="Edit", exact=True)).to_be_visible()
    saved = page.evaluate(f"async () => (await (await fetch('/api/v1/dashboards/{name}')).json()).document")
    first = saved["rows"][0]["panels"][0]
    assert (first["id"], first["span"], first["height"]) == ("c", 4, 8)


def test_panels_are_arranged_by_keys_and_settings_are_saved(visit):
    name = make(visit)
    page = visit.go(f"/dashboards/{name}")
    page.keyboard.press("e")
    page.get_by_role("button", name="Add row").click()
    handle = page.get_by_role("button", name="Move Curve", exact=True)
    handle.focus()
    page.keyboard.press("ArrowLeft")
    expect(handle).to_be_focused()
    assert titles(page) == ["a", "c", "b"]
    page.keyboard.press("ArrowDown")
    expect(handle).to_be_focused()
    expect(page.locator("[data-grid='1'] [data-panel=c]")).to_be_visible()
    page.get_by_role("button", name="Resize Curve").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("status").filter(has_text="Curve is")).to_have_text("Curve is 7 of 12 wide and 6 high")
    page.get_by_label("Description").fill("What the machine does")
    page.get_by_role("combobox", name="Refresh").click()
    page.get_by_role("option", name="every 30s").click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("main header").first).to_contain_text("What the machine does")
    saved = page.evaluate(f"async () => (await (await fetch('/api/v1/dashboards/{name}')).json()).document")
    assert (saved["refresh"], saved["rows"][1]["panels"][0]["id"]) == ("30s", "c")
    page = visit.go("/events")
    expect(page.get_by_text("dashboard was saved as version 2").first).to_be_visible()
