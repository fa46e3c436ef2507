"""`holdfast logs -f` beside a server that a test scripts: outages, drops, refusals."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from itertools import islice
from urllib.parse import parse_qs, urlsplit

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from holdfast.cli.logs.following import Follower
from holdfast.cli.remote import Remote
from holdfast.kernel.errors import InvalidError, UnauthenticatedError, UnavailableError

Script = Callable[[ServerConnection], None]


def line(ts_ns: int, text: str) -> dict[str, object]:
    return {"stream": {"service_name": "orders"}, "values": [[str(ts_ns), text]]}


@contextmanager
def scripted(*scripts: Script, refuse: Response | None = None) -> Iterator[tuple[Follower, list[Request], list[str]]]:
    """Serve one script after the other; give a follower, the requests that came, and what it says."""
    requests: list[Request] = []
    said: list[str] = []

    def note(_: ServerConnection, request: Request) -> Response | None:
        requests.append(request)
        return refuse

    def handle(socket: ServerConnection) -> None:
        scripts[len(requests) - 1](socket)

    with serve(handle, "127.0.0.1", 0, process_request=note) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        with Remote(url, tenant="blue") as remote:
            yield Follower(remote, "{a='b'}", 50, 7, said.append, sleep=lambda _: None), requests, said
        server.shutdown()
        thread.join(timeout=30)


def asked(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}


def tell(socket: ServerConnection, *streams: object, **more: object) -> None:
    socket.send(json.dumps({"streams": streams, **more}))


def test_lines_are_given_once_through_an_outage() -> None:
    def before(socket: ServerConnection) -> None:
        tell(socket, line(100, "a"), line(101, "b"))
        socket.close(1012)

    def after(socket: ServerConnection) -> None:
        tell(socket, line(101, "b"), line(102, "c"))

    with scripted(before, after) as (follower, requests, said):
        assert [each.text for each in islice(follower.lines(), 3)] == ["a", "b", "c"]
    assert asked(requests[0]) == {"query": "{a='b'}", "start": "50", "limit": "7"}
    assert asked(requests[1])["limit"] == "5000"
    assert requests[0].headers["X-Scope-OrgID"] == "blue"
    assert said[0].endswith("asking again")
    assert said[1] == "following again"


def test_what_was_dropped_is_said() -> None:
    def script(socket: ServerConnection) -> None:
        tell(socket, line(100, "a"), dropped=1234, dropped_entries=[{"timestamp": "99"}])

    with scripted(script) as (follower, _, said):
        next(follower.lines())
    assert "1,234 lines were dropped" in said[0]


def test_a_refusal_is_told_in_the_servers_words() -> None:
    answer = Response(
        HTTPStatus.BAD_REQUEST, "", Headers({"content-type": "text/plain"}), b"parse error at line 1, col 2"
    )
    with scripted(refuse=answer) as (follower, _, _), pytest.raises(InvalidError, match="parse error at line 1, col 2"):
        next(follower.lines())


def test_a_token_that_is_no_longer_good_ends_it() -> None:
    with (
        scripted(lambda socket: socket.close(1008, "revoked")) as (follower, _, _),
        pytest.raises(UnauthenticatedError, match="revoked"),
    ):
        next(follower.lines())


def test_a_server_that_stays_away_is_told_in_the_end() -> None:
    def script(socket: ServerConnection) -> None:
        tell(socket, line(100, "a"))
        socket.close(1012)

    with scripted(script) as (follower, _, said):
        lines = follower.lines()
        next(lines)
    with pytest.raises(UnavailableError, match="does not answer"):
        next(lines)
    assert len(said) == 1
