"""Everything that matters is reached without a mouse."""

from __future__ import annotations

import re

from playwright.sync_api import expect


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def test_a_check_is_found_opened_and_run_with_keys_alone(visit):
    page = visit.go("/")
    press(page, "g", "c")
    expect(page).to_have_url(re.compile("/checks$"))
    page.get_by_role("heading", name="Checks").wait_for()
    expect(page.locator("main tbody tr")).to_have_count(4)
    press(page, "/")
    page.keyboard.type("ware")
    expect(page.locator("main tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile("q=ware"))
    page.locator("input[data-filter]").evaluate("input => input.blur()")
    press(page, "j", "Enter")
    expect(page).to_have_url(re.compile("/checks/warehouse-ready"))
    page.get_by_role("button", name="Run now").wait_for()
    press(page, "r")
    expect(page.get_by_text(re.compile("warehouse-ready is up"))).to_be_visible()


def test_rows_are_walked_up_and_down(visit):
    page = visit.go("/checks")
    expect(page.locator("main tbody tr")).to_have_count(4)
    names = page.locator("main tbody tr").evaluate_all("rows => rows.map(row => row.dataset.key)")
    press(page, "j", "j", "j", "k")
    assert page.evaluate("document.activeElement.textContent") == names[1]


def test_the_palette_finds_a_service_by_part_of_its_name(visit):
    page = visit.go("/events")
    press(page, "Control+k")
    page.get_by_placeholder(re.compile("Go to a service")).wait_for()
    page.keyboard.type("ateway")
    press(page, "Enter")
    expect(page).to_have_url(re.compile("/services/gateway"))


def test_the_palette_switches_to_dark(visit):
    page = visit.go("/")
    press(page, "Control+k")
    page.get_by_placeholder(re.compile("Go to a service")).wait_for()
    page.keyboard.type("switch to dark")
    expect(page.get_by_role("option", name="Switch to dark", selected=True)).to_be_visible()
    press(page, "Enter")
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")


def test_the_question_mark_lists_all_keys(visit):
    page = visit.go("/")
    press(page, "?")
    expect(page.get_by_role("dialog")).to_contain_text("Next row")
    press(page, "Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_tab_reaches_the_content_first(visit):
    page = visit.go("/")
    press(page, "Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    press(page, "Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_time_range_goes_with_every_link(visit):
    page = visit.go("/checks/orders-ready?range=6h")
    expect(page.get_by_role("button", name=re.compile("Time range: *Last 6 hours"))).to_be_visible()
    press(page, "g", "h")
    expect(page).to_have_url(re.compile(r"/host\?range=6h"))
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Checks").click()
    expect(page).to_have_url(re.compile(r"/checks\?range=6h"))


def test_a_dialog_from_a_menu_gives_the_focus_back_to_the_button_of_the_menu(visit):
    page = visit.go("/explore?q=vector(1)")
    button = page.get_by_role("button", name="Saved")
    button.focus()
    press(page, "Enter")
    page.get_by_role("menuitem", name="Save this search").focus()
    press(page, "Enter")
    page.get_by_role("dialog").wait_for()
    press(page, "Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    expect(button).to_be_focused()
