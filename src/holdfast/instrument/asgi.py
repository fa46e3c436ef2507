"""Watches the requests of any ASGI app: RED metrics, a server span, and the ids that join log lines and services.

Put it outermost. It passes messages through untouched, streams included, and holds no body.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from opentelemetry import propagate, trace
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace import SpanKind, Status, StatusCode
from prometheus_client import REGISTRY, CollectorRegistry

from holdfast import journal
from holdfast.instrument.labels import label_method
from holdfast.instrument.red import ServerMetrics, server_metrics
from holdfast.instrument.routes import find_route_template

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

CORRELATION_HEADER: Final = b"x-correlation-id"
ACCEPTABLE_ID: Final = re.compile(r"[\w.:/+=@-]{1,128}", re.ASCII)
CLIENT_WENT_AWAY: Final = 499  # as nginx logs it: there is no official status for it


class HeaderGetter(Getter[Scope]):
    """Reads trace headers out of an ASGI scope."""

    def get(self, carrier: Scope, key: str) -> list[str] | None:
        """Give the values of header `key`, or None."""
        wanted = key.lower().encode()
        return [value.decode("latin-1") for name, value in carrier["headers"] if name == wanted] or None

    def keys(self, carrier: Scope) -> list[str]:
        """Give the names of all headers."""
        return [name.decode("latin-1") for name, _ in carrier["headers"]]


class Exchange:
    """One request on its way: its status as soon as that is known, and its correlation id."""

    __slots__ = ("correlation_id", "send", "started_s", "status")

    def __init__(self, scope: Scope, send: Send) -> None:
        self.send = send
        self.started_s = time.perf_counter()
        self.status = 0
        sent = HEADERS.get(scope, CORRELATION_HEADER.decode())
        usable = sent and ACCEPTABLE_ID.fullmatch(sent[0])
        self.correlation_id = sent[0] if sent and usable else journal.new_correlation_id()

    async def forward(self, message: Message) -> None:
        """Pass a message on to the server, with the correlation id among its headers if it opens a response."""
        if message["type"] == "websocket.close" and not self.status:
            self.status = 403  # ASGI: a WebSocket closed before it was accepted is refused so
        if message["type"] in {"http.response.start", "websocket.accept"}:
            self.status = message.get("status", 101)
            headers = list(message.get("headers", ()))
            if not any(name.lower() == CORRELATION_HEADER for name, _ in headers):
                headers.append((CORRELATION_HEADER, self.correlation_id.encode()))
            message = {**message, "headers": headers}
        await self.send(message)


HEADERS: Final = HeaderGetter()


class AsgiMiddleware:
    """Wraps `app` as `service`: `app = AsgiMiddleware(app, service="orders")`.

    Each request runs in a server span that continues the caller's trace, and inside `journal.bind` of
    `correlation_id` (from the header `X-Correlation-ID`, or new), `trace_id` and `span_id`.
    """

    def __init__(
        self,
        app: AsgiApp,
        *,
        service: str,
        registry: CollectorRegistry = REGISTRY,
        tracer: trace.Tracer | None = None,
    ) -> None:
        self.app = app
        self.service = service
        self._metrics: ServerMetrics = server_metrics(registry)
        self._tracer = tracer or trace.get_tracer("holdfast.instrument")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, WebSocket or lifespan."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        exchange = Exchange(scope, send)
        root_path = scope.get("root_path", "")
        method = label_method(scope["method"]) if scope["type"] == "http" else "WEBSOCKET"
        active = self._metrics.active.labels(self.service)
        active.inc()
        try:
            with (
                self._tracer.start_as_current_span(
                    method,
                    context=propagate.extract(scope, getter=HEADERS),
                    kind=SpanKind.SERVER,
                    attributes={"http.request.method": method, "url.path": scope["path"]},
                ) as span,
                journal.bind(correlation_id=exchange.correlation_id, **trace_fields(span)),
            ):
                try:
                    await self._serve(scope, receive, exchange)
                finally:
                    route = self._metrics.routes.admit(find_route_template(scope, root_path))
                    describe_span(span, method, route, exchange.status)
                    self._observe(method, route, exchange, span)
        finally:
            active.dec()

    async def _serve(self, scope: Scope, receive: Receive, exchange: Exchange) -> None:
        try:
            await self.app(scope, receive, exchange.forward)
        except asyncio.CancelledError:
            exchange.status = exchange.status or CLIENT_WENT_AWAY
            raise
        finally:
            exchange.status = exchange.status or 500

    def _observe(self, method: str, route: str, exchange: Exchange, span: trace.Span) -> None:
        duration_s = time.perf_counter() - exchange.started_s
        context = span.get_span_context()
        exemplar = {"trace_id": f"{context.trace_id:032x}"} if context.trace_flags.sampled else None
        self._metrics.requests.labels(self.service, method, route, str(exchange.status)).inc()
        self._metrics.duration.labels(self.service, method, route).observe(duration_s, exemplar)


def trace_fields(span: trace.Span) -> dict[str, str]:
    """Give the ids that join log lines to a trace; none when nobody traces."""
    context = span.get_span_context()
    if not context.is_valid:
        return {}
    return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}


def describe_span(span: trace.Span, method: str, route: str, status: int) -> None:
    """Name a span and tell its outcome as OpenTelemetry's HTTP conventions say: only 5xx is the server's error."""
    if not span.is_recording():
        return
    span.update_name(f"{method} {route}")
    span.set_attribute("http.route", route)
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_status(Status(StatusCode.ERROR))
