"""The request fence: one log line per request, and an answer even when the code behind it broke.

What machines ask all the time is told at debug level while it is answered well and in time; its metrics tell of it.
This is one of the four places that may catch everything. What it catches is logged with its traceback and told to the
client only as a correlation id.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Final

from holdfast import journal
from holdfast.kernel.errors import BusyError
from holdfast.web.asgi import send_problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.web.asgi import AsgiApp, Message, Receive, Scope, Send

_OPENED: Final = 101
_SLOW_S: Final = 1.0  # from here on a request is told of wherever it goes

log = journal.get_logger("holdfast.web")


class Fence:
    """Wraps the app, and answers at most so many requests at once.

    Put `AsgiMiddleware` of `instrument` around it, which binds the correlation id.
    """

    def __init__(self, app: AsgiApp, *, most_at_once: int, is_told: Callable[[str], bool]) -> None:
        """Wrap.

        Args:
            app: what answers.
            most_at_once: requests; those beyond are told to come back.
            is_told: tells of a path whether all its requests are told of, at info level.
        """
        self._app = app
        self._most_at_once = most_at_once
        self._is_told = is_told
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "websocket":
            await self._serve_socket(scope, receive, send)
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(send)
        started = time.perf_counter()
        self._running += 1
        try:
            self._refuse_crowd()
            await self._app(scope, receive, exchange.send)
        except BusyError as error:
            await send_problem(exchange.send, error)
        except Exception as error:  # the request fence
            log.exception("request_broke", path=scope["path"], error=type(error).__name__)
            if not exchange.status:
                await send_problem(exchange.send, error)
        finally:
            self._running -= 1
            self._write_line(scope, exchange, (exchange.ended_s or time.perf_counter()) - started)

    async def _serve_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a WebSocket; what a route or a middleware answers as HTTP becomes the refusal of its opening."""
        exchange = _SocketExchange(send)
        started = time.perf_counter()
        try:
            await self._app(scope, receive, exchange.send)
        except Exception as error:  # the request fence
            if not (isinstance(error, OSError) and exchange.status == _OPENED):  # as servers tell that the client left
                log.exception("socket_broke", path=scope["path"], error=type(error).__name__)
                await exchange.give_up(error)
        finally:
            self._write_line(scope, exchange, time.perf_counter() - started)

    def _write_line(self, scope: Scope, exchange: _Exchange | _SocketExchange, duration_s: float) -> None:
        status = exchange.status or 499  # the client left before there was an answer
        is_quiet = status < 400 and duration_s < _SLOW_S and not self._is_told(scope["path"])
        write = log.debug if is_quiet else log.warning if status >= 500 else log.info
        client = scope.get("client")
        write(
            "request",
            method=scope.get("method", "WEBSOCKET"),
            path=scope["path"],
            status=status,
            duration_ms=round(duration_s * 1000, 2),
            sent_bytes=exchange.sent_bytes,
            client=client[0] if client else None,
        )

    def _refuse_crowd(self) -> None:
        if self._running > self._most_at_once:
            raise BusyError(
                f"{self._most_at_once} requests are being answered already", hint="slow down, or raise web.max_requests"
            )


class _Exchange:
    __slots__ = ("_send", "ended_s", "sent_bytes", "status")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0
        self.sent_bytes = 0
        self.ended_s = 0.0  # when the last byte was sent; not yet is 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            await self._send(message)
            return
        self.sent_bytes += len(message.get("body", b""))
        await self._send(message)
        if not message.get("more_body", False):
            self.ended_s = time.perf_counter()


class _SocketExchange:
    __slots__ = ("_send", "sent_bytes", "status")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0
        self.sent_bytes = 0

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if kind.startswith("http.response."):
            kind = f"websocket.{kind}"
        if kind == "websocket.accept":
            self.status = _OPENED
        elif kind == "websocket.http.response.start":
            self.status = message["status"]
        elif kind == "websocket.send":
            self.sent_bytes += len(message.get("bytes") or message.get("text") or b"")
        elif kind == "websocket.close":
            self.status = self.status or 403
        await self._send({**message, "type": kind})

    async def give_up(self, error: Exception) -> None:
        """Refuse the opening, or close what is open; a client that has gone is told nothing."""
        with contextlib.suppress(OSError):  # as servers tell that
            if not self.status:
                await send_problem(self.send, error)
            elif self.status == _OPENED:
                await self.send({"type": "websocket.close", "code": 1011, "reason": "something went wrong"})
