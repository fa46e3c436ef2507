"""`holdfast logs` against a real server: lines, numbers, JSON, following, and errors that show the place."""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from fixtures.forks import Forked
from fixtures.servers import journal_elsewhere
from holdfast import app, web
from holdfast.cli.configuration import SECTIONS
from holdfast.cli.logs.drawing import LogLine, draw_line
from holdfast.cli.main import cli
from holdfast.kernel.errors import InvalidError, UnavailableError
from holdfast.kernel.settings import load

pytestmark = pytest.mark.xdist_group("logs_from_the_command_line")  # one server is enough


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running server without logins that has three lines."""
    folder = tmp_path_factory.mktemp("server")
    listener = web.bind("127.0.0.1", 0)
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    server = {"data": folder / "data", "ops": folder / "ops", "listen": address, "auth": "off"}
    settings = load(SECTIONS, environ={}, overrides={"server": server})
    ready, told = threading.Event(), dict[str, Any]()

    async def serve() -> None:
        stop = asyncio.Event()
        told.update(stop=stop, loop=asyncio.get_running_loop())
        holdfast = await app.build(settings, {})
        try:
            await holdfast.start()
            await web.serve(web.build(holdfast), listener, settings[web.WebSettings], stop=stop, started=ready.set)
        finally:
            await holdfast.stop()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    with journal_elsewhere():
        thread.start()
        assert ready.wait(60), "the server did not start"
        try:
            push(
                f"http://{address}",
                "level=info placed order 1",
                "level=error timeout of order 2",
                "level=info \x1b[2J 3",
            )
            yield f"http://{address}"
        finally:
            told["loop"].call_soon_threadsafe(told["stop"].set)
            thread.join(60)


def push(url: str, *lines: str, service: str = "orders") -> None:
    now_ns = time.time_ns()
    values = [[str(now_ns + place), line] for place, line in enumerate(lines)]
    body = {"streams": [{"stream": {"service_name": service}, "values": values}]}
    httpx.post(f"{url}/loki/api/v1/push", json=body).raise_for_status()


def run(url: str, *arguments: str) -> str:
    result = CliRunner().invoke(cli, ["logs", *arguments, "--url", url])
    if result.exception is not None:
        raise result.exception
    return result.stdout


def test_lines_come_oldest_first_with_level_and_service(url: str) -> None:
    lines = run(url, '{service_name="orders"}').splitlines()
    assert [line.split(" ", 2)[2].split(maxsplit=2)[:2] for line in lines] == [
        ["info", "orders"],
        ["error", "orders"],
        ["info", "orders"],
    ]
    assert lines[1].endswith("level=error timeout of order 2")


def test_control_characters_rule_no_terminal(url: str) -> None:
    assert "\x1b[2J" not in run(url, '{service_name="orders"} |= "[2J"')


def test_json_is_one_object_per_line(url: str) -> None:
    (line,) = run(url, '{service_name="orders"} |= "timeout"', "--json").splitlines()
    told = json.loads(line)
    assert (told["level"], told["line"]) == ("error", "level=error timeout of order 2")
    assert told["labels"]["service_name"] == "orders"


def test_the_newest_lines_are_given_when_there_are_more(url: str) -> None:
    assert "timeout" not in run(url, '{service_name="orders"}', "--limit", "1")


def test_a_query_for_numbers_gives_a_table(url: str) -> None:
    text = run(url, 'sum by (service_name) (count_over_time({service_name="orders"}[1h]))', "--since", "5m")
    assert '{service_name="orders"}' in text


def test_nothing_found_is_said(url: str) -> None:
    assert "no line of the last 1h matches" in run(url, '{service_name="nobody"}')


def test_an_error_shows_its_place_in_the_query(url: str) -> None:
    with pytest.raises(InvalidError) as told:
        run(url, '{service_name="orders"} |? "x"')
    assert "parse error" in told.value.message
    query, mark = told.value.hint.split("\n")
    assert query == '{service_name="orders"} |? "x"'
    assert mark.index("^") >= len('{service_name="orders"}')


@pytest.mark.parametrize("arguments", [("{}", "--since", "soon"), ("count_over_time({a=~'.+'}[1m])", "-f")])
def test_what_cannot_be_asked_is_refused(url: str, arguments: tuple[str, ...]) -> None:
    with pytest.raises(InvalidError):
        run(url, *arguments)


def test_a_server_that_is_away_is_named() -> None:
    with pytest.raises(UnavailableError, match="does not answer"):
        run("http://127.0.0.1:1", "{a='b'}")


def test_following_gives_lines_as_they_come(url: str) -> None:
    command = ["logs", "-f", '{service_name="tailed"}', "--url", url, "--json"]
    push(url, "first", service="tailed")
    with Forked(*command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            first = json.loads(process.stdout.readline())
            push(url, "second", service="tailed")
            second = json.loads(process.stdout.readline())
        finally:
            process.kill()
    assert (first["line"], second["line"]) == ("first", "second")


@pytest.mark.parametrize(("level", "look"), [("error", "red"), ("warn", "yellow"), ("info", "green")])
def test_levels_have_colours(level: str, look: str) -> None:
    drawn = draw_line(LogLine(0, "x", {"detected_level": level}))
    assert look in [str(span.style) for span in drawn.spans]
