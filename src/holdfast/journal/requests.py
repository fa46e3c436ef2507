"""Puts requests of web frameworks into context: ids from the headers, all lines of a failed one, one line about each.

Metrics and spans of requests are the work of `holdfast.instrument`; inside its middleware this one takes its ids.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator, MutableMapping
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from holdfast.journal.carriers import BAGGAGE_FIELDS, extract, inject
from holdfast.journal.context import CORRELATION_ID, REQUEST_ID, SPAN_ID, TRACE_ID, TRACESTATE, bind, bound_fields
from holdfast.journal.holding import keep_on_error
from holdfast.journal.loggers import get_logger

LOG: Final = get_logger("holdfast.journal.requests")
SERVED: Final = "request_served"
PASSED_ON: Final = ("x-request-id", "x-correlation-id")

Scope = MutableMapping[str, Any]
Asgi = Callable[[Scope, Callable[..., Any], Callable[..., Any]], Awaitable[None]]


class Request:
    """One request on its way."""

    __slots__ = ("fields", "held", "started_s", "status")

    def __init__(self, fields: dict[str, Any], held: keep_on_error | None) -> None:
        self.fields = fields
        self.held = held
        self.started_s = time.perf_counter()
        self.status = 0

    def response_headers(self) -> list[tuple[str, str]]:
        """Give what the response tells whoever asked."""
        return [("x-request-id", str(self.fields[REQUEST_ID])), ("x-correlation-id", str(self.fields[CORRELATION_ID]))]


class _Requests:
    """What the middlewares share.

    Args:
        app: What is wrapped.
        keeps_on_error: Keep every line of a request that fails (an error, or a status of 500 and above), whatever the
            level and sampling say.
        logs_requests: Write `request_served` with method, path, status and duration when a request is over.
        baggage: The members of W3C baggage that become fields.
    """

    def __init__(
        self,
        app: Any,
        *,
        keeps_on_error: bool = False,
        logs_requests: bool = True,
        baggage: Iterable[str] = BAGGAGE_FIELDS,
    ) -> None:
        self.app = app
        self._keeps_on_error = keeps_on_error
        self._logs_requests = logs_requests
        self._baggage = tuple(baggage)

    @contextmanager
    def _around(self, headers: Any, method: str, path: str) -> Iterator[Request]:
        outer = bound_fields()
        fields = extract(headers, baggage=self._baggage)
        if outer.get(TRACE_ID, fields.get(TRACE_ID)) != fields.get(TRACE_ID):
            fields.pop(TRACESTATE, None)
        fields |= {name: outer[name] for name in (CORRELATION_ID, TRACE_ID, SPAN_ID, TRACESTATE) if name in outer}
        fields.setdefault(REQUEST_ID, fields[CORRELATION_ID])
        with ExitStack() as stack:
            stack.enter_context(bind(**fields))
            held = stack.enter_context(keep_on_error()) if self._keeps_on_error else None
            request = Request(fields, held)
            try:
                yield request
            except BaseException:
                request.status = request.status or 500
                raise
            finally:
                self._end(request, method, path)

    def _end(self, request: Request, method: str, path: str) -> None:
        if request.held is not None and request.status >= 500:
            request.held.release()
        if self._logs_requests:
            duration_ms = round((time.perf_counter() - request.started_s) * 1000, 3)
            LOG.info(SERVED, method=method, path=path, status=request.status, duration_ms=duration_ms)


class AsgiContext(_Requests):
    """Wraps an ASGI app: `app = AsgiContext(app, keeps_on_error=True)`."""

    async def __call__(self, scope: Scope, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        """Serve one request or WebSocket; other scopes pass."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        with self._around(scope["headers"], scope.get("method", "WEBSOCKET"), scope["path"]) as request:

            async def tell(message: MutableMapping[str, Any]) -> None:
                if message["type"] in {"http.response.start", "websocket.accept"}:
                    request.status = message.get("status", 101)
                    known = list(message.get("headers", ()))
                    names = {name.lower() for name, _ in known}
                    ours = [(name.encode(), value.encode()) for name, value in request.response_headers()]
                    message = {**message, "headers": [*known, *(pair for pair in ours if pair[0] not in names)]}
                await send(message)

            await self.app(scope, receive, tell)


class WsgiContext(_Requests):
    """Wraps a WSGI app: `app = WsgiContext(app)`. The body that the app yields is made inside the context too."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve one request."""
        headers = [(name[5:], value) for name, value in environ.items() if name.startswith("HTTP_")]
        return self._serve(headers, environ, start_response)

    def _serve(self, headers: Any, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        with self._around(headers, environ.get("REQUEST_METHOD", ""), environ.get("PATH_INFO", "")) as request:

            def start(status: str, pairs: list[tuple[str, str]], *rest: Any) -> Any:
                request.status = int(status.split(" ", 1)[0])
                names = {name.lower() for name, _ in pairs}
                ours = [pair for pair in request.response_headers() if pair[0] not in names]
                return start_response(status, [*pairs, *ours], *rest)

            body = self.app(environ, start)
            try:
                yield from body
            finally:
                if hasattr(body, "close"):
                    body.close()


class _Done:
    """An answer that async clients may await and sync clients may ignore."""

    def __await__(self) -> Generator[None, None, None]:
        yield from ()


def httpx_hook(request: Any) -> _Done:
    """Send the ids of what runs now with a request of httpx, async or not: `event_hooks={"request": [httpx_hook]}`."""
    inject(request.headers)
    return _Done()


def grpc_metadata(metadata: Iterable[tuple[str, Any]] = ()) -> tuple[tuple[str, Any], ...]:
    """Give gRPC metadata with the ids of what runs now: `stub.Reserve(request, metadata=grpc_metadata())`."""
    given = tuple(metadata)
    names = {name for name, _ in given}
    return (*given, *(pair for pair in inject().items() if pair[0] not in names))
