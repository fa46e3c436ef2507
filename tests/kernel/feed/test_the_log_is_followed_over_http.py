"""Pages of the log, and the live stream: resumed where it broke off, told apart by kind, ended at shutdown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
from prometheus_client import CollectorRegistry

from holdfast import web
from holdfast.kernel.auth import OpenGate
from holdfast.kernel.clock import FakeClock
from holdfast.kernel.events import EventLog, NewEvent
from holdfast.kernel.feed.routes import routes
from holdfast.kernel.permissions import Permission, Role
from holdfast.kernel.sql import Database
from holdfast.kernel.wiring import Wiring


@pytest.fixture
def migrations() -> tuple[str, ...]:
    return ("holdfast.kernel.events.migrations",)


@pytest.fixture
async def log(db: Database, fake_clock: FakeClock) -> EventLog:
    return EventLog(db, fake_clock)


@pytest.fixture
def front(log: EventLog) -> web.WebApp:
    wiring = Wiring("events", routers=(routes(log),), permissions=(Permission("events.read", Role.VIEWER, "Read."),))
    return web.build_app([wiring], gate=OpenGate(), registry=CollectorRegistry())


@asynccontextmanager
async def streaming(front: web.WebApp, **headers: str) -> AsyncIterator[asyncio.Queue[bytes]]:
    """Open the stream as an ASGI server would, and give the frames as they come."""
    frames: asyncio.Queue[bytes] = asyncio.Queue()
    gone = asyncio.Event()
    asked = asyncio.Event()
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/api/v1/events/stream",
        "raw_path": b"/api/v1/events/stream",
        "query_string": b"",
        "root_path": "",
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "headers": [(b"host", b"localhost"), *((k.replace("_", "-").encode(), v.encode()) for k, v in headers.items())],
    }

    async def receive() -> dict[str, Any]:
        if not asked.is_set():
            asked.set()
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            for frame in message.get("body", b"").split(b"\n\n"):
                if frame:
                    frames.put_nowait(frame)

    task = asyncio.create_task(front(scope, receive, send))
    try:
        yield frames
    finally:
        gone.set()
        await asyncio.wait_for(task, 60)


async def next_event(frames: asyncio.Queue[bytes]) -> dict[str, str]:
    while True:
        frame = (await asyncio.wait_for(frames.get(), 60)).decode()
        if frame.startswith("id:"):
            return dict(line.split(": ", 1) for line in frame.splitlines())


async def test_a_page_follows_the_page_before_it(log: EventLog, front: web.WebApp) -> None:
    await log.publish(*(NewEvent("check.changed", f"check/{number}") for number in range(5)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(front), base_url="http://localhost") as client:
        first = (await client.get("/api/v1/events?limit=3")).json()
        assert [event["seq"] for event in first["items"]] == [5, 4, 3]
        second = (await client.get(f"/api/v1/events?limit=3&before={first['next']}")).json()
        assert [event["seq"] for event in second["items"]] == [2, 1]
        assert second["next"] is None
        assert (await client.get("/api/v1/events?limit=0")).status_code == 422


async def test_a_stream_begins_with_what_happens_next(log: EventLog, front: web.WebApp) -> None:
    await log.publish(NewEvent("check.changed", "check/before"))
    async with streaming(front) as frames:
        assert b"following from 1" in await asyncio.wait_for(frames.get(), 60)
        await log.publish(NewEvent("check.changed", "check/a", {"to": "down"}))
        event = await next_event(frames)
        assert (event["id"], event["event"]) == ("2", "check.changed")
        assert orjson.loads(event["data"])["data"] == {"to": "down"}


async def test_a_stream_resumes_behind_the_last_event_that_was_seen(log: EventLog, front: web.WebApp) -> None:
    await log.publish(*(NewEvent("n", f"x/{number}") for number in range(4)))
    async with streaming(front, last_event_id="2") as frames:
        assert [(await next_event(frames))["id"] for _ in range(2)] == ["3", "4"]


async def test_a_closed_log_ends_its_streams(log: EventLog, front: web.WebApp) -> None:
    async with streaming(front) as frames:
        await asyncio.wait_for(frames.get(), 60)
        log.close()
