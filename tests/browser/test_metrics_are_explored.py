"""Explore, on the host's own metrics: queries are completed and drawn, errors stand where they are, links carry all."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, quote, urlsplit

from playwright.sync_api import Page, expect

# Series are known a moment before their samples; a graph ends on a whole step, so these must be older than one.
HAS_METRICS = """async () => {
  const answer = await fetch('/prometheus/api/v1/query?query=holdfast_host_load+offset+15s');
  return (await answer.json()).data.result.length === 3;
}"""

SEND_HISTOGRAMS = """async () => {
  const session = await (await fetch('/api/v1/session')).json();
  const now = Math.floor(Date.now() / 1000);
  const dataPoints = [...Array(10).keys()].map((at) => ({
    startTimeUnixNano: `${now - 600}000000000`, timeUnixNano: `${now - 60 * (9 - at)}000000000`,
    count: `${30 * (at + 1)}`, sum: 40 * (at + 1), scale: 0, zeroCount: '0',
    positive: {offset: 0, bucketCounts: [`${20 * (at + 1)}`, `${10 * (at + 1)}`]},
  }));
  const metric = {name: 'errand_wait', unit: 's', exponentialHistogram: {aggregationTemporality: 2, dataPoints}};
  const resource = {attributes: [{key: 'service.name', value: {stringValue: 'errands'}}]};
  const body = JSON.stringify({resourceMetrics: [{resource, scopeMetrics: [{metrics: [metric]}]}]});
  const headers = {'Content-Type': 'application/json', 'X-CSRF-Token': session.csrf_token};
  return (await fetch('/v1/metrics', {method: 'POST', headers, body})).status;
}"""


def open_with_metrics(visit, path: str) -> Page:
    """Open a path once the first samples of the host are there."""
    visit.go("/")
    visit.wait_until(HAS_METRICS)
    return visit.go(path)


def test_a_query_is_completed_run_and_drawn_by_keys_alone(visit):
    page = open_with_metrics(visit, "/explore")
    page.get_by_role("textbox", name="Query A").wait_for()
    page.keyboard.press("e")
    expect(page.get_by_role("textbox", name="Query A")).to_be_focused()
    page.keyboard.type("holdfast_host_loa", delay=20)
    page.get_by_role("option", name=re.compile("holdfast_host_load")).wait_for()
    page.keyboard.press("Tab")
    expect(page.get_by_role("textbox", name="Query A")).to_have_text("holdfast_host_load")
    page.keyboard.press("Control+Enter")
    legend = page.get_by_role("region", name="Legend")
    expect(legend.locator("tbody").get_by_role("button")).to_have_count(3)
    expect(page.locator("main canvas")).to_be_visible()
    expect(page.get_by_text(re.compile(r"3 series · \d+ samples? read"))).to_be_visible()
    assert parse_qs(urlsplit(page.url).query)["q"] == ["holdfast_host_load"]
    page.get_by_role("application").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("status").filter(has_text="UTC:")).to_have_count(1)
    page.keyboard.press("e")
    page.keyboard.press("End")
    page.keyboard.type(" + holdfast_host_loa", delay=20)
    page.get_by_role("option", name=re.compile("holdfast_host_load")).wait_for()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("option")).to_have_count(0)  # they would lie over the answer


def test_one_curve_is_shown_alone(visit):
    page = open_with_metrics(visit, "/explore?q=holdfast_host_load")
    legend = page.get_by_role("region", name="Legend")
    legend.locator("tbody").get_by_role("button").first.click()
    expect(legend).to_contain_text("1 of 3 shown")
    legend.locator("tbody").get_by_role("button").first.click()
    expect(legend).not_to_contain_text("shown")


def test_an_error_stands_at_its_place(open_visit):
    visit = open_visit(is_quiet=False)
    page = visit.go("/explore?q=sum(rate(up[5m)")
    expect(page.get_by_role("alert")).to_contain_text("Error at column 15")
    marked = page.locator(".cm-lintRange-error")
    expect(marked).to_have_text(")")
    assert "query_range" in "".join(visit.complaints)
    assert "query_exemplars" not in "".join(visit.complaints)  # what cannot be read is not asked a second time


def test_an_error_of_the_whole_query_marks_nothing_in_it(open_visit):
    visit = open_visit(is_quiet=False)
    many = quote("holdfast_host_load * on (host) holdfast_host_load")
    page = open_with_metrics(visit, f"/explore?q={many}&q=rate(holdfast_host_load[1m])")
    expect(page.get_by_role("alert")).to_contain_text("found duplicate series")
    expect(page.locator(".cm-lintRange-info")).to_have_text("holdfast_host_load")
    expect(page.locator(".cm-lintRange-error")).to_have_count(0)


def test_the_address_holds_queries_view_and_options(visit):
    page = open_with_metrics(visit, "/explore?q=vector(1)&q=holdfast_host_load")
    page.get_by_text("Compare with last week").click()
    page.get_by_role("button", name="Hide query A").click()
    page.get_by_text("Table", exact=True).click()
    expect(page.locator("main tbody tr")).to_have_count(3)
    asked = parse_qs(urlsplit(page.url).query)
    assert asked == {"q": ["vector(1)", "holdfast_host_load"], "compare": ["1w"], "hide": ["0"], "view": ["table"]}
    page.reload()
    expect(page.locator("main tbody tr")).to_have_count(3)


def test_metrics_are_browsed_and_chosen(visit):
    page = open_with_metrics(visit, "/explore")
    page.keyboard.press("b")
    page.get_by_label("Search metrics").fill("host_load")
    page.get_by_role("dialog").get_by_role("button", name=re.compile("holdfast_host_load")).click()
    expect(page.get_by_role("textbox", name="Query A")).to_have_text("holdfast_host_load")
    expect(page.get_by_role("region", name="Legend").locator("tbody").get_by_role("button")).to_have_count(3)


def test_a_name_that_is_nowhere_is_told(visit):
    page = open_with_metrics(visit, "/explore")
    page.keyboard.press("b")
    page.get_by_label("Search metrics").fill("nothing of this name")
    expect(page.get_by_role("heading", name="No metric matches")).to_be_visible()


def test_queries_that_are_all_hidden_come_back(visit):
    page = visit.go("/explore?q=vector(1)&hide=0")
    expect(page.get_by_role("heading", name="Every query is hidden")).to_be_visible()
    expect(page.get_by_text("Begin with")).to_have_count(0)
    page.get_by_role("button", name="Show them").click()
    expect(page.locator("main canvas")).to_be_visible()
    page.get_by_text("Heat map", exact=True).click()
    page.get_by_text("Events", exact=True).last.click()
    expect(page).to_have_url(re.compile("marks=0"))


def test_letters_in_the_editor_are_letters_and_not_shortcuts(visit):
    page = visit.go("/explore")
    page.get_by_role("textbox", name="Query A").click()
    page.keyboard.type("g o b ? j")
    expect(page.get_by_role("textbox", name="Query A")).to_have_text("g o b ? j")
    assert urlsplit(page.url).path == "/explore"
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_native_histogram_is_a_heat_map_that_zooms(visit):
    page = visit.go("/explore")
    assert page.evaluate(SEND_HISTOGRAMS) == 200
    page = visit.go("/explore?q=rate(errand_wait_seconds[2m])&view=heat&range=15m")
    heat = page.get_by_role("img", name="2 buckets over time")
    expect(heat).to_be_visible()
    full, half = heat.locator("rect[fill-opacity='1']"), heat.locator("rect")
    assert full.count() > 0
    assert half.count() >= 2 * full.count()
    expect(half.first).to_have_attribute("data-tip", re.compile(r"1 s to 2 s: 0\.\d"))
    box = heat.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 20, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile("from=.*to="))


def test_cumulated_buckets_say_what_to_write(visit):
    page = visit.go("/explore")
    assert page.evaluate(SEND_HISTOGRAMS) == 200
    page = visit.go("/explore?q=errand_wait_seconds&view=heat&range=15m")
    expect(page.locator("main")).to_contain_text("rate(…) or increase(…) shows what came when")


def test_the_end_of_an_address_is_seen_on_a_phone(open_visit):
    visit = open_visit(width=390)
    long = "payments-7d9c6b5f8-node2x1.prod.eu-central-1.internal:700"
    texts = [f'label_replace(vector(1), "instance", "{long}{one}", "", "")' for one in (1, 2)]
    page = visit.go(f"/explore?q={quote(' or '.join(texts))}")
    key = page.get_by_role("region", name="Legend").locator("tbody button .truncate").first
    key.wait_for()
    assert key.evaluate("one => one.scrollWidth <= one.clientWidth")
    assert key.evaluate("one => getComputedStyle(one).fontVariantLigatures") == "no-contextual"  # no sign for its x
    texts = [f'label_replace(vector(1), "instance", "127.0.0.1:700{one}", "", "")' for one in (1, 2)]
    page = visit.go(f"/explore?view=table&q={quote(' or '.join(texts))}")
    cell = page.get_by_role("cell", name="127.0.0.1:7001")
    cell.wait_for()
    assert cell.evaluate("one => one.scrollWidth <= one.clientWidth")
