"""Watches the requests of any WSGI app (Flask, Django, Pyramid, Bottle), with the same metrics as ASGI's.

A request is over when the server has taken the last piece of its body and closed it, not when the app returns.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace import SpanKind
from prometheus_client import REGISTRY, CollectorRegistry

from holdfast import journal
from holdfast.instrument.asgi import WATCHED, acceptable_id, describe_span
from holdfast.instrument.labels import label_error, label_method
from holdfast.instrument.red import Exchange, server_metrics
from holdfast.instrument.routes import ROUTE_KEY, UNMATCHED
from holdfast.instrument.tracing import TRACER_NAME, exemplar_of, is_untraced, parent_of, trace_fields

Environ = MutableMapping[str, Any]
StartResponse = Callable[..., Callable[[bytes], object]]
WsgiApp = Callable[[Environ, StartResponse], Iterable[bytes]]


class EnvironGetter(Getter[Environ]):
    """Reads trace headers out of a WSGI environment."""

    def get(self, carrier: Environ, key: str) -> list[str] | None:
        """Give the value of header `key`, or None."""
        value = carrier.get("HTTP_" + key.upper().replace("-", "_"))
        return None if value is None else [value]

    def keys(self, carrier: Environ) -> list[str]:
        """Give the names of all headers."""
        return [name[5:].lower().replace("_", "-") for name in carrier if name.startswith("HTTP_")]


HEADERS: Final = EnvironGetter()


def trace_headers(environ: Environ) -> Iterator[tuple[bytes, bytes]]:
    """Give the headers of a request by their names in lower case, as `is_untraced` asks for them."""
    return ((key[5:].lower().replace("_", "-").encode(), b"") for key in environ if key.startswith("HTTP_"))


def find_wsgi_route(environ: Environ) -> str:
    """Give the template of the route that answered, or "unmatched".

    Known places: `environ["holdfast.route"]`, which any app may set (Django: `request.META["holdfast.route"] =
    request.resolver_match.route` in a middleware), the matched rule of Werkzeug's request (Flask), Pyramid's and
    Bottle's.
    """
    rule = getattr(environ.get("werkzeug.request"), "url_rule", None)
    found = (
        environ.get(ROUTE_KEY),
        getattr(rule, "rule", None),
        getattr(environ.get("bfg.routes.route"), "pattern", None),
        getattr(environ.get("bottle.route"), "rule", None),
    )
    return next((template for template in found if isinstance(template, str)), UNMATCHED)


class WsgiMiddleware:
    """Wraps `app` as `service`: `app.wsgi_app = WsgiMiddleware(app.wsgi_app, service="orders")`.

    The app, and each step of its body, runs in the request's span and inside `journal.bind` of its ids, as with
    `AsgiMiddleware`. `find_route` may know better where a framework keeps the route's template.
    """

    def __init__(
        self,
        app: WsgiApp,
        *,
        service: str,
        registry: CollectorRegistry = REGISTRY,
        tracer: trace.Tracer | None = None,
        skip: Sequence[str] = (),
        find_route: Callable[[Environ], str] = find_wsgi_route,
    ) -> None:
        self.app = app
        self.service = service
        self.metrics = server_metrics(registry)
        self.active = self.metrics.active.labels(service)
        self.is_global = tracer is None
        self.tracer = tracer or trace.get_tracer(TRACER_NAME)
        self.find_route = find_route
        self._skip = frozenset(skip)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        if environ.get("PATH_INFO", "") in self._skip:
            return self.app(environ, start_response)
        outer = environ.get(WATCHED, ())
        if (self.service, self.metrics) in outer:  # applied twice, it counts once
            return self.app(environ, start_response)
        environ[WATCHED] = (*outer, (self.service, self.metrics))
        answer = Answer(self, environ, start_response)
        answer.begin()
        return answer


class Answer:
    """The body of one response on its way out, and what is known of its request."""

    def __init__(self, watch: WsgiMiddleware, environ: Environ, start_response: StartResponse) -> None:
        self._watch = watch
        self._environ = environ
        self._start_response = start_response
        self._started_s = time.perf_counter()
        self._method = label_method(environ.get("REQUEST_METHOD", ""))
        self._correlation_id = acceptable_id(environ.get("HTTP_X_CORRELATION_ID", ""))
        self._status = 0
        self._sent_bytes = 0
        self._failure = ""
        self._route = UNMATCHED
        self._is_over = False
        self._body: Iterable[bytes] = ()
        self._pieces: Iterator[bytes] = iter(())
        self._span: trace.Span | None = None
        self._fields = {"correlation_id": self._correlation_id}
        if not watch.is_global or not is_untraced(trace_headers(environ)):
            self._span = watch.tracer.start_span(
                self._method,
                context=parent_of(environ, HEADERS),
                kind=SpanKind.SERVER,
                attributes={"http.request.method": self._method, "url.path": environ.get("PATH_INFO", "")},
            )
        self._fields |= trace_fields(self._span or trace.get_current_span())

    def begin(self) -> None:
        """Call the app; what it raises comes through, after it was counted."""
        self._watch.active.inc()
        try:
            with self._in_context():
                self._body = self._watch.app(self._environ, self._start)
                self._pieces = iter(self._body)
        except BaseException as error:
            self._fail(error)
            raise

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            with self._in_context():
                piece = next(self._pieces)
        except StopIteration:
            raise
        except BaseException as error:
            self._fail(error)
            raise
        self._sent_bytes += len(piece)
        return piece

    def close(self) -> None:
        """End the request; the server calls this, however it went (PEP 3333)."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                with self._in_context():
                    close()
        finally:
            self._end()

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
        self._status = int(status[:3])
        self._route = self._find_route()  # Flask forgets its request before the body is closed
        if not any(name.lower() == "x-correlation-id" for name, _ in headers):
            headers = [*headers, ("X-Correlation-ID", self._correlation_id)]
        if exc_info is None:
            return self._start_response(status, headers)
        return self._start_response(status, headers, exc_info)

    def _find_route(self) -> str:
        try:
            return self._watch.find_route(self._environ)
        except Exception:  # noqa: BLE001 -- the fence of a plugin: a watch that fails must not fail the request
            return UNMATCHED

    def _in_context(self) -> AbstractContextManager[object]:
        bound = journal.bind(**self._fields)
        if self._span is None:
            return bound
        stack = ExitStack()
        stack.enter_context(trace.use_span(self._span, end_on_exit=False))
        stack.enter_context(bound)
        return stack

    def _fail(self, error: BaseException) -> None:
        self._failure = label_error(error)
        self._status = self._status or 500
        self._end()

    def _end(self) -> None:
        if self._is_over:
            return
        self._is_over = True
        watch, metrics = self._watch, self._watch.metrics
        found = self._find_route()
        route = metrics.routes.admit(self._route if found == UNMATCHED else found)
        if self._failure:
            metrics.exceptions.labels(watch.service, route, metrics.errors.admit(self._failure)).inc()
        status = self._status or 500  # the app gave a body, but never a status
        span = self._span or trace.get_current_span()
        length = self._environ.get("CONTENT_LENGTH") or "0"
        received = int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0
        exchange = Exchange(
            self._method, route, status, time.perf_counter() - self._started_s, received, self._sent_bytes
        )
        metrics.observe(watch.service, exchange, exemplar_of(span))
        if self._span is not None:
            describe_span(span, self._method, route, status)
            span.end()
        watch.active.dec()
