"""Where jobs call: `/heartbeats/{key}`, open to whoever knows the key, by GET or POST, with curl or wget."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Request

from holdfast.health.heartbeats.book import MAX_MESSAGE_CHARS, HeartbeatBook
from holdfast.health.heartbeats.judging import Signal
from holdfast.health.views import CallAnswer
from holdfast.kernel.auth import public

MAX_BODY_BYTES: Final = 16 * 1024

Key = Annotated[str, Path(max_length=200, description="The secret part of the heartbeat's address.")]


def routes(book: HeartbeatBook) -> APIRouter:
    """Build the router over `book`."""
    router = APIRouter(tags=["heartbeats"], dependencies=[Depends(public("the key in the path is the authority"))])

    async def take(request: Request, key: str, signal: Signal) -> CallAnswer:
        await book.call(key, signal, await _read_message(request))
        return CallAnswer("ok")

    @router.post("/heartbeats/{key}", operation_id="callHeartbeat")
    async def call(request: Request, key: Key) -> CallAnswer:
        """Say that the job succeeded; the body's first line, if any, is shown with the check."""
        return await take(request, key, Signal.SUCCESS)

    @router.post("/heartbeats/{key}/start", operation_id="callHeartbeatStart")
    async def call_start(request: Request, key: Key) -> CallAnswer:
        """Say that the job starts, so that its time is taken and a job that hangs is noticed."""
        return await take(request, key, Signal.START)

    @router.post("/heartbeats/{key}/fail", operation_id="callHeartbeatFail")
    async def call_fail(request: Request, key: Key) -> CallAnswer:
        """Say that the job failed."""
        return await take(request, key, Signal.FAIL)

    # Cron jobs often have only `wget -q`; a GET that changes something is the price, and the key guards it.
    for path, endpoint in (("", call), ("/start", call_start), ("/fail", call_fail)):
        router.add_api_route(f"/heartbeats/{{key}}{path}", endpoint, methods=["GET"], include_in_schema=False)
    return router


async def _read_message(request: Request) -> str:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) >= MAX_BODY_BYTES:
            break
    lines = bytes(body[:MAX_BODY_BYTES]).decode("utf-8", "replace").strip().splitlines()
    text = "".join(letter if letter.isprintable() else " " for letter in lines[0]) if lines else ""
    return text[:MAX_MESSAGE_CHARS]
