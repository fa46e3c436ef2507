"""A service breaks and heals; whoever looks at the console sees it at once, and nothing jumps under their hands."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect


def row(page: Any, name: str) -> Any:
    return page.locator(f"tr[data-key={name}]")


def order(page: Any) -> list[str]:
    keys: list[str] = page.locator("main tbody tr").evaluate_all("rows => rows.map(row => row.dataset.key)")
    return keys


def all_up(page: Any) -> None:
    expect(page.locator("tr[data-health=up]")).to_have_count(4, timeout=20_000)


def test_a_failing_service_turns_red_live_and_leads_to_its_check(visit, estate):
    page = visit.go("/")
    all_up(page)
    page.evaluate("window.neverReloaded = true")
    estate.broken.add("payments")
    failing = row(page, "payments")
    expect(failing).to_have_attribute("data-health", "down", timeout=15_000)
    expect(failing).to_contain_text("Down")
    expect(failing).to_contain_text("503")
    assert order(page)[0] == "payments"
    expect(page.locator("ol")).to_contain_text(re.compile("payments *is down.*503", re.DOTALL))
    expect(page).to_have_title(re.compile(r"^\(1 down\)"))
    assert page.evaluate("window.neverReloaded") is True

    failing.get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Down")
    page.get_by_role("table").get_by_role("link", name="payments-ready").click()
    expect(page).to_have_url(re.compile("/checks/payments-ready"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Down")
    page.get_by_text("Failures", exact=True).click()
    expect(page.locator("main tbody tr").first).to_contain_text("503")

    estate.heal()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Up", timeout=20_000)


def test_the_order_waits_while_somebody_points_at_the_list(visit, estate):
    page = visit.go("/")
    all_up(page)
    before = order(page)
    row(page, "gateway").hover()
    estate.broken.add("warehouse")
    expect(row(page, "warehouse")).to_have_attribute("data-health", "down", timeout=15_000)
    assert order(page) == before
    page.mouse.move(5, 5)
    expect(page.locator("main tbody tr").first).to_have_attribute("data-key", "warehouse")


def test_new_events_wait_above_while_somebody_reads(visit, estate):
    page = visit.go("/events?range=24h")
    page.get_by_role("button", name="Pause").click()
    top = page.locator("main li").first.inner_text()
    estate.broken.add("orders")
    fresh = page.get_by_role("button", name=re.compile("new event"))
    expect(fresh).to_be_visible(timeout=15_000)
    assert page.locator("main li").first.inner_text().splitlines()[1:2] == top.splitlines()[1:2]
    fresh.click()
    expect(page.locator("main ol").first).to_contain_text("orders")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()


@pytest.mark.slow
def test_a_lost_server_makes_the_page_stale_and_its_return_makes_it_live(open_visit, server):
    visit = open_visit(is_quiet=False)
    page = visit.go("/")
    mark = page.get_by_role("status")
    expect(mark).to_have_text("Live")
    server.stop()
    try:
        expect(mark).to_have_text(re.compile("Reconnecting|Stale"), timeout=10_000)
        expect(page.get_by_role("alert")).to_contain_text("may be out of date", timeout=20_000)
        expect(row(page, "payments")).to_be_visible()
    finally:
        server.start()
    expect(mark).to_have_text("Live", timeout=30_000)
    expect(page.get_by_role("alert")).to_have_count(0)
