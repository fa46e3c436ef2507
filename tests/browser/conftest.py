"""The real app, a small estate that fails on command, and headless Chromium in front of both.

Without Chromium or without a built console these tests skip and say so; HOLDFAST_TEST_BROWSER=require makes them fail.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, expect, sync_playwright

from fixtures.consoles import NAME, PASSWORD, ROOT, Estate, Server, refuse, write_ops

CONSOLE = ROOT / "src" / "holdfast" / "web" / "console" / "index.html"
SERVER = pytest.StashKey[Server]()
ARGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder, and keep it in one worker, so that one server and one estate are enough."""
    folder = f"{Path(__file__).parent}{os.sep}"
    for item in items:
        if str(item.path).startswith(folder):  # asking its parents takes a second for all tests
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Start the server again, if tests of other folders came between."""
    server = item.config.stash.get(SERVER, None)
    if server is not None and server.process is None:
        server.start()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Stop the server when tests of other folders follow: it would go on probing beside them to the end."""
    server = item.config.stash.get(SERVER, None)
    if server is not None and nextitem is not None and Path(__file__).parent not in nextitem.path.parents:
        server.stop()


@pytest.fixture(scope="session")
def estate() -> Iterator[Estate]:
    """A small HTTP server that pretends to be several services."""
    estate = Estate()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_broken = self.path.strip("/") in estate.broken
            body = b"no" if is_broken else estate.page.encode() if self.path == "/metrics" else b"ok"
            self.send_response(503 if is_broken else 200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
            pass

    class Patient(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """Say nothing: a probe that gave up is no fault of the server."""

    server = Patient(("127.0.0.1", 0), Handler)
    estate.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield estate
    server.shutdown()
    server.server_close()
    thread.join(timeout=30)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, estate: Estate, pytestconfig: pytest.Config) -> Iterator[Server]:
    """The running app, with authentication on and nobody signed up yet."""
    if not CONSOLE.exists():
        refuse("the console is not built; run make ui")
    folder = tmp_path_factory.mktemp("holdfast")
    write_ops(folder / "ops", estate.port)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server = Server(folder, probe.getsockname()[1])
    server.start()
    pytestconfig.stash[SERVER] = server
    yield server
    server.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium of the system, or HOLDFAST_TEST_CHROMIUM.

    One per file, not per session: while Playwright is open, its event loop runs in this thread, and no asynchronous
    test of another file could.
    """
    wanted = os.environ.get("HOLDFAST_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if wanted is None:
        refuse("no Chromium was found; install chromium or set HOLDFAST_TEST_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=wanted, args=list(ARGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def sessions() -> dict[str, dict[str, Any]]:
    """Browser states that tests share."""
    return {}


@pytest.fixture
def signed_in(browser: Browser, server: Server, sessions: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The browser state of the first administrator, made once, by the one-time link."""
    if "administrator" not in sessions:
        sessions["administrator"] = sign_up(browser, server)
    return sessions["administrator"]


def sign_up(browser: Browser, server: Server) -> dict[str, Any]:
    """Follow the one-time link and give the state of the browser behind it."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(server.setup_link)
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Overview").wait_for()
    state: dict[str, Any] = dict(context.storage_state())
    context.close()
    return state


@dataclass
class Visit:
    """One page, with whatever it complained about."""

    page: Page
    base: str
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        """Open a path of the console and wait until its data is there."""
        self.page.goto(self.base + path)
        self.page.locator("main h1").wait_for()
        expect(self.page.locator("main [aria-busy=true]")).to_have_count(0)
        return self.page

    def wait_until(self, expression: str, within_s: float = 60.0) -> None:
        """Evaluate JavaScript, which may be asynchronous, until it gives something true."""
        deadline = time.monotonic() + within_s
        while not self.page.evaluate(expression):
            assert time.monotonic() < deadline, f"not true after {within_s:g} s: {expression}"
            self.page.wait_for_timeout(200)


@pytest.fixture
def open_visit(browser: Browser, server: Server, signed_in: dict[str, Any]) -> Iterator[Any]:
    """Open windows as the administrator; at the end none may have complained."""
    contexts: list[BrowserContext] = []
    visits: list[Visit] = []

    def open_window(*, scheme: str = "light", width: int = 1440, is_quiet: bool = True, **options: Any) -> Visit:
        state = options.pop("state", signed_in)
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, storage_state=state, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        visit = Visit(page, server.url)
        page.on("console", lambda message: note_message(visit, message))
        page.on("pageerror", lambda error: visit.complaints.append(f"error: {error}"))
        page.on("response", lambda response: note_response(visit, response))
        if is_quiet:
            visits.append(visit)
        return visit

    yield open_window
    for context in contexts:
        context.close()
    assert [complaint for visit in visits for complaint in visit.complaints] == []


def note_message(visit: Visit, message: ConsoleMessage) -> None:
    """Remember errors and warnings of the browser's console; those of the content policy come there too."""
    if message.type in {"error", "warning"}:
        visit.complaints.append(f"{message.type}: {message.text} at {visit.page.url}")


def note_response(visit: Visit, response: Response) -> None:
    """Remember answers that say that the page asked for something wrong."""
    if response.status >= 400:
        visit.complaints.append(f"{response.status} {response.url}")


@pytest.fixture
def visit(open_visit: Any) -> Visit:
    """One wide, light window of the administrator."""
    window: Visit = open_visit()
    return window


@pytest.fixture(autouse=True)
def healthy(estate: Estate) -> Iterator[None]:
    """Every test begins and ends with everything up."""
    estate.heal()
    yield
    estate.heal()
