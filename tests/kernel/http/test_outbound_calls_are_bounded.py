"""Calls to other servers end in time, stay small, reach only judged addresses and leak nothing."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import gzip
import socket
import struct
import threading
from contextlib import AsyncExitStack

import pytest
import uvloop
from prometheus_client import CollectorRegistry

from fixtures.peers import Authority, closed_port, peer, resets, says, says_nothing
from holdfast import journal
from holdfast.kernel.errors import InvalidError, TimedOutError, UnavailableError
from holdfast.kernel.http import (
    AddressRefusedError,
    AnswerTooLargeError,
    Call,
    OutboundHttp,
    PeerError,
)
from holdfast.kernel.http.settings import OutboundSettings
from holdfast.kernel.secrets import Redactor, Secret
from holdfast.resilience import listen


@pytest.fixture
async def client():
    clients = []

    def build(resolve=None, registry=None, **settings):
        options = {"resolve": resolve} if resolve else {}
        built = OutboundHttp(OutboundSettings(**settings), Redactor(), registry=registry, **options)
        clients.append(built)
        return built

    yield build
    for each in clients:
        await each.aclose()


def answer(body=b"hello", *headers, status="200 OK"):
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *headers, "", ""]
    return says("\r\n".join(lines).encode() + body)


def recording(reply):
    seen = []

    async def talk(reader, writer):
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        await reply(reader, writer)

    return seen, talk


async def test_any_status_is_an_answer(client):
    async with peer(answer(b'{"a": 1}', "content-type: application/json", status="404 Gone Fishing")) as port:
        got = await client().get(f"http://127.0.0.1:{port}/x?key=secret#f", purpose="test")
    assert (got.status, got.json(), got.is_ok) == (404, {"a": 1}, False)
    assert got.url == f"http://127.0.0.1:{port}/x"


async def test_a_body_that_is_not_json_says_so(client):
    async with peer(answer("grüße".encode("latin-1"), "content-type: text/plain; charset=latin-1")) as port:
        got = await client().get(f"http://127.0.0.1:{port}/", purpose="test")
    assert got.text() == "grüße"
    with pytest.raises(PeerError, match="not JSON"):
        got.json()


async def test_a_silent_server_costs_no_more_than_the_limit(client):
    async with peer(says_nothing) as port:
        told: list[object] = []
        stop = listen(told.append)
        with pytest.raises(TimedOutError, match=r"0\.1 s"):
            await client(total_timeout=0.1).get(f"http://127.0.0.1:{port}/", purpose="test")
        stop()
        assert told == []  # it would be a line in the log, and thousands of targets may be silent at once
        with pytest.raises(TimedOutError, match="ReadTimeout"):
            await client(read_timeout=0.1).get(f"http://127.0.0.1:{port}/", purpose="test")


async def test_a_call_may_have_its_own_limits(client):
    async with peer(says_nothing) as port:
        with pytest.raises(TimedOutError):
            await client().send(Call("GET", f"http://127.0.0.1:{port}/", "test", timeout_s=0.05))
    async with peer(answer(b"x" * 11)) as port:
        with pytest.raises(AnswerTooLargeError):
            await client().send(Call("GET", f"http://127.0.0.1:{port}/", "test", max_bytes=10))


async def test_a_large_answer_is_not_read_to_its_end(client):
    async with peer(answer(b"x" * 1001)) as port:
        with pytest.raises(AnswerTooLargeError, match="1000 bytes"):
            await client(max_answer=1000).get(f"http://127.0.0.1:{port}/", purpose="test")


async def test_a_compressed_answer_is_counted_after_decompression(client):
    async with peer(answer(gzip.compress(bytes(50_000)), "content-encoding: gzip")) as port:
        url = f"http://127.0.0.1:{port}/"
        assert len((await client().get(url, purpose="test")).body) == 50_000
        with pytest.raises(AnswerTooLargeError):
            await client(max_answer=10_000).get(url, purpose="test")


async def test_nobody_listening_a_reset_and_nonsense_are_told_apart(client):
    with pytest.raises(UnavailableError, match="cannot be reached"):
        await client().get(f"http://127.0.0.1:{closed_port()}/", purpose="test")
    async with peer(resets) as port:
        with pytest.raises(UnavailableError):
            await client().get(f"http://127.0.0.1:{port}/", purpose="test")
    async with peer(says(b"SSH-2.0-OpenSSH_9.2\r\n")) as port:
        with pytest.raises(PeerError, match="does not speak HTTP"):
            await client().get(f"http://127.0.0.1:{port}/", purpose="test")


def test_a_reset_while_a_connection_is_made_is_no_fault_of_ours():
    def reset_all(listening):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()

    async def call_often(port):
        client = OutboundHttp(OutboundSettings(), Redactor())
        calls = (client.get(f"http://127.0.0.1:{port}/", purpose="test") for _ in range(100))
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        await client.aclose()
        return outcomes

    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:
        resetting = threading.Thread(target=reset_all, args=(listening,))
        resetting.start()
        outcomes = uvloop.run(call_often(listening.getsockname()[1]))
        listening.shutdown(socket.SHUT_RDWR)
        resetting.join()
    assert {type(each) for each in outcomes} == {UnavailableError}


async def test_a_name_is_judged_by_what_it_resolves_to(client):
    async def evil(_host, _port):
        return ["169.254.169.254"]

    with pytest.raises(AddressRefusedError, match=r"metadata.example \(169\.254\.169\.254\)"):
        await client(resolve=evil).get("http://metadata.example/latest", purpose="test")
    with pytest.raises(AddressRefusedError):
        await client().get("http://[::ffff:169.254.169.254]/", purpose="test")


async def test_a_name_that_changes_its_answer_gains_nothing(client):
    """The judged address is the one that is connected to: the name is looked up once per connection."""
    lookups = []

    async def rebinding(host, _port):
        lookups.append(host)
        return ["127.0.0.1"] if len(lookups) == 1 else ["169.254.169.254"]

    async with peer(answer()) as port:
        outbound = client(resolve=rebinding)
        assert (await outbound.get(f"http://rebind.example:{port}/", purpose="test")).is_ok
        with pytest.raises(AddressRefusedError):
            await outbound.get(f"http://rebind.example:{port}/", purpose="test")
    assert lookups == ["rebind.example"] * 2


async def test_the_next_address_is_tried_when_one_does_not_answer(client):
    async def two(_host, _port):
        return ["127.0.0.2", "127.0.0.1"]

    async with peer(answer()) as port:
        assert (await client(resolve=two).get(f"http://two.example:{port}/", purpose="test")).is_ok


async def test_a_redirect_to_a_refused_address_is_refused(client):
    async with peer(answer(b"", "location: http://169.254.169.254/", status="302 Found")) as port:
        with pytest.raises(AddressRefusedError):
            await client().get(f"http://127.0.0.1:{port}/", purpose="test")


async def test_a_redirect_to_another_origin_takes_no_credentials_along(client):
    seen, there = recording(answer(b"there"))
    secret = {"authorization": "Bearer abc", "x-api-key": "k", "cookie": "a=b", "accept": "text/plain"}
    async with AsyncExitStack() as stack:
        second = await stack.enter_async_context(peer(there))
        moved = answer(b"", f"location: http://127.0.0.1:{second}/b", status="302 Found")
        first = await stack.enter_async_context(peer(moved))
        got = await client().get(f"http://127.0.0.1:{first}/a", purpose="test", headers=secret)
    assert (got.text(), got.url) == ("there", f"http://127.0.0.1:{second}/b")
    assert b"accept: text/plain" in seen[0]
    for name in (b"authorization", b"x-api-key", b"cookie"):
        assert name not in seen[0].lower()


async def test_redirects_end(client):
    async with peer(answer(b"", "location: /again", status="302 Found")) as port:
        with pytest.raises(PeerError, match="more than 3 redirects"):
            await client(max_redirects=3).get(f"http://127.0.0.1:{port}/", purpose="test")
        stay = Call("GET", f"http://127.0.0.1:{port}/", "test", is_following=False)
        assert (await client().send(stay)).status == 302


async def test_tls_verifies_the_name_and_not_the_address(client, tmp_path):
    async def loopback(_host, _port):
        return ["127.0.0.1"]

    authority = Authority(tmp_path)
    async with peer(answer(), tls=authority.issue("good.example").server_context()) as port:
        outbound = client(resolve=loopback, ca_file=authority.file)
        assert (await outbound.get(f"https://good.example:{port}/", purpose="test")).is_ok
        with pytest.raises(UnavailableError, match="certificate"):
            await outbound.get(f"https://bad.example:{port}/", purpose="test")
        with pytest.raises(UnavailableError, match="certificate"):
            await client(resolve=loopback).get(f"https://good.example:{port}/", purpose="test")


async def test_https_does_not_fall_back_to_http(client, tmp_path):
    authority = Authority(tmp_path)
    tls = authority.issue("127.0.0.1").server_context()
    async with peer(answer(b"", "location: http://127.0.0.1:1/", status="302 Found"), tls=tls) as port:
        with pytest.raises(PeerError, match="from https to http"):
            await client(ca_file=authority.file).get(f"https://127.0.0.1:{port}/", purpose="test")


async def test_a_cookie_set_for_one_caller_is_not_sent_for_the_next(client):
    seen, talk = recording(answer(b"", "set-cookie: sid=1; path=/"))
    async with peer(talk) as port:
        outbound = client()
        for _ in range(2):
            await outbound.get(f"http://127.0.0.1:{port}/", purpose="test")
    assert b"sid" not in seen[1]


async def test_the_correlation_id_travels_along(client):
    seen, talk = recording(answer())
    async with peer(talk) as port:
        with journal.bind(correlation_id="abc-123"):
            await client().post_json(f"http://127.0.0.1:{port}/", {"a": 1}, purpose="test")
    assert b"x-correlation-id: abc-123" in seen[0]
    assert b"content-type: application/json" in seen[0]


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/", "http://", "nonsense", "http://[::1", "gopher://x"])
async def test_only_http_urls_are_called(client, url):
    with pytest.raises(InvalidError):
        await client().get(url, purpose="test")


async def test_no_error_holds_a_credential(client):
    redactor = Redactor()
    redactor.learn(Secret("t0ken-value"))
    outbound = OutboundHttp(OutboundSettings(), redactor)
    with pytest.raises(UnavailableError) as caught:
        await outbound.get(f"http://ada:pw@127.0.0.1:{closed_port()}/x?api_key=t0ken-value", purpose="test")
    with pytest.raises(InvalidError, match="control characters") as refused:
        await outbound.send(Call("GET", "http://127.0.0.1/", "test", headers={"x": "t0ken-value\n"}))
    await outbound.aclose()
    for error in (caught.value, refused.value):
        assert error.__cause__ is None
        assert "t0ken" not in str(error)
        assert "pw@" not in str(error)


@pytest.mark.parametrize("secret", ["t0ken-value", "http://ada:pw@127.0.0.1:{}/hooks/t0ken-value/x?a=1"])
async def test_no_error_holds_a_path_that_is_secret(secret):
    port = closed_port()
    redactor = Redactor()
    redactor.learn(Secret(secret.format(port)))
    outbound = OutboundHttp(OutboundSettings(), redactor)
    with pytest.raises(UnavailableError) as caught:
        await outbound.get(f"http://ada:pw@127.0.0.1:{port}/hooks/t0ken-value/x?a=1", purpose="test")
    await outbound.aclose()
    assert "t0ken" not in str(caught.value)
    assert "***" in str(caught.value)
    assert "pw" not in str(caught.value)


async def test_calls_are_counted_by_purpose_and_outcome(client):
    registry = CollectorRegistry()
    outbound = client(registry=registry, total_timeout=0.5)
    async with peer(answer()) as port:
        await outbound.get(f"http://127.0.0.1:{port}/", purpose="webhook")
    async with peer(says_nothing) as port:
        with pytest.raises(TimedOutError):
            await outbound.get(f"http://127.0.0.1:{port}/", purpose="webhook")
    with pytest.raises(AddressRefusedError):
        await outbound.get("http://169.254.169.254/", purpose="webhook")
    for outcome in ("2xx", "timeout", "refused"):
        labels = {"purpose": "webhook", "outcome": outcome}
        assert registry.get_sample_value("holdfast_outbound_calls_total", labels) == 1


async def test_an_unknown_name_says_which(client):
    with pytest.raises(UnavailableError, match=r"nowhere\.invalid"):
        await client().get("http://nowhere.invalid/", purpose="test")


def test_calls_are_plain_data():
    assert dataclasses.replace(Call("GET", "http://x", "test"), method="PUT").method == "PUT"
