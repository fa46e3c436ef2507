"""Traces in the browser: spans that a program sends are drawn as far as they are seen, for everybody."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from fixtures.soundness import is_wider_than_window, serious

TRACE = "5b8efff798038103d269b633813fc60c"
LONG = "5b8efff798038103d269b633813fc60d"

SEND = """async ([trace, calls]) => {
  const session = await (await fetch('/api/v1/session')).json();
  const began = BigInt(Date.now() - 5000) * 1000000n;
  const span = (id, parent, name, fromMs, tookMs, more = {}) => ({
    traceId: trace, spanId: id.toString(16).padStart(16, '0'), name, kind: 2,
    ...(parent ? {parentSpanId: parent.toString(16).padStart(16, '0')} : {}),
    startTimeUnixNano: String(began + BigInt(Math.round(fromMs * 1000)) * 1000n),
    endTimeUnixNano: String(began + BigInt(Math.round((fromMs + tookMs) * 1000)) * 1000n), ...more,
  });
  const failed = {
    status: {code: 2, message: 'the bank hung up'},
    attributes: [{key: 'http.response.status_code', value: {intValue: '502'}}],
    events: [{timeUnixNano: String(began + 200000000n), name: 'retry'}],
  };
  const own = (name, spans) => ({
    resource: {attributes: [{key: 'service.name', value: {stringValue: name}}]}, scopeSpans: [{spans}],
  });
  const many = [...Array(calls).keys()].map((at) => span(100 + at, 2, 'SELECT price', 20 + at * 0.01, 0.009));
  const body = JSON.stringify({resourceSpans: [
    own('till', [span(1, 0, 'POST /pay', 0, 400)]),
    own('bank', [span(2, 1, 'POST /charge', 10, 300, failed), ...many]),
  ]});
  const headers = {'Content-Type': 'application/json', 'X-CSRF-Token': session.csrf_token};
  const sent = await fetch('/v1/traces', {method: 'POST', headers, body});
  const log = {
    timeUnixNano: String(began + 100000000n), severityText: 'WARN', severityNumber: 13, traceId: trace,
    spanId: '0000000000000002', body: {stringValue: 'the bank answers slowly'},
  };
  const resource = {attributes: [{key: 'service.name', value: {stringValue: 'bank'}}]};
  const lines = JSON.stringify({resourceLogs: [{resource, scopeLogs: [{logRecords: [log]}]}]});
  return [sent.status, (await fetch('/v1/logs', {method: 'POST', headers, body: lines})).status];
}"""


def send(page: Page, trace: str, calls: int = 3) -> None:
    assert page.evaluate(SEND, [trace, calls]) == [200, 200]


def test_of_many_spans_only_those_in_sight_are_in_the_page(visit):
    page = visit.go("/")
    send(page, LONG, calls=5000)
    visit.go(f"/traces/{LONG}")
    tree = page.get_by_role("tree", name="Spans")
    expect(page.get_by_text("5,002 spans").first).to_be_visible()
    assert tree.get_by_role("treeitem").count() < 100
    tree.focus()
    page.keyboard.press("End")
    expect(page.locator("#span-5001")).to_be_visible()
    assert tree.get_by_role("treeitem").count() < 100


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])  # each width and each scheme once
def test_a_trace_fits_and_shuts_nobody_out(open_visit, scheme, width):
    visit = open_visit(scheme=scheme, width=width, reduced_motion="reduce")
    send(visit.go("/"), TRACE)
    for path in (
        "/traces",
        f"/traces/{TRACE}",
        f"/traces/{TRACE}?view=flame",
        f"/traces/{TRACE}?span=0000000000000002",
        "/traces/groups",
        "/traces/groups?of=slow&min=100ms",
        "/traces/compare",
        "/traces/compare?service=till&status=error",
        "/traces/compare?service=bank&operation=SELECT+price&with=other&b.service=bank&b.spans=server",
        "/traces/map",
        "/traces/map?edge=service:till>service:bank",
    ):
        page = visit.go(path)
        assert not is_wider_than_window(page), path
        assert serious(page) == [], path


def test_a_part_of_the_durations_is_chosen_and_compared(visit):
    page = visit.go("/")
    send(page, TRACE, calls=40)
    visit.go("/traces?service=bank")
    chart = page.get_by_role("group", name="spans,")
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 2, box["y"] + 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + box["height"] / 3, steps=4)
    page.mouse.up()
    expect(page.get_by_text("Chosen:")).to_be_visible()
    page.get_by_role("link", name="Compare with the rest").click()
    expect(page.get_by_role("heading", name="Compare traces")).to_be_visible()
    expect(page.get_by_text("There is nothing to compare with")).to_be_visible()  # all spans are of one trace


def test_an_edge_of_the_map_leads_to_its_traces(visit):
    page = visit.go("/")
    send(page, TRACE)
    visit.go("/traces/map")
    page.get_by_role("button", name="till to bank").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Failing").or_(dialog.get_by_text("Fine"))).to_be_visible()
    dialog.get_by_role("link", name="Its traces").click()
    expect(page.get_by_role("link", name="POST /pay").first).to_be_visible()
