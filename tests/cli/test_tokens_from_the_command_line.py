"""`holdfast token` against a real server that asks for logins."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from fixtures.servers import journal_elsewhere
from holdfast import app, web
from holdfast.cli.configuration import SECTIONS
from holdfast.cli.main import cli
from holdfast.kernel.errors import DeniedError, InvalidError, UnauthenticatedError, UnavailableError
from holdfast.kernel.settings import load

PASSWORD = "a long enough password"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A running server; gives its URL and the one-time token of the first administrator."""
    listener = web.bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    overrides = {"server": {"data": tmp_path / "data", "ops": tmp_path / "ops", "listen": url.removeprefix("http://")}}
    settings = load(SECTIONS, environ={}, overrides=overrides)
    ready, told = threading.Event(), {}

    async def serve() -> None:
        stop = asyncio.Event()
        told.update(stop=stop, loop=asyncio.get_running_loop())
        holdfast = await app.build(settings, {})
        try:
            await holdfast.start()
            link = await holdfast.people.issue_setup_link()
            told["setup"] = link.reveal() if link else ""
            front = web.build(holdfast)
            await web.serve(front, listener, settings[web.WebSettings], stop=stop, started=ready.set)
        finally:
            await holdfast.stop()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    with journal_elsewhere():
        thread.start()
        assert ready.wait(60)
        yield url, told["setup"]
        told["loop"].call_soon_threadsafe(told["stop"].set)
        thread.join(60)


def run(*arguments: str, expect: type[Exception] | None = None) -> str:
    result = CliRunner().invoke(cli, arguments)
    if expect is None:
        assert result.exit_code == 0, result.output
    else:
        assert isinstance(result.exception, expect), result.exception
        return str(result.exception)
    return result.output


def first_token(url: str, setup: str) -> str:
    with httpx.Client(base_url=f"{url}/api/v1", headers={"Origin": url}) as browser:
        session = browser.post("/setup", json={"token": setup, "name": "ada", "password": PASSWORD}).json()
        headers = {"X-CSRF-Token": session["csrf_token"]}
        made = browser.post("/tokens", json={"name": "first"}, headers=headers)
        assert made.status_code == 201, made.text
        return str(made.json()["secret"])


def test_a_token_is_made_listed_used_and_revoked(server: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    url, setup = server
    monkeypatch.setenv("HOLDFAST_URL", url)
    monkeypatch.setenv("HOLDFAST_TOKEN", first_token(url, setup))
    secret = run("token", "create", "ci", "--role", "viewer", "--expires", "7d").splitlines()[
        -1
    ]  # behind the log lines of the server
    assert secret.startswith("hf_")
    tokens = {token["name"]: token for token in json.loads(run("token", "list", "--json").splitlines()[-1])}
    assert tokens["ci"]["role"] == "viewer"
    assert "ci" in run("token", "list")
    os.environ["HOLDFAST_TOKEN"], administrator = secret, os.environ["HOLDFAST_TOKEN"]
    run("token", "create", "more", "--role", "admin", expect=DeniedError)
    os.environ["HOLDFAST_TOKEN"] = administrator
    assert "revoked" in run("token", "revoke", tokens["ci"]["id"])
    os.environ["HOLDFAST_TOKEN"] = secret
    assert "HOLDFAST_TOKEN" in run("token", "list", expect=UnauthenticatedError)


def test_a_server_that_is_away_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "http://127.0.0.1:1" in run("token", "list", "--url", "http://127.0.0.1:1", expect=UnavailableError)


def test_a_bad_duration_is_told_before_anything_is_asked() -> None:
    assert "--expires" in run(
        "token", "create", "x", "--expires", "soon", "--url", "http://127.0.0.1:1", expect=InvalidError
    )
