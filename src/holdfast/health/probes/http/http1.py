"""One HTTP/1.1 request on a fresh connection, parsed by llhttp. HTTP/2 is in `http2`.

This is the hot path of the whole product, so it stays with callbacks and one future.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, cast

import httptools

from holdfast.health.probes.attempts import now_s
from holdfast.health.probes.faults import FaultError
from holdfast.health.probes.http.messages import Response
from holdfast.kernel.units import format_size

if TYPE_CHECKING:
    from holdfast.health.probes.http.messages import Request

MAX_HEADER_BYTES: Final = 64 * 1024
MAX_HEADERS: Final = 256
_HEADER_TOO_LARGE: Final = (
    f"the header of the answer is larger than {format_size(MAX_HEADER_BYTES)} or {MAX_HEADERS} lines"
)
_LENGTH_HEADERS: Final = frozenset({b"content-length", b"transfer-encoding"})


class Http1Exchange(asyncio.Protocol):
    """Sends one request and waits for the whole answer; `done` holds the Response or what went wrong."""

    __slots__ = (
        "_chunks",
        "_has_length",
        "_headers",
        "_is_head",
        "_keeps_body",
        "_limit",
        "_parser",
        "_request",
        "_size",
        "_status",
        "_transport",
        "_unparsed_bytes",
        "done",
        "ended_s",
        "first_s",
        "sent_s",
    )

    def __init__(self, request: bytes, *, is_head: bool, keeps_body: bool, limit: int) -> None:
        self.done: asyncio.Future[Response | Exception] = asyncio.get_running_loop().create_future()
        self.sent_s = self.first_s = self.ended_s = 0.0
        self._request = request
        self._is_head = is_head
        self._keeps_body = keeps_body
        self._limit = limit
        self._parser: httptools.HttpResponseParser | None = None
        self._transport: asyncio.Transport | None = None
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._unparsed_bytes = 0
        self._has_length = False
        self._chunks: list[bytes] = []
        self._size = 0

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self._parser = httptools.HttpResponseParser(self)
        self.sent_s = now_s()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Parse what arrived."""
        parser = self._parser
        if parser is None:
            return
        if not self.first_s:
            self.first_s = now_s()
        if not self._status:
            self._unparsed_bytes += len(data)
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._finish()
        except httptools.HttpParserError as error:
            self._fail(f"the answer is not HTTP/1.1: {str(error).lower()}")
        if not self._status and self._unparsed_bytes > MAX_HEADER_BYTES:
            self._fail(_HEADER_TOO_LARGE)

    def connection_lost(self, exc: Exception | None) -> None:
        """Judge whether the end of the connection is the end of the answer (RFC 9112, 6.3)."""
        if self._parser is None or self.done.done():
            return
        if exc is not None:
            self.done.set_result(exc)
        elif self._status and not self._has_length:
            self._finish()
        elif self.first_s:
            self._fail(f"the answer broke off after {self._size} bytes of its body")
        else:
            self._fail("the server closed the connection without an answer")

    # What the parser calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep one header; names compare without case."""
        lowered = name.lower()
        self._headers.append((lowered, value))
        if lowered in _LENGTH_HEADERS:
            self._has_length = True
        if len(self._headers) > MAX_HEADERS:
            self._fail(_HEADER_TOO_LARGE)

    def on_headers_complete(self) -> None:
        """Note the status; an answer to HEAD ends here."""
        if self._parser is None:
            return
        self._status = self._parser.get_status_code()
        if self._is_head and self._status >= 200:
            self._finish()

    def on_body(self, data: bytes) -> None:
        """Count the body, and keep it if somebody will look at it."""
        self._size += len(data)
        if self._size > self._limit:
            self._fail(f"the body is larger than {format_size(self._limit)}")
        elif self._keeps_body:
            self._chunks.append(data)

    def on_message_complete(self) -> None:
        """End the exchange, unless this was an interim answer (RFC 9110, 15.2)."""
        if 100 <= self._status < 200 and self._status != 101:
            self._status, self._unparsed_bytes, self._has_length = 0, 0, False
            self._headers = []
        else:
            self._finish()

    def _finish(self) -> None:
        if self._parser is None:
            return
        self.ended_s = now_s()
        response = Response(self._status, self._parser.get_http_version(), self._headers, self._limit)
        response.size = self._size
        if self._chunks:
            response.raw = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._close()
        if not self.done.done():
            self.done.set_result(response)

    def _fail(self, message: str) -> None:
        self._close()
        if not self.done.done():
            self.done.set_result(FaultError(message))

    def _close(self) -> None:
        self._parser = None  # it holds our methods: a circle that only the garbage collector would undo
        if self._transport is not None:
            self._transport.abort()


def serialise(request: Request) -> bytes:
    """Write `request` as RFC 9112 has it, asking the server to close the connection afterwards."""
    lines = [f"{request.method} {request.url.target} HTTP/1.1", f"Host: {request.authority}"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    if request.body or request.method in {"POST", "PUT", "PATCH"}:
        lines.append(f"Content-Length: {len(request.body)}")
    lines.append("Connection: close\r\n\r\n")
    return "\r\n".join(lines).encode("utf-8") + request.body
