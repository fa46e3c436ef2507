"""The http kind on the wire: every way in which an answer arrives, or does not."""

from __future__ import annotations

import asyncio
import gzip
import zlib

import pytest

from fixtures import peers
from fixtures.peers import answers, http
from holdfast.health.verdict import Verdict

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"


async def ask_url(ask, talk, **fields):
    async with peers.peer(talk) as port:
        return await ask("http", url=f"http://127.0.0.1:{port}/health", **fields)


async def test_a_healthy_answer_is_up_with_its_phases_and_facts(ask):
    seen = await ask_url(ask, answers(http("ok")))
    assert seen.verdict is Verdict.UP
    assert seen.message.startswith("200 OK in ")
    assert seen.facts == {"status_code": 200, "http_version": "1.1", "body_bytes": 2}
    phases = seen.phases
    assert phases.dns_s is phases.tls_s is None
    assert None not in {phases.connect_s, phases.first_byte_s, phases.transfer_s}
    in_phases_s = phases.connect_s + phases.first_byte_s + phases.transfer_s
    assert 0 < in_phases_s <= seen.duration_s + 1e-9  # the last digits of a sum of floats are nobody's


async def test_the_request_says_what_the_file_says(ask):
    asked: list[bytes] = []
    await ask_url(
        ask,
        answers(http(), seen=asked),
        method="POST",
        headers={"X-Team": "blue", "Accept": "application/json", "Host": "shop.example"},
        body='{"a": 1}',
    )
    head, body = asked[0].decode().split("\r\n\r\n")
    lines = head.split("\r\n")
    assert lines[0] == "POST /health HTTP/1.1"
    assert lines[1] == "Host: shop.example"
    assert {"X-Team: blue", "Accept: application/json", "Content-Length: 8", "Connection: close"} <= set(lines)
    assert sum(line.lower().startswith(("accept:", "host:")) for line in lines) == 2
    assert body == '{"a": 1}'


@pytest.mark.parametrize(
    "raw",
    [
        CHUNKED,
        b"HTTP/1.1 200 OK\r\n\r\nhello world",
        b"HTTP/1.0 200 OK\r\n\r\nhello world",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + http("hello world"),
        http(gzip.compress(b"hello world", mtime=0), Content_Encoding="gzip"),
        http(zlib.compress(b"hello world"), Content_Encoding="deflate"),
        http(zlib.compress(b"hello world")[2:-4], Content_Encoding="deflate"),
        http("hello world", X_Long="x" * 30_000),
    ],
    ids=["chunked", "until close", "1.0", "early hints", "gzip", "deflate", "raw deflate", "long header"],
)
async def test_a_body_is_read_however_it_is_framed(ask, raw):
    seen = await ask_url(ask, answers(raw), expect={"body": {"matches": "^hello world$"}})
    assert (seen.verdict, seen.message[:6]) == (Verdict.UP, "200 OK")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "the server closed the connection without an answer"),
        (b"HTTP/1.1 200", "the answer broke off after 0 bytes of its body"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhell", "the answer broke off after 4 bytes of its body"),
        (CHUNKED[:-11], "the answer broke off after 7 bytes of its body"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "the answer is not HTTP/1.1: expected http/"),
        (b"\x15\x03\x01\x00\x02", "the answer is not HTTP/1.1: expected http/"),
        (b"HTTP/1.1 2OO OK\r\n\r\n", "the answer is not HTTP/1.1: "),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "the answer is not HTTP/1.1: "),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 400 + b"\r\n", "the header of the answer is larger than"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000, "the header of the answer is larger than"),
        (http("x" * 2000), "the body is larger than 1000 B"),
        (
            http(gzip.compress(b"x" * 9000, mtime=0), Content_Encoding="gzip"),
            "the decompressed body is larger than 1000 B",
        ),
        (http(gzip.compress(b"xy" * 90, mtime=0)[:-9], Content_Encoding="gzip"), "the gzip body broke off"),
        (http("plain", Content_Encoding="gzip"), "the body says it is gzip, but does not decompress"),
        (http("plain", Content_Encoding="br"), 'the body is encoded as "br"; probes read gzip and deflate'),
    ],
)
async def test_a_broken_answer_is_down_and_says_how(ask, raw, message):
    seen = await ask_url(ask, answers(raw), expect={"body": {"contains": "x"}}, max_body="1kB")
    assert seen.verdict is Verdict.DOWN
    assert seen.message.startswith(message)


async def test_a_reset_is_down(ask):
    seen = await ask_url(ask, peers.resets)
    assert seen.verdict is Verdict.DOWN
    assert seen.message == "connection reset by peer while waiting for the answer"


async def test_a_slow_drip_is_down_when_the_deadline_passes(ask):
    async def drip(reader, writer):
        await peers.read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.005)

    seen = await ask_url(ask, drip, timeout_s=0.1)
    assert seen.verdict is Verdict.DOWN
    assert seen.message == "no verdict within 100ms: stopped while waiting for the answer"
    assert seen.phases.first_byte_s is not None


async def test_a_body_that_nobody_looks_at_is_counted_but_not_kept(ask):
    seen = await ask_url(ask, answers(http("x" * 5_000_000)))
    assert seen.facts["body_bytes"] == 5_000_000
    assert seen.verdict is Verdict.UP


async def test_head_has_a_length_but_no_body(ask):
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"

    async def talk(reader, writer):
        await peers.read_request(reader)
        writer.write(answer)
        await writer.drain()
        await reader.read(-1)

    assert (await ask_url(ask, talk, method="HEAD")).verdict is Verdict.UP


async def test_a_switch_of_protocols_is_a_final_answer(ask):
    raw = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x01x"
    seen = await ask_url(ask, answers(raw), expect={"status": 101})
    assert seen.verdict is Verdict.UP


async def test_a_server_that_speaks_first_is_not_http(ask):
    seen = await ask_url(ask, peers.says(b"220 mail.example ESMTP\r\n"))
    assert seen.message.startswith("the answer is not HTTP/1.1")


async def test_https_is_timed_and_its_certificate_read(ask, authority):
    server = authority.issue("127.0.0.1", days=30).server_context()
    async with peers.peer(answers(CHUNKED), tls=server) as port:
        seen = await ask("http", url=f"https://127.0.0.1:{port}/", tls={"ca_file": authority.file})
    assert (seen.verdict, seen.message[:6]) == (Verdict.UP, "200 OK")
    assert seen.phases.tls_s is not None
    assert seen.facts["tls_version"] == "TLSv1.3"
    assert seen.facts["certificate_days_left"] == pytest.approx(30, abs=0.1)


async def test_a_reset_during_the_tls_handshake_is_down(ask):
    async with peers.peer(peers.resets) as port:
        seen = await ask("http", url=f"https://127.0.0.1:{port}/")
    assert seen.verdict is Verdict.DOWN
    assert f"while shaking hands over TLS with 127.0.0.1:{port}" in seen.message


async def test_a_plain_answer_to_a_tls_client_is_down(ask):
    async with peers.peer(peers.says(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        seen = await ask("http", url=f"https://127.0.0.1:{port}/", timeout_s=0.5)
    assert seen.verdict is Verdict.DOWN
