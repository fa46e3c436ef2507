"""Interceptors for gRPC servers, plain and aio: calls are counted and timed, in a span that continues the caller's.

Importing this needs grpcio; the room's door loads it when it is first asked for.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import grpc
import grpc.aio
from opentelemetry.trace import SpanKind
from prometheus_client import REGISTRY, CollectorRegistry

from holdfast.instrument.calls import CallMetrics, served_calls
from holdfast.instrument.routes import UNMATCHED
from holdfast.instrument.tracing import continued, exemplar_of, mark_failed

Behaviour = Callable[[Any, Any], Any]
_CLOCKS_DIFFER_S: Final = 0.05

_NAMES: Final = {code.value[0]: code.name for code in grpc.StatusCode}
# The server's own faults, as OpenTelemetry's conventions for gRPC list them.
_SERVER_ERRORS: Final = frozenset(
    {"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}
)


class GrpcServerInterceptor(grpc.ServerInterceptor):  # type: ignore[type-arg]  # generic in the stubs only
    """For `grpc.server(..., interceptors=[GrpcServerInterceptor()])`."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._watch = ServerWatch(served_calls(registry))

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """Wrap the handler of one call."""
        return self._watch.wrap(continuation(handler_call_details), handler_call_details)


class GrpcAioServerInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # generic in the stubs only
    """For `grpc.aio.server(interceptors=[GrpcAioServerInterceptor()])`."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._watch = ServerWatch(served_calls(registry))

    async def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]], handler_call_details: Any
    ) -> Any:
        """Wrap the handler of one call."""
        return self._watch.wrap(await continuation(handler_call_details), handler_call_details)


class ServerWatch:
    """Wraps the handlers of all four kinds of call, written in any of the ways that gRPC allows."""

    def __init__(self, metrics: CallMetrics) -> None:
        self._metrics = metrics

    def wrap(self, handler: Any, details: Any) -> Any:
        """Give the watched handler; for a method that nobody implements there is none."""
        if handler is None:
            self._metrics.calls.labels(UNMATCHED, "UNIMPLEMENTED").inc()
            return None
        method = self._metrics.methods.admit(details.method.lstrip("/"))
        carrier = {name: value for name, value in details.invocation_metadata or () if isinstance(value, str)}
        takes, gives = ("stream" if it else "unary" for it in (handler.request_streaming, handler.response_streaming))
        kind = f"{takes}_{gives}"
        behaviour = self._watch(getattr(handler, kind), method, carrier, is_stream=handler.response_streaming)
        make = getattr(grpc, f"{kind}_rpc_method_handler")
        return make(behaviour, handler.request_deserializer, handler.response_serializer)

    def _watch(self, behaviour: Behaviour, method: str, carrier: dict[str, str], *, is_stream: bool) -> Behaviour:
        async def coroutine(request: Any, context: Any) -> Any:
            with self._call(method, carrier, context):
                return await behaviour(request, context)

        async def async_generator(request: Any, context: Any) -> AsyncIterator[Any]:
            with self._call(method, carrier, context):
                async for message in behaviour(request, context):
                    yield message

        def generator(request: Any, context: Any) -> Iterator[Any]:
            with self._call(method, carrier, context):
                yield from behaviour(request, context)

        def function(request: Any, context: Any) -> Any:
            with self._call(method, carrier, context):
                return behaviour(request, context)

        if inspect.isasyncgenfunction(behaviour):
            return async_generator
        if inspect.iscoroutinefunction(behaviour):
            return coroutine
        return generator if is_stream else function

    @contextmanager
    def _call(self, method: str, carrier: dict[str, str], context: Any) -> Iterator[None]:
        self._metrics.active.labels(method).inc()
        started_s = time.perf_counter()
        code, exemplar = "UNKNOWN", None
        try:
            with continued(method, carrier, SpanKind.SERVER) as span:
                exemplar = exemplar_of(span)
                try:
                    yield
                    code = name_code(context, "OK")
                except (asyncio.CancelledError, GeneratorExit):  # whoever called has gone away, or wants no more
                    code = name_code(context, "DEADLINE_EXCEEDED" if is_too_late(context) else "CANCELLED")
                    raise
                except BaseException:
                    code = name_code(context, "UNKNOWN")
                    raise
                finally:
                    span.set_attribute("rpc.response.status_code", code)
                    if code in _SERVER_ERRORS:
                        mark_failed(span, code)
        finally:
            self._metrics.finish(method, code, time.perf_counter() - started_s, exemplar)


def is_too_late(context: Any) -> bool:
    """Tell whether a call that was broken off had no time left; its caller's clock is a little ahead of ours."""
    left_s = context.time_remaining()
    return left_s is not None and left_s < _CLOCKS_DIFFER_S


def name_code(context: Any, otherwise: str) -> str:
    """Give the name of the code that a handler has set, or what follows from how it ended."""
    code = context.code()
    number = code.value[0] if isinstance(code, grpc.StatusCode) else code
    return otherwise if not number else _NAMES.get(number, "UNKNOWN")
