"""Ends server-sent event streams when the server stops: they never end by themselves, and would hold it up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from holdfast.web.asgi import header

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from holdfast.web.asgi import AsgiApp, Message, Receive, Scope, Send


class EndableStreams:
    """Wraps the app and remembers which requests are streams of events."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self._open: set[asyncio.Task[object]] = set()
        self._is_closing = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        task = asyncio.current_task()
        assert task is not None

        def watch(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                kind = header(message.get("headers", []), b"content-type") or b""
                if kind.startswith(b"text/event-stream"):
                    self._open.add(task)
            return send(message)

        try:
            await self._app(scope, receive, watch)
        except asyncio.CancelledError:
            if not (self._is_closing and task in self._open):
                raise
            task.uncancel()
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._open.discard(task)

    def end_all(self) -> None:
        """Let every open stream end as if it were complete; clients reconnect by themselves."""
        self._is_closing = True
        for task in self._open:
            task.cancel()
