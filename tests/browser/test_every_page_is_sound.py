"""Every page, light and dark, wide and narrow: the browser complains of nothing, and nobody is shut out."""

from __future__ import annotations

import pytest

from fixtures.soundness import is_wider_than_window, serious

PAGES = (
    "/",
    "/map",
    "/services/orders",
    "/checks",
    "/checks/payments-ready",
    "/runs",
    "/runs/queues",
    "/runs/schedules",
    "/explore",
    "/explore?q=vector(1)&q=holdfast_host_load",
    "/explore?q=vector(1)&view=table",
    "/explore/targets",
    "/explore/cardinality",
    "/logs",
    '/logs?q={service_name=~".%2B"}&fields=1',
    "/traces",
    "/traces/groups",
    "/traces/compare",
    "/traces/map",
    "/around?service=payments&window=5m",
    "/saved",
    "/investigations",
    "/dashboards",
    "/dashboards/new",
    "/usage",
    "/usage/storage",
    "/usage/scrubbing",
    "/host",
    "/events",
    "/settings/tokens",
    "/settings/users",
    "/settings/maintenance",
    "/settings/about",
)
SESSION_PAGES = ("/login", "/setup?token=x", "/setup")


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])  # each width and each scheme once
def test_pages_are_quiet_fit_and_shut_nobody_out(open_visit, estate, scheme, width):
    estate.broken.add("payments")
    visit = open_visit(scheme=scheme, width=width)
    faults = {}
    for path in PAGES:
        page = visit.go(path)
        assert not is_wider_than_window(page), path
        faults[path] = serious(page)
    assert {path: found for path, found in faults.items() if found} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_before_the_shell_too(open_visit, server, scheme):
    visit = open_visit(scheme=scheme, state=None, is_quiet=False)
    faults = {}
    for path in SESSION_PAGES:
        visit.page.goto(server.url + path)
        visit.page.locator("h1").wait_for()
        faults[path] = serious(visit.page)
    assert {path: found for path, found in faults.items() if found} == {}


def test_dialogs_shut_nobody_out(open_visit):
    # Without motion: a dialog that is still fading in has the contrast of neither state.
    page = open_visit(reduced_motion="reduce").go("/settings/tokens")
    page.get_by_role("button", name="New token").click()
    page.get_by_role("dialog").wait_for()
    assert serious(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    page.keyboard.press("Control+k")
    page.get_by_role("dialog").wait_for()
    assert serious(page) == []


def test_the_page_allows_nothing_inline(visit, server):
    policy = visit.page.goto(server.url).header_value("content-security-policy")
    assert "unsafe" not in policy
    assert "style-src 'self';" in policy


@pytest.mark.parametrize("path", ["/services/nobody", "/checks/nothing", "/nowhere"])
def test_what_does_not_exist_says_so(open_visit, path):
    page = open_visit(is_quiet=False).go(path)
    assert page.locator("main").inner_text().strip() != ""
    assert any(word in page.locator("main").inner_text() for word in ("no service", "no check", "no page", "Not Found"))
