"""`OutboundHttp.lines`: lines as they come; a silence or a line that is too long ends it; addresses are judged."""

from __future__ import annotations

import pytest

from fixtures.peers import peer, says, says_nothing
from holdfast.kernel.errors import TimedOutError
from holdfast.kernel.http import (
    AddressRefusedError,
    AnswerTooLargeError,
    Call,
    OutboundHttp,
    OutboundSettings,
    PeerError,
)
from holdfast.kernel.secrets import Redactor

_HEAD = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"


@pytest.fixture
async def client():
    made = OutboundHttp(OutboundSettings(), Redactor())
    yield made
    await made.aclose()


async def _lines(client, url, **fields):
    return [line async for line in client.lines(Call("GET", url, "test", **fields))]


async def test_each_line_is_given_and_what_has_no_end_is_not(client):
    async with peer(says(_HEAD + b"one\ntwo\nhalf")) as port:
        assert await _lines(client, f"http://127.0.0.1:{port}/") == [b"one", b"two"]


async def test_another_status_is_an_error(client):
    async with peer(says(b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n")) as port:
        with pytest.raises(PeerError, match="status 410"):
            await _lines(client, f"http://127.0.0.1:{port}/")


async def test_a_line_without_an_end_is_bounded(client):
    async with peer(says(_HEAD + b"x" * 5000)) as port:
        with pytest.raises(AnswerTooLargeError, match="larger than 100 bytes"):
            await _lines(client, f"http://127.0.0.1:{port}/", max_bytes=100)


async def test_a_silence_is_bounded(client):
    async with peer(says_nothing) as port:
        with pytest.raises(TimedOutError):
            await _lines(client, f"http://127.0.0.1:{port}/", timeout_s=0.1)


async def test_an_address_that_is_refused_stays_refused(client):
    with pytest.raises(AddressRefusedError):
        await _lines(client, "http://169.254.169.254/")
