"""Logs, pushed to the real server: found, counted, filtered by a click, read in context, followed, exported."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import Page, expect

PUSH = """async ([service, count, level, agoS]) => {
  const session = await (await fetch('/api/v1/session')).json();
  const now = BigInt(Date.now() - agoS * 1000) * 1000000n;
  const values = [...Array(count).keys()].map((at) => [
    `${now - BigInt(at) * 10000000n}`,
    JSON.stringify({level, msg: level === 'error' ? 'timeout of the bank' : 'charged', nr: at}),
    {trace_id: `${at}`.padStart(32, '0'), pod: `pod-${at % 3}`},
  ]);
  const headers = {'Content-Type': 'application/json', 'X-CSRF-Token': session.csrf_token};
  const body = JSON.stringify({streams: [{stream: {service_name: service, environment: 'prod'}, values}]});
  return (await fetch('/loki/api/v1/push', {method: 'POST', headers, body})).status;
}"""


def push(page: Page, service: str, count: int, *, level: str = "info", ago_s: int = 30) -> None:
    assert page.evaluate(PUSH, [service, count, level, ago_s]) == 204


@pytest.fixture(scope="module")
def pushed() -> set[str]:
    """Services whose lines are there already."""
    return set()


@pytest.fixture
def page(visit, pushed) -> Page:
    """A window with 1,500 lines of the till, five of them errors."""
    page: Page = visit.go("/")
    if "till" not in pushed:
        push(page, "till", 1495)
        push(page, "till", 5, level="error", ago_s=20)
        pushed.add("till")
    return page


def asked(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_a_service_is_chosen_and_its_lines_are_counted_by_level(page, visit):
    page = visit.go("/logs?range=15m")
    page.get_by_role("button", name=re.compile("^till")).click()
    expect(page.get_by_role("img", name="1,500 lines over time, by level")).to_be_visible()
    expect(page.get_by_role("group", name="Levels").get_by_role("button", name=re.compile("error"))).to_contain_text(
        "5"
    )
    expect(page.get_by_text("500 lines loaded")).to_be_visible()
    assert asked(page)["q"] == ['{service_name="till"}']


def test_older_lines_come_by_scrolling_and_few_are_drawn(page, visit):
    page = visit.go("/logs?range=15m&q=" + quote('{service_name="till"}'))
    lines = page.get_by_role("region", name="Lines")
    for count in ("999", "1,498", "1,500"):  # a page begins with the moment that ended the one before
        lines.evaluate("element => element.scrollTop = element.scrollHeight")
        expect(page.get_by_text(f"{count} lines loaded")).to_be_visible()
    expect(page.get_by_text("no older ones in this window")).to_be_visible()
    assert page.locator("main [data-key]").count() < 150


def test_a_line_is_opened_by_keys_filtered_by_and_shown_in_its_surroundings(page, visit):
    page = visit.go("/logs?range=15m&q=" + quote('{service_name="till"} | detected_level="error"'))
    expect(page.locator("main [data-key]")).to_have_count(5)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name=re.compile("Trace 0000"))).to_have_attribute(
        "href", re.compile("^/traces/0{31}0")
    )
    page.get_by_role("button", name="Show nr as column").click()
    page.get_by_role("button", name="Lines around it").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("[aria-current=true]")).to_contain_text("timeout of the bank")
    expect(dialog.locator("li")).to_have_count(21)
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    page.get_by_role("button", name="Filter for pod pod-0").click()
    expect(page.locator("main [data-key]")).to_have_count(2)
    assert asked(page) == {
        "range": ["15m"],
        "q": ['{service_name="till"} | pod="pod-0" | detected_level="error"'],
        "columns": ["nr"],
    }


def test_fields_show_the_values_that_come_most(page, visit):
    page = visit.go("/logs?range=15m&fields=1&q=" + quote('{service_name="till"}'))
    fields = page.get_by_role("complementary", name="Fields")
    fields.get_by_role("button", name=re.compile("^msg")).first.click()
    expect(fields.locator("li li").first).to_contain_text("charged")
    expect(fields.locator("li li").first).to_contain_text("1,495")
    fields.get_by_role("button", name="Filter for msg timeout of the bank").click()
    expect(page.locator("main [data-key]")).to_have_count(5)
    assert asked(page)["q"] == ['{service_name="till"} | json | msg="timeout of the bank"']


def test_newer_lines_come_by_themselves_and_wait_while_somebody_reads(page, visit):
    page = visit.go("/logs?range=15m&live=1&q=" + quote('{service_name="tail"}'))
    expect(page.get_by_text("No lines in this window")).to_be_visible()
    push(page, "tail", 1, ago_s=0)
    expect(page.locator("main [data-key]")).to_have_count(1)
    page.get_by_role("region", name="Lines").hover()
    push(page, "tail", 2, ago_s=0)
    expect(page.get_by_role("button", name="2 newer lines")).to_be_visible()
    expect(page.locator("main [data-key]")).to_have_count(1)
    page.mouse.move(5, 5)
    expect(page.locator("main [data-key]")).to_have_count(3)


def test_an_error_stands_at_its_place_and_completion_knows_the_labels(page, open_visit):
    page = open_visit(is_quiet=False).go("/logs?q=" + quote('{service_name="till"} |= timeout'))
    expect(page.get_by_role("alert")).to_contain_text("Error at column 26")
    expect(page.locator(".cm-lintRange-error")).to_have_text("timeout")
    page = open_visit().go("/logs")
    page.get_by_role("textbox", name="Query").wait_for()
    page.keyboard.press("e")
    page.keyboard.type("{service_na", delay=20)
    page.get_by_role("option", name="service_name").click()  # a key just after it opens is not taken
    page.keyboard.type('"ti', delay=20)
    page.get_by_role("option", name="till").click()
    expect(page.get_by_role("textbox", name="Query")).to_have_text('{service_name="till"}')
    page.get_by_role("textbox", name="Query").press("Control+Enter")
    expect(page.get_by_text("500 lines loaded")).to_be_visible()


def test_numbers_are_drawn_and_lines_are_exported(page, visit, tmp_path: Path):
    page = visit.go(
        "/logs?range=15m&q=" + quote('sum by (detected_level) (count_over_time({service_name="till"}[1m]))')
    )
    expect(page.get_by_role("img", name="2 series over time")).to_be_visible()
    page = visit.go("/logs?range=15m&q=" + quote('{service_name="till"} |= "timeout"'))
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="JSON").click()
    download.value.save_as(tmp_path / "logs.json")
    rows = json.loads((tmp_path / "logs.json").read_text())
    assert [row["level"] for row in rows] == ["error"] * 5
    assert rows[0]["labels"] == {"environment": "prod", "service_name": "till"}
