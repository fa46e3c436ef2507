"""How the conversation of a tail ends: by the client, an error, age, a lost right."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry
from starlette.websockets import WebSocketDisconnect

from holdfast.kernel.auth import ANONYMOUS
from holdfast.kernel.errors import DeniedError, TimedOutError
from holdfast.telemetry.logs.tailing import TailSettings
from holdfast.telemetry.logs.tailing.conversation import Conversation
from holdfast.telemetry.logs.tailing.frames import Turn
from holdfast.telemetry.logs.tailing.meters import TailMeters
from holdfast.telemetry.logs.tailing.share import Share
from holdfast.telemetry.logs.tailing.tails import Tail


class Socket:
    """A WebSocket in the hands of a test."""

    def __init__(self):
        self.come = asyncio.Queue()
        self.closed = ()
        self.is_gone = False

    async def receive(self):
        return await self.come.get()

    async def send_text(self, text):
        del text
        if self.is_gone:
            raise WebSocketDisconnect

    async def close(self, code, reason):
        self.closed = (code, reason)


class TailsOfATest:
    def __init__(self, clock):
        self.clock = clock
        self.share = Share(clock)
        self.settings = TailSettings(max_age=3600.0)
        self.meters = TailMeters(CollectorRegistry())


async def silence():
    await asyncio.Event().wait()
    yield Turn()


async def failure():
    yield Turn()
    raise TimedOutError("the query took " + "long, " * 100)


async def drop():
    yield Turn(missed_lines=1)


@pytest.fixture
def begin(fake_clock):
    """Begin a conversation; give its task, its socket and its tail."""
    tasks = []

    def start(turns, found=ANONYMOUS):
        async def identify():
            return found

        socket, tail = Socket(), Tail(turns, is_fed=True, moved=asyncio.Event())
        talk = Conversation(socket, tail, TailsOfATest(fake_clock), identify)
        task = asyncio.create_task(talk.run(is_categorized=False))
        tasks.append(task)
        return task, socket, tail

    yield start
    assert all(task.done() for task in tasks)


async def test_a_client_that_leaves_is_told_nothing(begin):
    task, socket, _ = begin(silence())
    socket.come.put_nowait({"type": "websocket.disconnect", "code": 1000})
    await task
    assert socket.closed == ()


async def test_a_client_that_is_gone_when_it_is_told_something_ends_it(begin):
    task, socket, _ = begin(drop())
    socket.is_gone = True
    await task
    assert socket.closed == ()


async def test_an_error_is_told_as_far_as_there_is_room(begin):
    task, socket, _ = begin(failure())
    await task
    code, reason = socket.closed
    assert (code, len(reason)) == (1011, 123)
    assert reason.startswith("the query took long")


async def test_a_tail_that_is_too_old_ends(begin, fake_clock):
    task, socket, _ = begin(silence())
    await fake_clock.advance(3599)
    assert not task.done()
    await fake_clock.advance(1)
    await task
    assert socket.closed == (1011, "reached tail max duration limit")


async def test_who_may_no_longer_read_is_closed_within_a_minute(begin, fake_clock):
    task, socket, _ = begin(silence(), found=DeniedError("revoked"))
    await fake_clock.advance(60)
    await task
    assert socket.closed == (1008, "revoked")


async def test_a_client_that_talks_too_much_is_closed(begin):
    task, socket, _ = begin(silence())
    for _ in range(1000):
        socket.come.put_nowait({"type": "websocket.receive", "text": "hello"})
    await task
    assert socket.closed[0] == 1008
