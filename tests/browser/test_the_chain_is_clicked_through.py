"""From a point of a graph to who owns the cause, click by click; what was seen on the way is collected and kept."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from fixtures.soundness import is_wider_than_window, serious

TRACE = "7b8efff798038103d269b633813fc60c"
SPAN = "00000000000000b1"

SEND = """async ([trace, span]) => {
  const session = await (await fetch('/api/v1/session')).json();
  const headers = {'Content-Type': 'application/json', 'X-CSRF-Token': session.csrf_token};
  const at = BigInt(Date.now() - 300000) * 1000000n;
  const resource = {attributes: [{key: 'service.name', value: {stringValue: 'payments'}}]};
  const point = (back, count, exemplars) => ({
    startTimeUnixNano: String(at - 3600000000000n), timeUnixNano: String(at - BigInt(back) * 1000000000n),
    count: String(count), sum: count * 0.4, explicitBounds: [1], bucketCounts: [String(count), '0'], exemplars,
  });
  const exemplar = {traceId: trace, spanId: span, timeUnixNano: String(at), asDouble: 0.4};
  const calm = [...Array(20).keys()].map((n) => point((20 - n) * 15, n + 1, []));
  const dataPoints = [...calm, point(0, 40, [exemplar])];
  const histogram = {aggregationTemporality: 2, dataPoints};
  const metric = {name: 'charge_duration_seconds', histogram};
  const own = {
    traceId: trace, spanId: span, name: 'POST /charge', kind: 2,
    startTimeUnixNano: String(at), endTimeUnixNano: String(at + 400000000n), status: {code: 2, message: 'refused'},
  };
  const line = {
    timeUnixNano: String(at + 1000000n), severityText: 'ERROR', traceId: trace, spanId: span,
    body: {stringValue: 'the vault hung up'},
  };
  const bodies = {
    metrics: {resourceMetrics: [{resource, scopeMetrics: [{metrics: [metric]}]}]},
    traces: {resourceSpans: [{resource, scopeSpans: [{spans: [own]}]}]},
    logs: {resourceLogs: [{resource, scopeLogs: [{logRecords: [line]}]}]},
  };
  const sent = [];
  for (const [signal, body] of Object.entries(bodies))
    sent.push((await fetch(`/v1/${signal}`, {method: 'POST', headers, body: JSON.stringify(body)})).status);
  return sent;
}"""


def click_exemplar(page: Page, within: Page | Locator) -> None:
    """Move over the picture until the exemplar tells itself, and click there."""
    plot = within.locator("[data-pickable]")
    expect(plot).to_be_visible()
    area = plot.bounding_box()
    assert area is not None
    for place in range(12, int(area["height"]) - 24, 4):
        for column in range(-14, 15, 7):
            x = area["x"] + 60 + (area["width"] - 72) * 2 / 3 + column
            page.mouse.move(x, area["y"] + place)
            if page.get_by_text("Exemplar of").is_visible():
                page.mouse.click(x, area["y"] + place)
                return
    raise AssertionError("no exemplar was met")


def test_each_step_is_one_click(visit):
    page = visit.go("/")
    assert page.evaluate(SEND, [TRACE, SPAN]) == [200, 200, 200]
    visit.go("/explore?q=histogram_quantile(0.9, rate(charge_duration_seconds_bucket[1m]))&range=15m")
    page.get_by_role("button", name="Add to an investigation: this graph").click()
    page.get_by_role("menuitem", name="A new investigation").click()
    expect(page.get_by_text("Added to")).to_be_visible()
    click_exemplar(page, page)

    page.wait_for_url(re.compile(f"/traces/{TRACE}"))
    expect(page.get_by_role("heading", name="payments: POST /charge")).to_be_visible()
    expect(page.get_by_role("dialog")).to_contain_text("refused")
    page.get_by_role("link", name="Its logs").click()

    page.wait_for_url(re.compile("/logs"))
    page.get_by_text("the vault hung up").first.click()
    page.get_by_role("link", name="Service payments").click()

    page.wait_for_url(re.compile("/services/payments"))
    expect(page.get_by_text("owned by shop")).to_be_visible()
    page.get_by_role("link", name="What moved").click()

    page.wait_for_url(re.compile("/around"))
    expect(page.get_by_role("heading", name="Around a moment")).to_be_visible()
    expect(page.locator("main [aria-busy=true]")).to_have_count(0)


DASHBOARD = """async (expr) => {
  const session = await (await fetch('/api/v1/session')).json();
  const headers = {'Content-Type': 'application/json', 'X-CSRF-Token': session.csrf_token};
  const panels = [
    {id: 'a', kind: 'timeseries', title: 'Charges', height: 10, span: 12, queries: [{expr}]},
    {id: 'b', kind: 'timeseries', title: 'Wrong', queries: [{expr: 'sum('}]},
    {id: 'c', kind: 'timeseries', title: 'Half', queries: [{expr: 'vector(1)'}, {expr: 'sum('}]},
  ];
  const body = JSON.stringify({document: {title: 'Charges', rows: [{title: '', panels}]}, message: 'made'});
  return (await (await fetch('/api/v1/dashboards', {method: 'POST', headers, body})).json()).id;
}"""


def test_a_panel_leads_to_the_trace_of_an_exemplar_and_marks_what_failed(open_visit):
    visit = open_visit(is_quiet=False)
    page = visit.go("/")
    assert page.evaluate(SEND, [TRACE, SPAN]) == [200, 200, 200]
    made = page.evaluate(DASHBOARD, "histogram_quantile(0.9, rate(charge_duration_seconds_bucket[1m]))")
    visit.go(f"/dashboards/{made}?range=15m")
    wrong = page.get_by_role("region", name="Wrong")
    expect(wrong.get_by_role("alert")).to_contain_text("parse error")
    expect(wrong.get_by_role("button", name="Try again")).to_be_visible()
    half = page.get_by_role("region", name="Half")
    expect(half.locator("canvas")).to_be_visible()
    expect(half.get_by_role("img", name=re.compile("Not all queries were answered"))).to_be_visible()
    assert not any("query_exemplars" in complaint for complaint in visit.complaints)
    click_exemplar(page, page.get_by_role("region", name="Charges"))
    page.wait_for_url(re.compile(f"/traces/{TRACE}"))
    expect(page.get_by_role("heading", name="payments: POST /charge")).to_be_visible()


def test_what_was_collected_is_read_and_written_on(visit):
    page = visit.go("/")
    assert page.evaluate(SEND, [TRACE, SPAN]) == [200, 200, 200]
    visit.go(f"/traces/{TRACE}")
    page.get_by_role("button", name="Add to an investigation: this trace").click()
    page.get_by_role("menuitem", name="A new investigation").click()
    page.get_by_role("link", name=re.compile("^Investigation of")).click()
    expect(page.get_by_role("article", name="payments: POST /charge")).to_contain_text("1 span, 1 failed")
    page.get_by_role("button", name="Add a note").click()
    page.get_by_role("textbox", name="Note").fill("It was the **vault**. <b>no tag</b>")
    page.get_by_role("button", name="Save").click()
    note = page.get_by_role("article", name="Note")
    expect(note.locator("strong")).to_have_text("vault")
    expect(note).to_contain_text("<b>no tag</b>")
    assert serious(page) == []
    assert not is_wider_than_window(page)


def test_a_search_is_saved_and_opened_again(visit):
    page = visit.go('/logs?q={service_name="payments"} |= "vault"')
    page.get_by_role("button", name="Saved").click()
    page.get_by_role("menuitem", name="Save this search").click()
    page.get_by_role("textbox", name="Name").fill("Vault lines")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    visit.go("/saved")
    page.get_by_role("link", name="Vault lines").click()
    page.wait_for_url(re.compile("/logs"))
    assert "vault" in page.url


def test_a_point_of_a_graph_leads_around_its_moment(visit):
    page = visit.go("/")
    assert page.evaluate(SEND, [TRACE, SPAN]) == [200, 200, 200]
    visit.go("/explore?q=charge_duration_seconds_count&range=15m&exemplars=0")
    plot = page.locator("[data-pickable]").bounding_box()
    assert plot is not None
    page.mouse.move(plot["x"] + plot["width"] * 0.6, plot["y"] + 150)
    page.mouse.click(plot["x"] + plot["width"] * 0.6, plot["y"] + 150)
    page.wait_for_url(re.compile(r"/around\?service=payments&at="))
    expect(page.locator("main [aria-busy=true]")).to_have_count(0)
