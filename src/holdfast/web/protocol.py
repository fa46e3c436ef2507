"""HTTP/1.1 on a connection, with the two limits that uvicorn's protocol lacks: how long and how large a head may be.

Without them one client could hold connections open for nothing, or fill the memory with headers. Bodies are bounded in
`bodies`. A short answer leaves in one packet: two would wake its reader twice.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD_BYTES: Final = 64 * 1024
HEAD_TIMEOUT_S: Final = 10.0
_CROWDED: Final = 0.75  # of the connections that there may be
_ANSWER: Final = b"HTTP/1."
_HEAD_END: Final = b"\r\n\r\n"
_TOO_LARGE: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class JoinedWrites:
    """A transport whose writes of the loop's one turn leave together, in their order."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""

    def write(self, data: bytes) -> None:
        """Hold an answer's head until its body comes; everything else leaves at once, behind what is held."""
        head = self._head
        if head:
            self._head = b""
            self._transport.writelines((head, data))
        elif data.startswith(_ANSWER) and data.endswith(_HEAD_END):
            self._head = data
            self._loop.call_soon(self._release)  # a body that is long in coming holds up no head
        else:
            self._transport.write(data)

    def _release(self) -> None:
        head, self._head = self._head, b""
        if head:
            self._transport.write(head)

    def close(self) -> None:
        """Close once everything is written."""
        self._release()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class BoundedHttp(HttpToolsProtocol):
    """One connection; a head that is too large is answered with 431, one that does not arrive is hung up on."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_in_head = True
        self._is_between = True  # requests: what comes next is a head from its first byte on
        self._begun = 0  # heads in the piece at hand
        self._head_bytes = 0
        self._hang_up: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self.transport = cast("asyncio.Transport", JoinedWrites(transport, self.loop))
        self._wait_for_head()
        if self.limit_concurrency and len(self.connections) > self.limit_concurrency * _CROWDED:
            self._hang_up_idle()

    def _hang_up_idle(self) -> None:
        """Close connections that ask nothing now, so that who wants to ask is not told that there are too many."""
        for each in list(self.connections):
            if getattr(each, "timeout_keep_alive_task", None) is not None:  # it has its answer, and was kept open
                each.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what belongs to a head that is not complete.

        The piece in which a head begins may hold the end of something else too: then only parsed headers count of it.
        Else it counts whole, as the pieces after it do, which may be one endless header.
        """
        self._head_bytes += len(data)
        was_between, self._begun = self._is_between, 0
        super().data_received(data)
        if self._is_in_head and not self.transport.is_closing():
            if was_between and self._begun == 1:
                self._head_bytes = len(data)
            self._bound_head()

    def _bound_head(self) -> None:
        """Refuse a head that is too large already, and wait for the rest of another one."""
        if not self._head_bytes:
            self._head_bytes = sum(len(name) + len(value) for name, value in self.headers)
        if self._head_bytes > MOST_HEAD_BYTES:
            self.transport.write(_TOO_LARGE)
            self.transport.close()
        elif self._hang_up is None:  # most heads come in one piece, for which nobody waits
            self._wait_for_head()

    def on_message_begin(self) -> None:
        """Begin a head."""
        super().on_message_begin()
        self._begun += 1
        self._is_between = False
        self._head_bytes = 0
        self._is_in_head = True

    def on_headers_complete(self) -> None:
        """End it."""
        self._is_in_head = False
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End the request; the next one begins with the next byte."""
        self._is_between = True
        super().on_message_complete()

    def _wait_for_head(self) -> None:
        self._hang_up = self.loop.call_later(HEAD_TIMEOUT_S, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._hang_up is not None:
            self._hang_up.cancel()
            self._hang_up = None
