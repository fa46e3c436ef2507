"""Who keeps and reads how much, what the store is made of, and what is scrubbed, as the console shows it."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from fixtures.soundness import is_wider_than_window

PUSH = """async (lines) => {
  const session = await (await fetch('/api/v1/session')).json();
  const now = BigInt(Date.now()) * 1000000n;
  const values = lines.map((line, at) => [`${now - BigInt(at) * 1000000n}`, line]);
  const headers = {'Content-Type': 'application/json', 'X-CSRF-Token': session.csrf_token};
  const body = JSON.stringify({streams: [{stream: {service_name: 'ledger', env: 'prod'}, values}]});
  const status = (await fetch('/loki/api/v1/push', {method: 'POST', headers, body})).status;
  await fetch('/loki/api/v1/query_range?query=' + encodeURIComponent('{service_name="ledger"}'));
  return status;
}"""

NAMELESS = """async () => {
  const session = await (await fetch('/api/v1/session')).json();
  const headers = {'Content-Type': 'application/json', 'X-CSRF-Token': session.csrf_token};
  const spans = [{traceId: '00', spanId: '00', name: 'x'}];
  const body = JSON.stringify({resourceSpans: [{scopeSpans: [{spans}]}]});
  return (await fetch('/v1/traces', {method: 'POST', headers, body})).status;
}"""


@pytest.fixture
def page(visit) -> Page:
    """A window, with lines of the ledger that were read once."""
    page: Page = visit.go("/")
    assert page.evaluate(PUSH, ["booked for ann@example.org", "x" * 5000]) == 204
    return page


def whole(page: Page, name: str) -> Locator:
    """Give a table with all its rows: who else has sent to this server is not known."""
    table = page.get_by_role("region", name=name)
    expect(table.get_by_role("row").nth(1)).to_be_visible()
    folded = page.get_by_role("button", name=re.compile(r"^Show all \d"))
    for _ in range(folded.count()):
        folded.first.click()
    return table


def test_who_keeps_and_who_reads(page, visit):
    page = visit.go("/usage")
    row = whole(page, "Kept by services").get_by_role("row", name=re.compile("^ledger"))
    expect(row).to_be_visible()
    expect(page.get_by_role("region", name="Limits").get_by_role("row", name=re.compile("Log streams"))).to_be_visible()
    expect(page.get_by_role("columnheader", name="User or token")).to_be_visible()
    row.get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/logs\?.*q="))


def test_what_came_in_by_the_hour_and_what_was_left_out_with_what_to_do(page, visit):
    assert page.evaluate(NAMELESS) == 200
    page = visit.go("/usage?days=1")
    senders = whole(page, "Services that sent it")
    expect(senders.get_by_role("row", name=re.compile("^ledger logs"))).to_be_visible()
    expect(page.get_by_role("list", name="logs by time").get_by_role("listitem")).to_have_count(24)
    left_out = page.get_by_role("list", name="Left out").get_by_role("listitem")
    reason = left_out.filter(has_text="invalid ids traces")
    expect(reason).to_contain_text("Update the sender's library")
    page.get_by_role("combobox", name="Reason").click()
    page.get_by_role("option", name="invalid ids").click()
    expect(page).to_have_url(re.compile("reason=invalid_ids"))
    expect(left_out).to_have_count(1)
    expect(page.get_by_role("region", name="Kept by services")).to_have_count(0)
    page.get_by_role("button", name="Show all", exact=True).click()  # another one shows all of many services
    expect(page).not_to_have_url(re.compile("reason="))
    expect(page.get_by_role("region", name="Kept by services")).to_be_visible()


def test_the_tables_of_the_store_and_how_long_they_are_kept(page, visit):
    page = visit.go("/usage/storage")
    expect(
        page.get_by_role("region", name="Tables").get_by_role("row", name=re.compile("^log_records"))
    ).to_be_visible()
    expect(page.get_by_role("region", name="Retention")).to_contain_text("telemetry.retention")
    expect(page.get_by_text("Disk free")).to_be_visible()


def test_a_phone_shows_how_long_what_is_kept(open_visit):
    page = open_visit(width=390).go("/usage/storage")
    kept = page.get_by_role("region", name="Retention").get_by_role("columnheader", name="Kept for").bounding_box()
    assert kept is not None
    assert kept["x"] + kept["width"] <= 390
    assert not is_wider_than_window(page)


def test_what_was_scrubbed_and_a_trial(page, visit):
    page = visit.go("/usage/scrubbing")
    kinds = page.get_by_role("region", name="Kinds")
    expect(kinds.get_by_role("row", name=re.compile("^email"))).to_contain_text("loki_push")
    page.get_by_label("Lines as they come").fill("card 4111 1111 1111 1111\nnothing here")
    page.get_by_role("button", name="Scrub").click()
    expect(page.get_by_text("card [card]")).to_be_visible()
    expect(page.get_by_text("nothing found")).to_be_visible()


def test_a_server_that_does_not_answer_is_told(open_visit):
    page = open_visit(is_quiet=False).go("/usage/scrubbing")
    problem = {"title": "Unavailable", "status": 503, "detail": "the store does not answer", "hint": "look at its log"}
    headers = {"content-type": "application/problem+json"}
    page.route("**/api/v1/storage", lambda route: route.fulfill(status=503, body=json.dumps(problem), headers=headers))
    page.get_by_role("link", name="Storage", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("The store does not answer")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
