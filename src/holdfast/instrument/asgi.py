"""Watches the requests of any ASGI app: RED metrics, sizes, a server span, the ids that join log lines and services.

Put it outermost. It passes messages through untouched, streams included, and holds no body.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace import SpanKind, Status, StatusCode
from prometheus_client import REGISTRY, CollectorRegistry

from holdfast import journal
from holdfast.instrument.labels import label_error, label_method
from holdfast.instrument.red import Exchange, ServerMetrics, server_metrics
from holdfast.instrument.routes import find_route_template
from holdfast.instrument.tracing import ACCEPTABLE_ID, TRACER_NAME, exemplar_of, is_untraced, parent_of, trace_fields

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

CORRELATION_HEADER: Final = b"x-correlation-id"
WATCHED: Final = "holdfast.watched"
CLIENT_WENT_AWAY: Final = 499  # as nginx logs it: there is no official status for it


class HeaderGetter(Getter[Scope]):
    """Reads trace headers out of an ASGI scope."""

    def get(self, carrier: Scope, key: str) -> list[str] | None:
        """Give the values of header `key`, or None."""
        wanted = key.lower().encode()
        return [value.decode("latin-1") for name, value in carrier.get("headers", ()) if name == wanted] or None

    def keys(self, carrier: Scope) -> list[str]:
        """Give the names of all headers."""
        return [name.decode("latin-1") for name, _ in carrier.get("headers", ())]


class Passage:
    """One request on its way: what went in and out, its status as soon as that is known, its correlation id."""

    __slots__ = (
        "_receive",
        "_send",
        "correlation_id",
        "ended_s",
        "received_bytes",
        "sent_bytes",
        "started_s",
        "status",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self.started_s = time.perf_counter()
        self.ended_s = 0.0  # when the last byte was sent; not yet is 0
        self.status = 0
        self.received_bytes = 0
        self.sent_bytes = 0
        self.correlation_id = acceptable_id(
            (_find(scope.get("headers", ()), CORRELATION_HEADER) or b"").decode("latin-1")
        )

    async def receive(self) -> Message:
        """Pass a message on to the app."""
        message = await self._receive()
        if message["type"] == "http.request":
            self.received_bytes += len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        """Pass a message on to the server, with the correlation id among its headers if it opens a response."""
        kind = message["type"]
        if kind == "http.response.body":
            self.sent_bytes += len(message.get("body", b""))
            await self._send(message)
            if not message.get("more_body", False):
                self.ended_s = time.perf_counter()
            return
        if kind == "websocket.close" and not self.status:
            self.status = 403  # ASGI: a WebSocket closed before it was accepted is refused so
        elif kind in {"http.response.start", "websocket.accept", "websocket.http.response.start"}:
            self.status = message.get("status", 101)
            headers = list(message.get("headers", ()))  # which may be of a kind that can be read only once
            message = {**message, "headers": headers}
            if _find(headers, CORRELATION_HEADER) is None:
                headers.append((CORRELATION_HEADER, self.correlation_id.encode()))
        await self._send(message)


HEADERS: Final = HeaderGetter()


class AsgiMiddleware:
    """Wraps `app` as `service`: `app = AsgiMiddleware(app, service="orders")`.

    Each request runs in a server span that continues the caller's trace, and inside `journal.bind` of
    `correlation_id` (from the header `X-Correlation-ID`, or new), `trace_id` and `span_id`. Requests whose path is in
    `skip` pass unwatched: those of probes and scrapers, if they are not to be counted.
    """

    def __init__(
        self,
        app: AsgiApp,
        *,
        service: str,
        registry: CollectorRegistry = REGISTRY,
        tracer: trace.Tracer | None = None,
        skip: Sequence[str] = (),
    ) -> None:
        self.app = app
        self.service = service
        self._metrics: ServerMetrics = server_metrics(registry)
        self._active = self._metrics.active.labels(service)
        self._is_global = tracer is None
        self._tracer = tracer or trace.get_tracer(TRACER_NAME)
        self._skip = frozenset(skip)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, WebSocket or lifespan."""
        if scope["type"] not in {"http", "websocket"} or scope["path"] in self._skip:
            await self.app(scope, receive, send)
            return
        outer = scope.get(WATCHED, ())
        if (self.service, self._metrics) in outer:  # applied twice, it counts once
            await self.app(scope, receive, send)
            return
        scope[WATCHED] = (*outer, (self.service, self._metrics))
        passage = Passage(scope, receive, send)
        root_path = scope.get("root_path", "")
        method = label_method(scope["method"]) if scope["type"] == "http" else "WEBSOCKET"
        self._active.inc()
        try:
            with (
                self._span(scope, method) as span,
                journal.bind(correlation_id=passage.correlation_id, **trace_fields(span)),
            ):
                await self._serve(scope, passage, Place(method, root_path, span))
        finally:
            self._active.dec()

    def _span(self, scope: Scope, method: str) -> AbstractContextManager[trace.Span]:
        if self._is_global and is_untraced(scope.get("headers", ())):
            return nullcontext(trace.get_current_span())
        return self._tracer.start_as_current_span(
            method,
            context=parent_of(scope, HEADERS),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method, "url.path": scope["path"]},
        )

    async def _serve(self, scope: Scope, passage: Passage, place: Place) -> None:
        failure: BaseException | None = None
        try:
            await self.app(scope, passage.receive, passage.send)
        except asyncio.CancelledError:
            passage.status = passage.status or CLIENT_WENT_AWAY
            raise
        except BaseException as error:
            failure = error
            raise
        finally:
            passage.status = passage.status or 500
            route = self._metrics.routes.admit(find_route_template(scope, place.root_path))
            if failure is not None:
                kind = self._metrics.errors.admit(label_error(failure))
                self._metrics.exceptions.labels(self.service, route, kind).inc()
            describe_span(place.span, place.method, route, passage.status)
            self._metrics.observe(self.service, measure(passage, place.method, route), exemplar_of(place.span))


class Place:
    """Where in the world a request stands: its method, the root path that it came with, its span."""

    __slots__ = ("method", "root_path", "span")

    def __init__(self, method: str, root_path: str, span: trace.Span) -> None:
        self.method = method
        self.root_path = root_path
        self.span = span


def measure(passage: Passage, method: str, route: str) -> Exchange:
    """Give the figures of a request that is over; the messages of a WebSocket are not one body."""
    exchange = Exchange(method, route, passage.status, (passage.ended_s or time.perf_counter()) - passage.started_s)
    if method != "WEBSOCKET":
        exchange.received_bytes, exchange.sent_bytes = passage.received_bytes, passage.sent_bytes
    return exchange


def acceptable_id(sent: str) -> str:
    """Give the correlation id that came in, or a new one if there is none, or it could do harm in a log or a header."""
    return sent if ACCEPTABLE_ID.fullmatch(sent) else journal.new_correlation_id()


def _find(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> bytes | None:
    for name, value in headers:  # no comprehension: this is on the way of every request
        if name == wanted or name.lower() == wanted:
            return value
    return None


def describe_span(span: trace.Span, method: str, route: str, status: int) -> None:
    """Name a span and tell its outcome as OpenTelemetry's HTTP conventions say: only 5xx is the server's error."""
    if not span.is_recording():
        return
    span.update_name(f"{method} {route}")
    span.set_attribute("http.route", route)
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_status(Status(StatusCode.ERROR))
