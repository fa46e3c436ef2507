"""An answer's head and body leave in one write; a head whose body is long in coming is not held up."""

from __future__ import annotations

import asyncio

import pytest

from holdfast.web.protocol import JoinedWrites

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"


class Wire:
    """A transport that notes what was written, each write for itself."""

    def __init__(self):
        self.written = []
        self.is_closed = False

    def write(self, data):
        self.written.append(data)

    def writelines(self, parts):
        self.written.append(b"".join(parts))

    def close(self):
        self.is_closed = True

    def get_extra_info(self, name):
        return name


@pytest.fixture
def wire():
    return Wire()


@pytest.fixture
async def transport(wire):
    return JoinedWrites(wire, asyncio.get_running_loop())


async def test_a_head_waits_for_its_body(wire, transport):
    transport.write(HEAD)
    assert wire.written == []
    transport.write(b"{}")
    assert wire.written == [HEAD + b"{}"]
    await asyncio.sleep(0)
    assert wire.written == [HEAD + b"{}"]


async def test_a_head_without_a_body_yet_leaves_with_the_loops_next_turn(wire, transport):
    transport.write(HEAD)
    await asyncio.sleep(0)
    assert wire.written == [HEAD]
    transport.write(b"data: 1\n\n")
    assert wire.written == [HEAD, b"data: 1\n\n"]


async def test_pipelined_answers_keep_their_order(wire, transport):
    for number in (b"1", b"2"):
        transport.write(HEAD)
        transport.write(number)
    transport.write(HEAD)
    transport.close()
    assert b"".join(wire.written) == HEAD + b"1" + HEAD + b"2" + HEAD
    assert wire.is_closed


async def test_a_body_that_looks_like_a_head_stays_a_body(wire, transport):
    for part in (HEAD, HEAD, b"end"):
        transport.write(part)
    assert b"".join(wire.written) == HEAD + HEAD + b"end"


async def test_all_else_is_the_transports(transport):
    assert transport.get_extra_info("peername") == "peername"
