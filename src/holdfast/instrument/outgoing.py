"""Joins outgoing httpx requests to the trace and the correlation id of what caused them, counts and times them.

`watch_httpx` stands around a client's transports and sees everything, failures and redirects included. `httpx_hooks` is
for clients whose hooks alone may be touched: hooks never hear of requests that got no response.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import REGISTRY

from holdfast.instrument.labels import label_error, label_method
from holdfast.instrument.red import ClientMetrics, client_metrics
from holdfast.instrument.registries import watch_once
from holdfast.instrument.tracing import client_span, current_exemplar, mark_failed, outgoing_headers
from holdfast.instrument.wrapping import wrap_method

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

STARTED: Final = "holdfast.started_s"
_MOST_DIGITS: Final = 20


class Done:
    """An answer that async clients may await and sync clients may ignore."""

    def __await__(self) -> Generator[None, None, None]:
        """Be done at once."""
        yield from ()


DONE: Final = Done()


class Outgoing:
    """Counts requests of httpx in a registry's set."""

    def __init__(self, metrics: ClientMetrics) -> None:
        self._metrics = metrics

    def describe(self, request: Any) -> tuple[str, str]:
        """Give the labels of a request: where it goes and how."""
        return self._metrics.peers.admit(request.url.netloc.decode("ascii")), label_method(request.method)

    def begin(self, request: Any) -> tuple[str, str]:
        """Count a request that goes out, with trace context and correlation id, unless it has its own."""
        for name, value in outgoing_headers().items():
            request.headers.setdefault(name, value)
        labels = self.describe(request)
        self._metrics.started.labels(*labels).inc()
        length = length_of(request)
        if length is not None:
            self._metrics.sent.labels(*labels).observe(length)
        return labels

    def end(self, labels: tuple[str, str], response: Any, duration_s: float) -> None:
        """Count a response."""
        self._metrics.requests.labels(*labels, str(response.status_code)).inc()
        self._metrics.duration.labels(*labels).observe(duration_s, current_exemplar())
        length = length_of(response)
        if length is not None:
            self._metrics.received.labels(*labels).observe(length)

    def send(self, handle: Callable[[Any], Any], request: Any) -> Any:
        """Have a plain transport handle a request."""
        with client_span(*span_of(request)) as span:
            labels = self.begin(request)
            with self._metrics.active.labels(*labels).track_inprogress():
                started_s = time.perf_counter()
                try:
                    response = handle(request)
                except BaseException as error:
                    self._count_failure(labels, error)
                    raise
            self.end(labels, response, time.perf_counter() - started_s)
            finish_span(span, response)
        return response

    async def send_async(self, handle: Callable[[Any], Awaitable[Any]], request: Any) -> Any:
        """Have an async transport handle a request."""
        with client_span(*span_of(request)) as span:
            labels = self.begin(request)
            with self._metrics.active.labels(*labels).track_inprogress():
                started_s = time.perf_counter()
                try:
                    response = await handle(request)
                except BaseException as error:
                    self._count_failure(labels, error)
                    raise
            self.end(labels, response, time.perf_counter() - started_s)
            finish_span(span, response)
        return response

    def _count_failure(self, labels: tuple[str, str], error: BaseException) -> None:
        kind = self._metrics.error_types.admit(label_error(error))
        self._metrics.failures.labels(*labels, kind).inc()


def length_of(message: Any) -> int | None:
    """Give the length that a request or a response says of its body; peers may say anything there."""
    length = message.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < _MOST_DIGITS else None


def span_of(request: Any) -> tuple[str, dict[str, str]]:
    """Give the name and the attributes of a request's span; the query, which may hold secrets, is left out."""
    method = label_method(request.method)
    url = request.url.copy_with(query=None, fragment=None, username=None, password=None)
    attributes = {"http.request.method": method, "server.address": request.url.host, "url.full": str(url)}
    return method, attributes


def finish_span(span: Any, response: Any) -> None:
    """Tell the outcome: to a client, 4xx is an error too."""
    span.set_attribute("http.response.status_code", response.status_code)
    if response.status_code >= 400:
        mark_failed(span, str(response.status_code))


def watch_httpx(client: Any, registry: CollectorRegistry = REGISTRY) -> Callable[[], None]:
    """Watch every request of an httpx client, async or not, from now on: `watch_httpx(httpx.AsyncClient())`.

    Each goes out in a client span, with W3C trace context and `X-Correlation-ID` unless it has its own. Redirects and
    the legs of an authentication are requests of their own. Not together with `httpx_hooks`: both would count.

    Returns:
        A function that ends it.
    """
    outgoing = Outgoing(client_metrics(registry))
    # httpx offers no way around a transport that stands already.
    found = [client._transport, *client._mounts.values()]  # noqa: SLF001 -- see above
    transports = {id(transport): transport for transport in found if transport is not None}
    is_async = hasattr(client, "__aenter__")
    stops = [
        watch_once(transport, registry, functools.partial(_watch_transport, transport, outgoing, is_async=is_async))
        for transport in transports.values()
    ]

    def stop() -> None:
        for each in stops:
            each()

    return stop


def _watch_transport(transport: Any, outgoing: Outgoing, *, is_async: bool) -> Callable[[], None]:
    name, send = ("handle_async_request", outgoing.send_async) if is_async else ("handle_request", outgoing.send)
    return wrap_method(transport, name, lambda handle: functools.partial(send, handle))


def httpx_hooks(registry: CollectorRegistry = REGISTRY) -> dict[str, list[Callable[[Any], Done]]]:
    """Make event hooks for an httpx client, async or not: `httpx.AsyncClient(event_hooks=httpx_hooks())`.

    They add W3C trace context and `X-Correlation-ID`, unless the request has its own, and count and time
    requests in `registry` by host, port and method.
    """
    outgoing = Outgoing(client_metrics(registry))

    def before(request: Any) -> Done:
        outgoing.begin(request)
        request.extensions[STARTED] = time.perf_counter()
        return DONE

    def after(response: Any) -> Done:
        request = response.request
        outgoing.end(outgoing.describe(request), response, time.perf_counter() - request.extensions[STARTED])
        return DONE

    return {"request": [before], "response": [after]}
