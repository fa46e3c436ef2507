"""The server on a real socket: it names who has its port, finishes what it began, and ends streams when it stops."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import Request
from fastapi.responses import StreamingResponse

from holdfast import web
from holdfast.kernel.errors import ConflictError, InvalidError
from holdfast.kernel.http import SlowBodyError
from holdfast.web import bodies, protocol


@asynccontextmanager
async def running(front, **settings):
    listener = web.bind("127.0.0.1", 0)
    stop, started = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(web.serve(front, listener, web.WebSettings(**settings), stop=stop, started=started.set))
    await started.wait()
    try:
        port = listener.getsockname()[1]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            client.stop = stop
            yield client
    finally:
        stop.set()
        await task


async def test_it_answers_over_http(build_front):
    async with running(build_front()) as client:
        answer = await client.get("/livez")
        assert (answer.status_code, answer.text) == (200, "ok\n")
        assert "server" not in answer.headers


async def test_a_request_that_runs_is_finished_before_the_end(build_front):
    began, go_on = asyncio.Event(), asyncio.Event()

    def routes(router):
        @router.get("/slow", operation_id="slow")
        async def slow() -> str:
            began.set()
            await go_on.wait()
            return "done"

    async with running(build_front(routes)) as client:
        asking = asyncio.create_task(client.get("/api/v1/slow"))
        await began.wait()
        client.stop.set()
        asyncio.get_running_loop().call_later(0.3, go_on.set)
        answer = await asking
    assert (answer.status_code, answer.json()) == (200, "done")


async def test_an_endless_stream_ends_cleanly_when_the_server_stops(build_front):
    def routes(router):
        @router.get("/stream", operation_id="stream")
        async def stream() -> StreamingResponse:
            async def frames():
                yield b"data: first\n\n"
                await asyncio.Event().wait()

            return StreamingResponse(frames(), media_type="text/event-stream")

    loop = asyncio.get_running_loop()
    async with running(build_front(routes), shutdown_grace=30.0) as client:
        async with client.stream("GET", "/api/v1/stream") as answer:
            pieces = answer.aiter_bytes()
            assert await anext(pieces) == b"data: first\n\n"
            stopped_at = loop.time()
            client.stop.set()
            assert [piece async for piece in pieces] == []
        assert loop.time() - stopped_at < 3


@pytest.mark.parametrize(("trusted", "seen"), [((), "127.0.0.1"), (("127.0.0.1",), "203.0.113.7")])
async def test_only_a_trusted_proxy_says_who_asks(build_front, trusted, seen):
    def routes(router):
        @router.get("/who", operation_id="who")
        async def who(request: Request) -> list[str]:
            return [request.client.host, request.url.scheme]

    async with running(build_front(routes), trusted_proxies=trusted) as client:
        headers = {"x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https"}
        answer = await client.get("/api/v1/who", headers=headers)
    assert answer.json() == [seen, "https" if trusted else "http"]


async def ask(client, *parts):
    """Send raw bytes on a connection of their own; give all that comes back until the server hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
    answer = b""
    with contextlib.suppress(ConnectionError):
        for part in parts:
            writer.write(part)
            await writer.drain()
        answer = await reader.read()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return answer


@pytest.mark.parametrize("piece", [b"x-filler: " + b"x" * 8000 + b"\r\n", b"x" * 8000])
async def test_endless_headers_are_cut_off(build_front, piece):
    loop = asyncio.get_running_loop()
    async with running(build_front()) as client:
        started_at = loop.time()
        # Who goes on sending may see a reset instead of the answer.
        assert (await ask(client, b"GET / HTTP/1.1\r\nx-first: ", *[piece] * 1000))[:13] in {b"", b"HTTP/1.1 431 "}
        assert loop.time() - started_at < protocol.HEAD_TIMEOUT_S / 2
        headers = b"".join(b"a%d: %b\r\n" % (number, b"x" * 990) for number in range(70))
        for head in (b"GET / HTTP/1.1\r\n" + headers, b"GET / HTTP/1.1\r\nx: " + b"x" * 70_000):
            assert (await ask(client, head)).startswith(b"HTTP/1.1 431 ")
            assert loop.time() - started_at < protocol.HEAD_TIMEOUT_S / 2


async def test_a_large_head_and_body_within_their_limits_pass(build_front):
    async with running(build_front()) as client:
        large = {"x-filler": "x" * 40_000}
        assert (await client.post("/livez", headers=large, content=b"x" * 500_000)).status_code == 405
        assert (await client.get("/livez", headers=large)).status_code == 200


@pytest.mark.parametrize("sent", [b"", b"GET /livez HT", b"GET /livez HTTP/1.1\r\nhost: x\r\n"])
async def test_who_does_not_say_what_they_want_is_hung_up_on(build_front, monkeypatch, sent):
    monkeypatch.setattr(protocol, "HEAD_TIMEOUT_S", 0.1)
    async with running(build_front()) as client:
        assert await ask(client, sent) == b""


async def test_who_begins_a_second_head_and_does_not_end_it_is_hung_up_on(build_front, monkeypatch):
    monkeypatch.setattr(protocol, "HEAD_TIMEOUT_S", 0.1)
    async with running(build_front()) as client:
        answer = await ask(client, b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\nGET /livez HT")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"ok\n")


async def test_a_body_that_stops_arriving_is_not_waited_for(build_front, monkeypatch):
    def routes(router):
        @router.post("/sum", operation_id="sum")
        async def add(numbers: list[int]) -> int:
            return sum(numbers)

    monkeypatch.setattr(bodies, "LONGEST_SILENCE_S", 0.1)
    head = b"POST /api/v1/sum HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n"
    async with running(build_front(routes)) as client:
        answer = await ask(client, head + b"content-length: 9\r\n\r\n[1,")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"slow_body"' in answer


async def test_a_body_that_is_fed_byte_by_byte_is_given_up(monkeypatch):
    async def trickle():
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def read_all(_scope, receive, _send):
        while True:
            await receive()

    monkeypatch.setattr(bodies, "LONGEST_SILENCE_S", 0.1)
    with pytest.raises(SlowBodyError, match=r"of the body [1-9]\d* bytes arrived"):
        await bodies.BoundedBodies(read_all, limit=1000)(
            {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": []}, trickle, None
        )


async def test_connections_that_ask_nothing_make_room_for_those_that_ask(build_front):
    async with running(build_front(), max_requests=1) as client:  # so that there may be eight connections
        port = client.base_url.port
        kept = [await asyncio.open_connection("127.0.0.1", port) for _ in range(6)]
        for reader, writer in kept:
            writer.write(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n")
            assert (await reader.readuntil(b"ok\n")).startswith(b"HTTP/1.1 200 ")
        assert (await client.get("/livez")).status_code == 200
        assert [await reader.read() for reader, _ in kept] == [b""] * 6
        for _, writer in kept:
            writer.close()


def test_a_port_in_use_names_its_holder():
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(ConflictError, match=rf"port {port} on 127\.0\.0\.1 is in use by .*process {os.getpid()}"):
            web.bind("127.0.0.1", port)


def test_an_address_that_is_not_ours_is_refused():
    with pytest.raises(InvalidError, match=r"cannot listen on 192\.0\.2\.1"):
        web.bind("192.0.2.1", 0)


@pytest.mark.parametrize(
    ("listen", "parsed"),
    [("127.0.0.1:4653", ("127.0.0.1", 4653)), ("[::1]:80", ("::1", 80)), ("localhost:0", ("localhost", 0))],
)
def test_an_address_to_listen_on_is_read(listen, parsed):
    assert web.parse_listen(listen) == parsed


@pytest.mark.parametrize("listen", ["", "4653", ":4653", "localhost", "localhost:http", "localhost:99999"])
def test_what_is_none_is_refused_with_an_example(listen):
    with pytest.raises(InvalidError, match=r"server\.listen: .*127\.0\.0\.1:4653"):
        web.parse_listen(listen)
