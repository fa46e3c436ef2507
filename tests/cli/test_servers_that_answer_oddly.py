"""Commands that ask a server: an odd answer, or none, is one line with the fix, and exit code 2."""

from __future__ import annotations

import gzip
import importlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import click
import pytest
import typer.main

main = importlib.import_module("holdfast.cli.main")

JSON = {"content-type": "application/json"}
# What the server says: status, headers, body; and words that the message has.
ODD: dict[str, tuple[int, dict[str, str], bytes, str]] = {
    "a page": (200, {"content-type": "text/html"}, b"<html>hello</html>", "no JSON"),
    "half a document": (200, JSON, b'{"items": [', "no JSON"),
    "nothing": (200, JSON, b"", "nothing"),
    "a list": (200, JSON, b"[1, 2]", "no object"),
    "a number": (200, JSON, b"42", "no object"),
    "another object": (200, JSON, b"{}", "without"),
    "an object within objects": (200, JSON, b'{"a":' * 200_000, "no JSON"),
    "no gzip": (200, {**JSON, "content-encoding": "gzip"}, b"\x00junk", "cannot be read"),
    "who are you": (401, JSON, b"{}", "HOLDFAST_TOKEN"),
    "a broken proxy": (502, {"content-type": "text/html"}, b"<html>", "status 502"),
    "elsewhere": (302, {"location": "/login"}, b"", "sends us on to /login"),
    "may not": (403, JSON, b'{"detail": "not for viewers"}', "not for viewers"),
    "later": (429, {**JSON, "retry-after": "7"}, b"{}", "ask again in 7 s"),
    "much later": (503, {"content-type": "text/plain", "retry-after": "never"}, b"we rest", "we rest"),
    "odd refusals": (400, JSON, b'["no"]', "status 400"),
}
# What a Holdfast server never says in a list, and each command that reads one tells.
ODD_LISTS = (b"null", b"{}", b'"text"', b"[null]", b"[1]")
# Follow for ever, start a server, or read what is no JSON.
APART = {"ship", "up", "run", "demo", "import", "export", "recover", "log", "investigation"}
CHANGING = {"cancel", "pause", "resume", "drain", "start", "signal", "retry", "replay", "resolve", "delete", "revoke"}
CHANGING |= {"add", "create", "record"}
SAMPLES = {"trace_id": "0af7651916cd43dd8448eb211c80319c", "of": "slow", "way": "cancel", "text": "up"}


class OddServer:
    """Answers everything with `says`."""

    def __init__(self) -> None:
        self.says = ODD["nothing"]
        odd = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("content-length") or 0))
                status, headers, body, _ = odd.says
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer  # noqa: N815 -- the names that http.server looks for

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture(scope="module")
def odd() -> Iterator[OddServer]:
    server = OddServer()
    thread = threading.Thread(target=server.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.server.shutdown()
    server.server.server_close()
    thread.join(timeout=30)


def _walk(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    command = command.read() if hasattr(command, "offer") else command
    if not isinstance(command, click.Group) and not hasattr(command, "commands"):
        yield path, command
        return
    for name, each in command.commands.items():
        if name not in APART:
            yield from _walk(each, (*path, name))


COMMANDS = list(_walk(typer.main.get_command(main.cli)))


def _asking(*, is_changing: bool) -> list[list[str]]:
    """Give every command that has `--url`, with what it needs: those that change something, or the others."""
    found = []
    for path, command in COMMANDS:
        if (path[-1] in CHANGING) is not is_changing or not any("--url" in each.opts for each in command.params):
            continue
        line = list(path)
        for each in command.params:
            if each.required:
                line += [SAMPLES.get(each.name, "x")]
        found.append(line)
    return found


ASKING = _asking(is_changing=False)
CHANGES = _asking(is_changing=True)


def _run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *line: str) -> str:
    monkeypatch.setattr("sys.argv", ["holdfast", *line])
    with pytest.raises(SystemExit) as ended:
        main.main()
    said = capsys.readouterr()
    assert ended.value.code == 2, said.err
    assert said.err.startswith("error: "), said.err
    assert len(said.err.splitlines()) <= 2, said.err
    return said.err


def test_the_commands_are_found() -> None:
    assert {"usage", "around", "targets"} <= {line[0] for line in ASKING}
    assert len(ASKING) > 15
    assert {"saved", "token", "deploy", "runs", "queues", "schedules"} <= {line[0] for line in CHANGES}


@pytest.mark.parametrize("fault", ODD)
@pytest.mark.parametrize("line", ASKING, ids=" ".join)
def test_an_odd_answer_is_told(
    line: list[str], fault: str, odd: OddServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    odd.says = ODD[fault]
    said = _run(capsys, monkeypatch, *line, "--url", odd.url)
    assert odd.url in said
    assert odd.says[3] in said


@pytest.mark.parametrize("line", CHANGES, ids=" ".join)
def test_a_change_that_got_an_odd_answer_is_not_told_as_done(
    line: list[str], odd: OddServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for fault in ODD.keys() - {"another object", "nothing"}:  # which some changes are answered with
        odd.says = ODD[fault]
        assert ODD[fault][3] in _run(capsys, monkeypatch, *line, "--url", odd.url), fault


@pytest.mark.parametrize("line", ASKING, ids=" ".join)
def test_a_list_that_is_none_is_told(
    line: list[str], odd: OddServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for items in ODD_LISTS:
        odd.says = (200, JSON, b'{"items": %s, "data": %s}' % (items, items), "")
        assert odd.url in _run(capsys, monkeypatch, *line, "--url", odd.url), items


def test_an_answer_has_a_bound_in_bytes_and_in_time(
    odd: OddServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = gzip.compress(b" " * 33 * 2**20)  # 33 KB on the wire
    odd.says = (200, {**JSON, "content-encoding": "gzip"}, bomb, "")
    assert "more than 32 MiB" in _run(capsys, monkeypatch, "usage", "--url", odd.url)
    monkeypatch.setattr("holdfast.cli.remote.WITHIN_S", -1.0)
    odd.says = ODD["another object"]
    assert "did not end its answer" in _run(capsys, monkeypatch, "usage", "--url", odd.url)


def test_who_speaks_no_http_or_no_tls_is_told(
    odd: OddServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    secure = odd.url.replace("http", "https")
    assert "http:// if not" in _run(capsys, monkeypatch, "usage", "--url", secure)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            with listener.accept()[0] as caller:
                caller.sendall(b"SSH-2.0-none\r\n\r\n")

        greeting = threading.Thread(target=greet)
        greeting.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert "as a web server does" in _run(capsys, monkeypatch, "usage", "--url", url)
        greeting.join(timeout=30)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "nonsense", "ftp://127.0.0.1", "http://127.0.0.1:x"])
@pytest.mark.parametrize("line", ASKING, ids=" ".join)
def test_an_address_where_nobody_answers_is_told(
    line: list[str], url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert url in _run(capsys, monkeypatch, *line, "--url", url)


def test_a_token_that_no_header_holds_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLDFAST_TOKEN", "gehäuse\n")
    assert "HOLDFAST_TOKEN" in _run(capsys, monkeypatch, "usage")
