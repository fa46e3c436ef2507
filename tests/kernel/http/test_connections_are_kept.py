"""Connections are used again, origin by origin, and one that the other side has closed costs nobody an answer."""

from __future__ import annotations

import asyncio

import pytest

from fixtures.peers import peer
from holdfast.kernel.errors import BusyError, UnavailableError
from holdfast.kernel.http import Call, OutboundHttp, PeerError
from holdfast.kernel.http.settings import OutboundSettings
from holdfast.kernel.secrets import Redactor

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Keeping:
    """A server that keeps connections open and answers `turns` calls on each before it hangs up unasked."""

    def __init__(self, turns: int) -> None:
        self.turns = turns
        self.connections = 0
        self.calls = 0

    async def __call__(self, reader, writer):
        self.connections += 1
        for turn in range(self.turns + 1):
            try:
                await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                return
            self.calls += 1
            if turn == self.turns:  # reads the call, but is gone before it answers
                return
            writer.write(OK)
            await writer.drain()


@pytest.fixture
async def outbound():
    client = OutboundHttp(OutboundSettings(max_connections=2, read_timeout=0.2), Redactor())
    yield client
    await client.aclose()


async def test_calls_to_one_origin_share_a_connection(outbound):
    first, second = Keeping(10), Keeping(10)
    async with peer(first) as one, peer(second) as two:
        for _ in range(3):
            assert (await outbound.get(f"http://127.0.0.1:{one}/", purpose="test")).body == b"ok"
            assert (await outbound.get(f"http://127.0.0.1:{two}/", purpose="test")).body == b"ok"
        await outbound.aclose()
    assert (first.connections, second.connections, first.calls, second.calls) == (1, 1, 3, 3)


async def test_a_kept_connection_that_is_gone_is_replaced(outbound):
    server = Keeping(1)
    async with peer(server) as port:
        for _ in range(3):
            assert (await outbound.get(f"http://127.0.0.1:{port}/", purpose="test")).body == b"ok"
        await outbound.aclose()
    assert server.connections == 3


async def test_what_may_have_had_an_effect_is_not_sent_again(outbound):
    server = Keeping(1)
    async with peer(server) as port:
        await outbound.get(f"http://127.0.0.1:{port}/", purpose="test")
        with pytest.raises((PeerError, UnavailableError)):
            await outbound.post_json(f"http://127.0.0.1:{port}/", {}, purpose="test")
        await outbound.aclose()
    assert server.calls == 2


async def test_calls_to_all_origins_together_are_bounded_and_a_turn_comes_back(outbound):
    waiting = asyncio.Event()

    async def slow(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        await waiting.wait()
        writer.write(OK)
        await writer.drain()

    unhurried = OutboundHttp(OutboundSettings(max_connections=2, read_timeout=5.0), Redactor())
    async with peer(slow) as one, peer(slow) as two, peer(Keeping(9)) as three:
        busy = [asyncio.create_task(unhurried.get(f"http://127.0.0.1:{p}/", purpose="test")) for p in (one, two)]
        third = asyncio.create_task(unhurried.get(f"http://127.0.0.1:{three}/", purpose="test"))
        done, _ = await asyncio.wait([third], timeout=0.1)
        assert not done
        waiting.set()
        assert [answer.body for answer in await asyncio.gather(*busy, third)] == [b"ok"] * 3
        await unhurried.aclose()


async def test_a_call_that_gets_no_turn_says_which_limit():
    impatient = OutboundHttp(OutboundSettings(max_connections=1, read_timeout=0.1), Redactor())
    begun, over = asyncio.Event(), asyncio.Event()

    async def holds(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        begun.set()
        await over.wait()

    async with peer(holds) as port:
        call = Call("GET", f"http://127.0.0.1:{port}/", "test", timeout_s=5.0)
        patient = asyncio.create_task(anext(aiter(impatient.lines(call))))
        await begun.wait()
        with pytest.raises(BusyError, match="all 1 outbound connections"):
            await impatient.get(f"http://127.0.0.1:{port}/", purpose="test")
        over.set()
        with pytest.raises(PeerError):
            await patient
        await impatient.aclose()
