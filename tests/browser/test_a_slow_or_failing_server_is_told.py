"""What pages say while no answer comes and when a bad one does: never a blank, never an outline without a word."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Route, expect

from fixtures.soundness import serious

PATHS = (
    "/explore?q=up",
    "/logs?q=%7Bservice_name%3D~%22.%2B%22%7D",
    "/traces",
    "/traces/groups",
    "/traces/map",
    "/map",
    "/dashboards",
    "/investigations",
)
PROBLEM = {"title": "Unavailable", "status": 503, "detail": "the store does not answer", "hint": "look at its log"}


def is_of_page(url: str) -> bool:
    """Tell the questions of a page from those of the shell around it."""
    return "/api/" in url and not any(part in url for part in ("/session", "/events", "/status"))


def hold(route: Route) -> None:
    """Give no answer."""


def fail(route: Route) -> None:
    headers = {"content-type": "application/problem+json"}
    route.fulfill(status=503, body=json.dumps(PROBLEM), headers=headers)


@pytest.mark.parametrize("path", PATHS)
def test_who_waits_is_told_so(open_visit, path):
    visit = open_visit(is_quiet=False)
    page = visit.page
    page.route(is_of_page, hold)
    page.goto(visit.base + path)
    expect(page.locator("main").get_by_role("status").filter(has_text="Asking the server").first).to_be_visible()
    assert serious(page) == []


@pytest.mark.parametrize("path", PATHS)
def test_a_failure_says_why_and_what_to_do(open_visit, path):
    visit = open_visit(is_quiet=False)
    page = visit.page
    page.route(is_of_page, fail)
    page.goto(visit.base + path)
    alert = page.locator("main").get_by_role("alert").first
    expect(alert).to_contain_text("the store does not answer", ignore_case=True)
    again = page.locator("main").get_by_role("button", name="Try again").or_(page.get_by_role("button", name="Run"))
    expect(again.first).to_be_visible()
