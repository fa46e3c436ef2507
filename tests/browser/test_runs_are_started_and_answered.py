"""Runs from the console: started with a form, approved, seen to succeed live; failed and huge ones open too."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect

PATIENCE = 30_000


def start(visit: Any, workflow: str) -> Any:
    page = visit.go("/runs")
    page.keyboard.press("n")
    drawer = page.get_by_role("dialog")
    drawer.get_by_role("combobox", name="Workflow", exact=True).fill(workflow)
    page.get_by_role("option", name=workflow).click()
    return page


def heading(page: Any) -> Any:
    return page.get_by_role("heading", level=1)


def test_a_run_is_started_approved_and_seen_to_succeed(visit):
    page = start(visit, "errand.refund")
    page.get_by_role("textbox", name="Order").fill("A-17")
    page.get_by_role("button", name="Start run").click()
    expect(heading(page)).to_contain_text("Waiting", timeout=PATIENCE)
    page.evaluate("window.neverReloaded = true")
    page.keyboard.press("a")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("switch", name="Is granted").check()
    dialog.get_by_role("button", name="Send").click()
    expect(heading(page)).to_contain_text("Succeeded", timeout=PATIENCE)
    assert page.evaluate("window.neverReloaded") is True
    expect(page.get_by_text("A-17 is paid back")).to_be_visible()

    page.get_by_role("button", name="approve").click()
    expect(page.get_by_role("dialog")).to_contain_text(re.compile("Sent by *ada"))
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Graph").click()
    expect(page.get_by_role("application", name="Graph of steps")).to_contain_text("pay-back")
    page.get_by_role("tab", name="Log").click()
    expect(page.get_by_role("log")).to_contain_text("looking for A-17")
    page.keyboard.press("g")
    page.keyboard.press("r")
    expect(page.locator("main tbody tr", has_text="errand.refund").first).to_contain_text("Succeeded")


def test_a_failed_run_says_where_and_why_and_is_retried(visit):
    page = start(visit, "errand.refund")
    page.get_by_role("textbox", name="Order").fill("lost")
    page.get_by_role("button", name="Start run").click()
    expect(heading(page)).to_contain_text("Failed", timeout=PATIENCE)
    expect(page.locator("main")).to_contain_text("there is no order lost")
    page.get_by_role("button", name="look", exact=True).first.click()
    page.get_by_role("dialog").get_by_text("Traceback", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("in look")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Retry").click()
    page.get_by_role("dialog").get_by_role("button", name="Retry").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page = visit.go("/events")
    told = re.compile("errand.refund *goes on after a failure *by ada")
    expect(page.locator("main")).to_contain_text(told, timeout=PATIENCE)


def test_a_fan_out_of_ten_thousand_items_opens(visit):
    page = start(visit, "errand.many")
    page.get_by_label("Input as JSON").fill("10000")
    page.get_by_role("button", name="Start run").click()
    expect(heading(page)).to_contain_text("Succeeded", timeout=2 * PATIENCE)
    page.get_by_role("button", name="Open the items of post").click()
    expect(page.get_by_role("button", name="[3]", exact=True)).to_be_visible()
    area = page.get_by_role("region", name="Timeline of steps")
    area.evaluate("area => { area.scrollTop = area.scrollHeight }")
    expect(page.get_by_role("button", name=re.compile(r"^\[4\d\d\]$")).first).to_be_visible()
    assert page.get_by_role("listitem").count() < 100


def test_a_queue_is_paused_and_resumed(visit):
    page = visit.go("/runs/queues")
    row = page.locator("tr[data-key=errands]")
    row.get_by_role("button", name="Actions for errands").click()
    page.get_by_role("menuitem", name="Pause").click()
    page.get_by_role("button", name="Pause the queue").click()
    expect(row).to_contain_text(re.compile("Paused.*by ada"))
    row.get_by_role("button", name="Resume").click()
    expect(row).to_contain_text("Open")
