"""Hostile and unlucky clients of live tails: none of them harms ingest, other tails, or the stop of the server."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import time
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import quote, urlsplit

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

ALL = '{service_name=~".+"}'
PATH = f"/loki/api/v1/tail?query={quote(ALL)}"


@asynccontextmanager
async def asking(url):
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        yield client


async def push(client, lines, service="shop"):
    now_ns = time.time_ns()
    values = [[str(now_ns + place), line] for place, line in enumerate(lines)]
    body = {"streams": [{"stream": {"service_name": service}, "values": values}]}
    assert (await client.post("/loki/api/v1/push", json=body)).status_code == 204


async def metric(client, name):
    lines = (await client.get("/metrics")).text.splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.split("{")[0].split(" ")[0] == name)


async def until(holds):
    async with asyncio.timeout(60):
        while not await holds():
            pass


async def open_raw(url, *, receive_bytes=4096):
    """Open a tail by hand; give what reads and writes. It reads only what it is asked to."""
    link = socket.socket()
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    link.setblocking(False)
    await asyncio.get_running_loop().sock_connect(link, ("127.0.0.1", urlsplit(url).port))
    reader, writer = await asyncio.open_connection(sock=link, limit=4096)
    key = base64.b64encode(os.urandom(16)).decode()
    head = f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    writer.write(f"{head}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 101"), answer
    return reader, writer


def tail(url, **options):
    return connect(f"{url.replace('http', 'ws')}{PATH}", proxy=None, compression=None, **options)


async def ending(reader):
    """Read until the server hangs up."""
    data = b""
    while piece := await asyncio.wait_for(reader.read(65536), 30):
        data += piece
    return data


async def test_a_tail_opened_in_a_flood_of_lines_gives_each_of_them_once(serving):
    async with serving() as url, asking(url) as client:
        sent = [f"line {number}" for number in range(400)]
        pushing = asyncio.create_task(push_all(client, sent))
        async with tail(f"{url}") as watched:
            await pushing
            found = []
            while len(found) < len(sent):
                told = json.loads(await asyncio.wait_for(watched.recv(), 30))
                assert "dropped" not in told
                found += [line for each in told["streams"] for _, line in each["values"]]
            await push(client, ["the end"])
            last = json.loads(await asyncio.wait_for(watched.recv(), 30))
    assert [line for each in last["streams"] for _, line in each["values"]] == ["the end"]
    assert sorted(found) == sorted(sent)


async def push_all(client, lines):
    for begin in range(0, len(lines), 5):
        await push(client, lines[begin : begin + 5])


GARBAGE = (
    (b"\xff" * 64, 1002),  # no frame
    (b"GET / HTTP/1.1\r\n\r\n", 1002),
    (b"\x81\x05hello", 1002),  # not masked
    (b"\x81\xff" + (2**40).to_bytes(8, "big") + b"abcd", 1009),  # a terabyte is announced
)


async def test_garbage_closes_its_own_connection_only(serving, subtests):
    async with serving() as url, asking(url) as client, tail(url) as healthy:
        for number, (sent, code) in enumerate(GARBAGE):
            with subtests.test(sent=sent):
                reader, writer = await open_raw(url)
                writer.write(sent)
                closed = await ending(reader)
                assert code.to_bytes(2, "big") in closed
                await push(client, [f"still here {number}"])
                assert f"still here {number}" in await asyncio.wait_for(healthy.recv(), 30)
                writer.close()


async def test_a_client_that_talks_is_hung_up_on(serving):
    async with serving() as url, tail(url) as chatty:
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                await chatty.send("hello?")
        assert closed.value.rcvd.code == 1008


async def test_one_who_never_reads_slows_nobody_and_learns_what_was_dropped(serving):
    lines = ["x" * 2000] * 500
    async with serving(log_tails={"buffer": "2MB"}) as url, asking(url) as client:
        reader, writer = await open_raw(url)
        async with tail(url, max_size=None) as healthy:
            given = 0
            for number in range(30):
                await push(client, [f"{number} {line}" for line in lines])
                while given < (number + 1) * len(lines):
                    told = json.loads(await asyncio.wait_for(healthy.recv(), 30))
                    assert "dropped" not in told
                    given += sum(len(each["values"]) for each in told["streams"])
        assert await metric(client, "holdfast_log_tail_lines_total") > given
        assert await metric(client, "holdfast_log_tail_buffer_bytes") < 8_000_000
        data = b""
        while b'"dropped":' not in data:
            data = data[-100:] + await asyncio.wait_for(reader.read(65536), 30)
        writer.close()


async def test_pings_without_reading_fill_no_memory(serving):
    async with serving() as url:
        reader, writer = await open_raw(url)
        ping = b"\x89\xfd" + bytes(4) + b"p" * 125
        with pytest.raises(OSError):
            for _ in range(2000):
                writer.write(ping * 1000)
                await asyncio.wait_for(writer.drain(), 60)
        writer.close()
        del reader


async def test_tails_beyond_the_limit_are_refused_and_the_place_of_the_killed_is_free(serving):
    async with serving(log_tails={"max_per_tenant": 3}) as url, asking(url) as client:
        async with AsyncExitStack() as opened:
            for _ in range(3):
                await opened.enter_async_context(tail(url))
            refusals = await asyncio.gather(*(refusal(url) for _ in range(200)))
            assert {answer.status_code for answer in refusals} == {429}
            assert refusals[0].headers["retry-after"] == "10"
            assert b"max concurrent tail requests limit exceeded, count > limit (4 > 3)" in refusals[0].body
        await until(lambda: is_zero(client))
        raw = [await open_raw(url) for _ in range(3)]
        for _, writer in raw:
            writer.transport.abort()  # as a client that is killed
        await until(lambda: is_zero(client))
        assert await metric(client, "holdfast_log_tail_duration_seconds_count") == 6
        async with tail(url):
            assert await metric(client, "holdfast_log_tails") == 1


async def is_zero(client):
    return await metric(client, "holdfast_log_tails") == 0


async def refusal(url):
    with pytest.raises(InvalidStatus) as refused:
        async with tail(url):
            pass
    return refused.value.response


async def test_a_stop_waits_for_nobody_who_does_not_read(serving):
    async with serving(web={"shutdown_grace": "1h"}) as url, asking(url) as client:
        links = [await open_raw(url) for _ in range(3)]
        for _ in range(20):
            await push(client, ["y" * 5000] * 200)
    for _, writer in links:
        writer.close()


async def test_a_tail_ends_when_it_is_too_old(serving):
    async with serving(log_tails={"max_age": "1s"}) as url, tail(url) as old:
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(old.recv(), 30)
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1011, "reached tail max duration limit")


FOREIGN = (({"Origin": "http://evil.example"}, 403), ({"Host": "evil.example"}, 403), ({"X-Scope-OrgID": "a|b"}, 400))


async def test_pages_of_other_sites_open_none(serving, subtests):
    async with serving() as url:
        address = urlsplit(url)
        for headers, status in FOREIGN:
            with subtests.test(headers=headers):
                head = {"Host": address.netloc, **headers}
                reader, writer = await asyncio.open_connection(address.hostname, address.port)
                lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
                upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="
                writer.write(f"GET {PATH} HTTP/1.1\r\n{lines}{upgrade}{key}\r\n\r\n".encode())
                assert (await ending(reader)).startswith(b"HTTP/1.1 %d" % status)
                writer.close()


async def test_what_is_no_tail_is_no_socket(serving):
    async with serving() as url:
        for path in ("/loki/api/v1/nothing", "/", "/api/v1/status"):
            with pytest.raises(InvalidStatus) as refused:
                async with connect(f"{url.replace('http', 'ws')}{path}", proxy=None):
                    pass
            assert refused.value.response.status_code in {403, 404}
