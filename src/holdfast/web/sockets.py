"""WebSockets on a connection, with the limits that uvicorn's protocol lacks: nobody who stops reading holds it open.

What a route sends waits until the client reads. What the protocol itself answers (pongs, closing) does not, so its
unsent bytes are bounded here, and a connection that is closed but never drained is cut off.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

MOST_MESSAGE_BYTES: Final = 64 * 1024
MOST_UNSENT_BYTES: Final = 8 * 1024 * 1024  # more than one message of ours holds
LINGER_S: Final = 5.0
STOP_LINGER_S: Final = 0.5


class BoundedSocket(WebSocketsSansIOProtocol):
    """One WebSocket."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._cut: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        if self._cut is not None:
            self._cut.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes, unless the client has left too much of ours unread."""
        if self.transport.get_write_buffer_size() > MOST_UNSENT_BYTES:
            self.transport.abort()
            return
        super().data_received(data)

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        """Give the client a while to read the rest."""
        super().on_task_complete(task)
        self._cut_after(LINGER_S)

    def handle_parser_exception(self) -> None:
        """Close because of what is no WebSocket message."""
        super().handle_parser_exception()
        self._cut_after(LINGER_S)

    def keepalive_timeout(self) -> None:
        """Close because no pong came."""
        super().keepalive_timeout()
        self._cut_after(LINGER_S)

    def shutdown(self) -> None:
        """Say that the server stops, to those who read."""
        super().shutdown()
        self._cut_after(STOP_LINGER_S if self.writable.is_set() else 0)

    def _cut_after(self, seconds: float) -> None:
        if self._cut is not None:
            self._cut.cancel()
        self._cut = self.loop.call_later(seconds, self.transport.abort)
