"""One run live: server-sent events that carry the run, its steps and its log lines as they change."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Annotated, Final

import orjson
from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import StreamingResponse

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import BusyError
from holdfast.kernel.ids import TenantId
from holdfast.kernel.runs.changes import Changes
from holdfast.kernel.runs.desk import Desk
from holdfast.kernel.runs.documents import RunDetail
from holdfast.kernel.runs.lookups import StepWish
from holdfast.kernel.runs.model import RunState

HEARTBEAT_S: Final = 15.0
LONGEST_STREAM_S: Final = 600.0  # then clients connect again, and show again who they are
MAX_STREAMS: Final = 128
SHOWN_STEPS: Final = 500  # further ones are read in pages
LINES: Final = 1000
CALM_S: Final = 0.1  # between two looks: a fan-out of thousands must not become thousands of frames
LOOK_S: Final = 1.0  # where another process executes the run, nobody tells us
ENDS: Final = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED, RunState.STRANDED})

Reader = Annotated[Identity, Depends(requires("runs.read"))]


def routes(desk: Desk, changes: Changes, clock: Clock) -> APIRouter:
    """Build the router over `desk`; `changes` tells when to look."""
    router = APIRouter(tags=["runs"])
    streams = _Streams()

    @router.get(
        "/runs/{run_id}/stream",
        operation_id="streamRun",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}, "description": "Server-sent events."}},
    )
    async def stream_run(
        identity: Reader,
        run_id: Annotated[str, Path(max_length=100, description="The run's id.")],
        after: Annotated[int, Query(ge=0, le=2**62, description="Only log lines behind this one.")] = 0,
    ) -> StreamingResponse:
        """Follow one run: `run` carries a RunDetail, `step` a StepDocument, `log` a LogLineDocument.

        All of the run and its first 500 outer steps come at once, then each when it changes. The stream ends with the
        run; after ten minutes it ends too, and is asked for again.
        """
        await desk.get(identity.tenant, run_id)
        follower = _Follower(desk, changes, clock, (identity.tenant, run_id), after)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(streams.count(follower.frames()), media_type="text/event-stream", headers=headers)

    return router


class _Streams:
    """Bounds how many streams are open at once."""

    def __init__(self) -> None:
        self._open = 0

    def count(self, frames: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Pass `frames` on while holding one place; refuse when none is free."""
        if self._open >= MAX_STREAMS:
            raise BusyError(f"{MAX_STREAMS} runs are followed already", hint="close a console window")
        return self._hold(frames)

    async def _hold(self, frames: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        self._open += 1
        try:
            async for frame in frames:
                yield frame
        finally:
            self._open -= 1


class _Follower:
    """What one client has seen of one run."""

    def __init__(self, desk: Desk, changes: Changes, clock: Clock, spot: tuple[TenantId, str], after: int) -> None:
        self._desk, self._changes, self._clock = desk, changes, clock
        self._tenant, self._run_id = spot
        self._line = after
        self._seen: dict[str, bytes] = {}

    async def frames(self) -> AsyncIterator[bytes]:
        """Give what has changed whenever something has, until the run or the time is over."""
        self._changes.follow(self._run_id)
        try:
            yield b"retry: 2000\n\n"
            async for frame in self._follow():
                yield frame
        finally:
            self._changes.leave(self._run_id)

    async def _follow(self) -> AsyncIterator[bytes]:
        started_s = told_s = self._clock.monotonic()
        while self._clock.monotonic() - started_s < LONGEST_STREAM_S:
            seen = self._changes.version_of(self._run_id)
            run = await self._desk.get(self._tenant, self._run_id)
            async for frame in self._news(run):
                told_s = self._clock.monotonic()
                yield frame
            if run.state in ENDS:
                return
            if self._clock.monotonic() - told_s >= HEARTBEAT_S:
                told_s = self._clock.monotonic()
                yield b": still here\n\n"
            await asyncio.sleep(CALM_S)
            await self._changes.wait(self._run_id, seen, LOOK_S)

    async def _news(self, run: RunDetail) -> AsyncIterator[bytes]:
        """Give the frames of what differs from what was sent before; the run comes last: its end ends it all."""
        steps = await self._desk.list_steps(self._tenant, self._run_id, StepWish(), "", SHOWN_STEPS)
        for step in steps.items:
            if frame := self._frame(f"step {step.key}", "step", step):
                yield frame
        lines = await self._desk.read_log(self._tenant, self._run_id, None, self._line, LINES)
        for line in lines.items:
            self._line = line.seq
            yield _write("log", orjson.dumps(line, option=orjson.OPT_UTC_Z))
        if frame := self._frame("run", "run", run):
            yield frame

    def _frame(self, name: str, kind: str, document: object) -> bytes | None:
        data = orjson.dumps(document, option=orjson.OPT_UTC_Z)
        digest = hashlib.blake2b(data, digest_size=8).digest()
        if self._seen.get(name) == digest:
            return None
        self._seen[name] = digest
        return _write(kind, data)


def _write(kind: str, data: bytes) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), data)
