"""Bounds request bodies, declared or chunked, and decompresses them within the same bound.

Behind it every route sees plain bytes and may read all of them. Only snappy is left to the routes that speak it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from holdfast.kernel.errors import HoldfastError, InvalidError
from holdfast.kernel.http import BoundedDecoder, SlowBodyError, TooLargeError
from holdfast.resilience import timeout
from holdfast.web.asgi import header, send_problem

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from holdfast.web.asgi import AsgiApp, Message, Receive, Scope, Send


LONGEST_SILENCE_S: Final = 30.0
_SHORTEST_S: Final = 0.001
LEAST_BYTES_PER_S: Final = 2_000.0  # of a body that takes longer than that, so that none is fed byte by byte for hours
LEFT_TO_ROUTES: Final = "snappy"  # its blocks are whole messages of remote write, bounded by their own settings
_OF_BODIES: Final = frozenset({b"content-length", b"transfer-encoding"})  # lower case, as ASGI has it
DECODED: Final = "holdfast.decoded"  # in the scope of a request whose body was compressed


class BoundedBodies:
    """Refuses a body of more than `limit` bytes, before and after decompression."""

    def __init__(self, app: AsgiApp, *, limit: int) -> None:
        self._app = app
        self._limit = limit

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request."""
        if scope["type"] in {"http", "websocket"} and _has_nul(scope):
            return send_problem(send, InvalidError("the path or query holds a zero byte"))
        if scope["type"] != "http" or (scope["method"] == "GET" and not _has_body(scope)):
            return self._app(scope, receive, send)
        return self._bound(scope, receive, send)

    async def _bound(self, scope: Scope, receive: Receive, send: Send) -> None:
        encoding = (header(scope["headers"], b"content-encoding") or b"").decode("latin-1")
        try:
            self._refuse_declared(header(scope["headers"], b"content-length"))
            is_left = encoding.strip().lower() == LEFT_TO_ROUTES
            body = _Body(receive, "" if is_left else encoding, self._limit)
        except HoldfastError as error:
            await send_problem(send, error)
            return
        if encoding and not is_left:
            plain = {b"content-encoding", b"content-length"}
            scope = {
                **scope,
                DECODED: encoding,
                "headers": [pair for pair in scope["headers"] if pair[0].lower() not in plain],
            }
        await self._app(scope, body.receive, send)

    def _refuse_declared(self, length: bytes | None) -> None:
        if length is None:
            return
        if not length.isdigit():
            raise InvalidError("the Content-Length is not a number")
        if int(length) > self._limit:
            raise TooLargeError(
                f"the body is {int(length)} bytes, more than the limit of {self._limit}",
                hint="send less at once, or raise web.max_body",
            )


def _has_nul(scope: Scope) -> bool:
    """Tell of a zero byte in the path or query: no name holds one, and PostgreSQL cannot even compare with it."""
    return "\x00" in scope["path"] or b"%00" in scope["query_string"]


def _has_body(scope: Scope) -> bool:
    """Tell whether anything follows the head (RFC 9112, 6.3)."""
    for name, _ in scope["headers"]:  # noqa: SIM110 -- a generator takes three times as long, for every request
        if name in _OF_BODIES:
            return True
    return False


class _Body:
    __slots__ = ("_arrived", "_decoder", "_is_whole", "_limit", "_receive", "_waited_s")

    def __init__(self, receive: Receive, encoding: str, limit: int) -> None:
        self._receive = receive
        self._decoder = BoundedDecoder(encoding, limit)
        self._limit = limit
        self._arrived = 0
        self._waited_s = 0.0
        self._is_whole = False

    async def receive(self) -> Message:
        if self._is_whole:  # what comes now is only that the client has gone
            return await self._receive()
        rest_s = LONGEST_SILENCE_S + self._arrived / LEAST_BYTES_PER_S - self._waited_s
        began_s = time.monotonic()
        try:
            async with timeout(max(_SHORTEST_S, min(LONGEST_SILENCE_S, rest_s))):
                message = await self._receive()
        except TimeoutError:
            raise SlowBodyError(
                f"of the body {self._arrived} bytes arrived, and no more in time",
                hint=f"send without pauses of {LONGEST_SILENCE_S:g} s, and {LEAST_BYTES_PER_S:g} bytes a second",
            ) from None
        self._waited_s += time.monotonic() - began_s
        if message["type"] != "http.request":
            return message
        body = message.get("body", b"")
        self._arrived += len(body)
        if self._arrived > self._limit:
            raise TooLargeError(
                f"the body is larger than the limit of {self._limit} bytes",
                hint="send less at once, or raise web.max_body",
            )
        plain = self._decoder.feed(body) if body else b""
        if not message.get("more_body", False):
            self._is_whole = True
            self._decoder.finish()
        return {**message, "body": plain}
