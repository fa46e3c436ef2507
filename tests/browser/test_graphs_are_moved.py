"""Graphs of boxes and arrows: all of one is in sight at first, whatever the window, and it is moved by keys, too."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

SEND = """async (names) => {
  const session = await (await fetch('/api/v1/session')).json();
  const began = BigInt(Date.now() - 5000) * 1000000n;
  const id = (at) => (at + 1).toString(16).padStart(16, '0');
  const resourceSpans = names.map((name, at) => ({
    resource: {attributes: [{key: 'service.name', value: {stringValue: name}}]},
    scopeSpans: [{spans: [2, 3].filter((kind) => kind === 2 || at + 1 < names.length).map((kind) => ({
      traceId: names.length.toString(16).padStart(2, '0').repeat(16),
      spanId: id(at * 2 + kind - 2), kind, name: 'GET /',
      ...(kind === 3 ? {parentSpanId: id(at * 2)} : at > 0 ? {parentSpanId: id(at * 2 - 1)} : {}),
      startTimeUnixNano: `${began + BigInt(at) * 1000000n}`, endTimeUnixNano: `${began + BigInt(90 - at) * 1000000n}`,
    }))}],
  }));
  const headers = {'Content-Type': 'application/json', 'X-CSRF-Token': session.csrf_token};
  return (await fetch('/v1/traces', {method: 'POST', headers, body: JSON.stringify({resourceSpans})})).status;
}"""
NAMES = ["counter", "a-name-that-is-much-too-long-for-the-box-that-it-stands-in", "kitchen", "cellar", "vineyard"]
HIDDEN = """() => {
  const frame = document.querySelector('main .react-flow').getBoundingClientRect();
  return [...document.querySelectorAll('main .react-flow__node')].filter((node) => {
    const box = node.getBoundingClientRect();
    return box.left < frame.left || box.right > frame.right || box.top < frame.top || box.bottom > frame.bottom;
  }).length;
}"""


def left_of(page: Page) -> float:
    """Tell where the first box begins."""
    box = page.locator("main .react-flow__node").first.bounding_box()
    assert box is not None
    return box["x"]


@pytest.mark.parametrize("width", [1440, 390])
def test_all_of_a_graph_is_in_sight(open_visit, width):
    visit = open_visit(width=width)
    assert visit.go("/").evaluate(SEND, NAMES) == 200
    for path, least in (("/map", 2), ("/traces/map?of=service%3Akitchen", 3)):
        page = visit.go(path)
        expect(page.locator("main .react-flow__node").nth(least - 1)).to_be_visible()
        visit.wait_until(f"() => ({HIDDEN})() === 0", within_s=5)


def test_a_crowded_map_is_read_around_one_node_on_a_phone(open_visit):
    visit = open_visit(width=390)
    names = [f"stall-{place:02}" for place in range(1, 30)]
    assert visit.go("/").evaluate(SEND, names) == 200
    page = visit.go("/traces/map")
    expect(page.get_by_text("has no room here")).to_be_visible()
    expect(page.locator("main .react-flow__node")).to_have_count(0)
    page.get_by_label("Around").first.fill("stall-07")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    section = page.locator("main section")
    expect(section.filter(has_text="Who calls stall-07").locator("tbody tr")).to_have_text([re.compile("stall-06")])
    expect(section.filter(has_text="Whom stall-07 calls").locator("tbody tr")).to_have_text([re.compile("stall-08")])
    expect(page.locator("main .react-flow__node a")).to_have_count(3)
    expect(page).to_have_url(re.compile("of=service%3Astall-07"))
    page.get_by_role("button", name="stall-08").click()
    page.get_by_role("link", name="Map around stall-08").click()
    expect(section.filter(has_text="Whom stall-08 calls")).to_contain_text("stall-09")


def test_a_map_says_the_same_in_words(open_visit):
    page = open_visit(width=390).go("/map")
    gateway = page.locator("main li").filter(has=page.get_by_role("link", name="Gateway", exact=True))
    expect(gateway).to_contain_text("depends on Orders")
    gateway.get_by_role("link").click()
    expect(page).to_have_url(re.compile("/services/gateway"))


def test_a_graph_is_moved_by_keys_and_seen_whole_again(visit):
    page = visit.go("/map")
    graph = page.get_by_role("application", name="Map of services")
    visit.wait_until(f"() => ({HIDDEN})() === 0", within_s=5)
    began = left_of(page)
    graph.focus()
    page.keyboard.press("ArrowRight")
    visit.wait_until(f"() => document.querySelector('main .react-flow__node').getBoundingClientRect().x < {began - 40}")
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    visit.wait_until(f"() => ({HIDDEN})() > 0")
    page.keyboard.press("Tab")  # whoever reaches a box by Tab sees it
    focused = page.locator("main .react-flow__node :focus")
    expect(focused).to_be_in_viewport()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("0")
    visit.wait_until(f"() => ({HIDDEN})() === 0")
