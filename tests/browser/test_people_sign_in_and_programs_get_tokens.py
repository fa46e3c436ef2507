"""Signing in and out, and tokens whose secret is shown once."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from fixtures.consoles import NAME, PASSWORD, call


def fill(page, name, password):
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.keyboard.press("Enter")


def test_a_deep_link_survives_signing_in(open_visit):
    page = open_visit(state=None, is_quiet=False).page
    page.goto(open_visit(state=None, is_quiet=False).base + "/checks?range=24h&q=pay")
    expect(page).to_have_url(re.compile("/login"))
    fill(page, NAME, "wrong password")
    expect(page.get_by_role("alert")).to_contain_text(re.compile("wrong|password", re.IGNORECASE))
    fill(page, NAME, PASSWORD)
    expect(page).to_have_url(re.compile(r"/checks\?range=24h&q=pay"))
    expect(page.locator("main tbody tr")).to_have_count(1)
    page.get_by_role("button", name=re.compile(f"Account: *{NAME}")).click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page).to_have_url(re.compile("/login"))


def test_the_setup_link_works_once(open_visit, server):
    page = open_visit(state=None, is_quiet=False).page
    page.goto(server.setup_link)
    page.get_by_label("Name").fill("mallory")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()


def test_a_token_is_shown_once_works_and_stops_when_it_is_revoked(visit, server):
    page = visit.go("/settings/tokens")
    page.get_by_role("button", name="New token").click()
    page.get_by_label("Name").fill("browser test")
    page.get_by_role("button", name="Create token").click()
    secret = page.locator("[role=dialog] code").inner_text()
    assert call(server, "/checks", secret) == 200
    page.get_by_role("button", name="I have copied it").click()
    line = page.locator("tr", has_text="browser test")
    expect(line).to_contain_text("viewer")
    expect(page.locator("body")).not_to_contain_text(secret)
    line.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(line).to_have_count(0)
    assert call(server, "/checks", secret) == 401


def test_a_viewer_sees_but_cannot_press(visit, open_visit, server):
    page = visit.go("/settings/users")
    page.get_by_role("button", name="New user").click()
    page.get_by_label("Name").fill("jun")
    page.get_by_label("First password").fill(PASSWORD)
    page.get_by_role("button", name="Add user").click()
    expect(page.locator("tr", has_text="jun")).to_be_visible()

    theirs = open_visit(state=None, is_quiet=False).page
    theirs.goto(f"{server.url}/checks/payments-ready")
    fill(theirs, "jun", PASSWORD)
    expect(theirs.get_by_role("button", name="Run now")).to_be_disabled()
    theirs.goto(f"{server.url}/settings")
    expect(theirs.get_by_role("tab", name="Users")).to_have_count(0)
