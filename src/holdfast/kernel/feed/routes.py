"""`GET /events` and `GET /events/stream`."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, Field

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.errors import BusyError
from holdfast.kernel.events import Event, EventLog, Times

HEARTBEAT_S: Final = 15.0
MAX_STREAMS: Final = 256
LONGEST_STREAM_S: Final = 600.0  # then clients connect again, and show again who they are

Seq = Annotated[int, Field(ge=0, le=2**63 - 1)]
SEQ: Final = re.compile(r"[0-9]{1,18}")
Reader = Annotated[Identity, Depends(requires("events.read"))]


@dataclass(frozen=True, slots=True)
class EventOut:
    """An event as the API shows it."""

    seq: int
    id: str
    kind: str
    subject: str
    service: str | None
    actor: str
    at: datetime
    correlation_id: str | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events, newest first unless `after` was given; `next` is the `before` (or `after`) of the page that follows."""

    items: list[EventOut]
    next: int | None


def _read_times(
    start: Annotated[AwareDatetime | None, Query(description="Only events of this time and later.")] = None,
    end: Annotated[AwareDatetime | None, Query(description="Only events before this time.")] = None,
) -> Times:
    return start, end


def routes(log: EventLog) -> APIRouter:
    """Build the router over `log`."""
    router = APIRouter(tags=["events"])
    streams = _Streams()

    @router.get("/events", operation_id="listEvents")
    async def list_events(
        *,
        identity: Reader,
        after: Annotated[Seq | None, Query(description="Only events behind this sequence number.")] = None,
        before: Annotated[Seq | None, Query(description="Only events before this sequence number.")] = None,
        kind: Annotated[list[str] | None, Query(description="Kinds, or prefixes that end in a dot.")] = None,
        subject: Annotated[str | None, Query(max_length=500)] = None,
        service: Annotated[str | None, Query(max_length=500)] = None,
        times: Annotated[Times, Depends(_read_times)],
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> EventPage:
        """List events, newest first; with `after`, oldest first."""
        events = await log.read(
            identity.tenant,
            after=after,
            before=before,
            kinds=kind or (),
            subject=subject,
            service=service,
            times=times,
            limit=limit,
        )
        following = events[-1].seq if len(events) == limit else None
        return EventPage([_out(event) for event in events], following)

    @router.get(
        "/events/stream",
        operation_id="streamEvents",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}, "description": "Server-sent events."}},
    )
    async def stream_events(
        identity: Reader,
        last_event_id: Annotated[str | None, Header(description="Resume behind this sequence number.")] = None,
        after: Annotated[Seq | None, Query(description="Resume behind this sequence number.")] = None,
    ) -> StreamingResponse:
        """Follow the log: `id` is the sequence number, `event` the kind, `data` the event as JSON.

        Starts behind `Last-Event-ID` or `after`, else with what happens next.
        """
        resumed = int(last_event_id) if last_event_id and SEQ.fullmatch(last_event_id) else after
        start = await log.head(identity.tenant) if resumed is None else resumed
        frames = streams.count(_frames(log, identity, start))
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(frames, media_type="text/event-stream", headers=headers)

    return router


class _Streams:
    """Bounds how many streams are open at once."""

    def __init__(self) -> None:
        self._open = 0

    def count(self, frames: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Pass `frames` on while holding one place; refuse when none is free."""
        if self._open >= MAX_STREAMS:
            raise BusyError(f"{MAX_STREAMS} event streams are open already", hint="close a console window")
        return self._hold(frames)

    async def _hold(self, frames: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        self._open += 1
        try:
            async for frame in frames:
                yield frame
        finally:
            self._open -= 1


async def _frames(log: EventLog, identity: Identity, start: int) -> AsyncIterator[bytes]:
    yield b"retry: 2000\n: following from %d\n\n" % start
    ends_at = time.monotonic() + LONGEST_STREAM_S
    async for event in log.tail(identity.tenant, after=start, idle_s=HEARTBEAT_S):
        yield b": still here\n\n" if event is None else _frame(event)
        if time.monotonic() >= ends_at:
            return


def _frame(event: Event) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.seq, event.kind.encode(), orjson.dumps(_out(event)))


def _out(event: Event) -> EventOut:
    return EventOut(**{field: getattr(event, field) for field in EventOut.__dataclass_fields__})
