"""What goes over the WebSocket of one tail, until one side ends it; the client only listens.

Codes of closing: 1008 for a client that may not or does not behave, 1011 as Loki for an error and for a tail that is
too old.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from starlette.websockets import WebSocketDisconnect

from holdfast.kernel.errors import HoldfastError
from holdfast.resilience import timeout
from holdfast.telemetry.logs.tailing.frames import write_frames

if TYPE_CHECKING:
    from fastapi import WebSocket

    from holdfast.kernel.auth import Identity
    from holdfast.telemetry.logs.tailing.tails import Tail, Tails

POLICY: Final = 1008
FAILED: Final = 1011
_MOST_MESSAGES: Final = 1000  # of a client that has nothing to say
_ASKED_AGAIN_S: Final = 60.0  # after so long somebody shows again who they are
_GOODBYE_S: Final = 1.0
_MOST_REASON_BYTES: Final = 123  # RFC 6455, 5.5


class Closing(NamedTuple):
    """How a conversation ends; without a code the client has gone."""

    code: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One tail and its client; `identify` asks again who it is."""

    socket: WebSocket
    tail: Tail
    tails: Tails
    identify: Callable[[], Awaitable[Identity | HoldfastError]]

    async def run(self, *, is_categorized: bool) -> None:
        """Talk until the end."""
        parts = (self._tell(is_categorized=is_categorized), self._listen(), self._wait(), self._check())
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        endings = [task.result() for task in done]
        ending = min(endings, key=lambda closing: closing.code)  # none if the client has gone
        if ending.code:
            with suppress(TimeoutError, WebSocketDisconnect):  # whoever does not read is not waited for
                async with timeout(_GOODBYE_S):
                    await self.socket.close(ending.code, _short(ending.reason))

    async def _tell(self, *, is_categorized: bool) -> Closing:
        try:
            async with aclosing(self.tail.turns) as turns:
                async for turn in turns:
                    await self._send(write_frames(turn, is_categorized=is_categorized))
        except HoldfastError as error:
            return Closing(FAILED, error.message)
        except WebSocketDisconnect:
            return Closing()
        return Closing(FAILED, "the tail ended")

    async def _send(self, frames: Iterator[tuple[str, int]]) -> None:
        while True:
            async with self.tails.share.turn():
                frame = next(frames, None)
            if frame is None:
                return
            await self.socket.send_text(frame[0])
            self.tails.meters.given.inc(frame[1])

    async def _listen(self) -> Closing:
        for _ in range(_MOST_MESSAGES):
            if (await self.socket.receive())["type"] == "websocket.disconnect":
                return Closing()
        return Closing(POLICY, "nothing that is sent here is read")

    async def _wait(self) -> Closing:
        await self.tails.clock.sleep(self.tails.settings.max_age)
        return Closing(FAILED, "reached tail max duration limit")

    async def _check(self) -> Closing:
        while True:
            await self.tails.clock.sleep(_ASKED_AGAIN_S)
            found = await self.identify()
            if isinstance(found, HoldfastError):
                return Closing(POLICY, found.message)


def _short(reason: str) -> str:
    return reason.encode()[:_MOST_REASON_BYTES].decode("utf-8", "ignore")
