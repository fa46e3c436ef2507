"""Interceptors for gRPC channels, plain and aio: calls are counted and timed, and carry trace and correlation id.

Importing this needs grpcio; the room's door loads it when it is first asked for.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import grpc
import grpc.aio
from opentelemetry import trace
from opentelemetry.trace import SpanKind
from prometheus_client import REGISTRY, CollectorRegistry

from holdfast.instrument.calls import CallMetrics, made_calls
from holdfast.instrument.tracing import TRACER_NAME, exemplar_of, mark_failed, outgoing_headers

_FINISHING: Final[set[asyncio.Task[None]]] = set()


class _Fields(NamedTuple):
    method: Any
    timeout: Any
    metadata: Any
    credentials: Any
    wait_for_ready: Any
    compression: Any


class _Details(_Fields, grpc.ClientCallDetails):
    """The details of a call with more metadata."""


class MadeCall:
    """One call under way."""

    def __init__(self, metrics: CallMetrics, method: str) -> None:
        self._metrics = metrics
        self._method = metrics.methods.admit(method)
        self._span = trace.get_tracer(TRACER_NAME).start_span(
            self._method, kind=SpanKind.CLIENT, attributes={"rpc.system.name": "grpc", "rpc.method": self._method}
        )
        self._is_over = False
        metrics.active.labels(self._method).inc()
        self._started_s = time.perf_counter()

    def headers(self, sent: Any) -> list[tuple[str, str | bytes]]:
        """Give the metadata to send: what the caller gave, and what is missing of trace and correlation."""
        metadata = [(str(name), value) for name, value in sent or ()]
        given = {name for name, _ in metadata}
        with trace.use_span(self._span, end_on_exit=False):
            return metadata + [(name, value) for name, value in outgoing_headers().items() if name not in given]

    def finish(self, code: grpc.StatusCode | None) -> None:
        """Note how it ended."""
        if self._is_over:
            return
        self._is_over = True
        name = code.name if code is not None else "UNKNOWN"
        self._metrics.finish(self._method, name, time.perf_counter() - self._started_s, exemplar_of(self._span))
        self._span.set_attribute("rpc.response.status_code", name)
        if name != "OK":
            mark_failed(self._span, name)
        self._span.end()


class GrpcClientInterceptor(
    grpc.UnaryUnaryClientInterceptor,  # type: ignore[type-arg]  # generic in the stubs only
    grpc.UnaryStreamClientInterceptor,  # type: ignore[type-arg]  # same
    grpc.StreamUnaryClientInterceptor,  # type: ignore[type-arg]  # same
    grpc.StreamStreamClientInterceptor,  # type: ignore[type-arg]  # same
):
    """For `grpc.intercept_channel(channel, GrpcClientInterceptor())`; all four kinds of call."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._metrics = made_calls(registry)

    def _intercept(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        call = MadeCall(self._metrics, details.method.lstrip("/"))
        try:
            made = continuation(_detail(details, call), request)
        except BaseException:
            call.finish(None)
            raise
        made.add_done_callback(lambda done: call.finish(done.code()))
        return made

    intercept_unary_unary = _intercept  # type: ignore[assignment]  # the stubs know only one kind of call
    intercept_unary_stream = _intercept  # type: ignore[assignment]  # the stubs know only one kind of call
    intercept_stream_unary = _intercept  # type: ignore[assignment]  # the stubs know only one kind of call
    intercept_stream_stream = _intercept  # type: ignore[assignment]  # the stubs know only one kind of call


def _detail(details: Any, call: MadeCall) -> _Details:
    optional = (getattr(details, name, None) for name in ("credentials", "wait_for_ready", "compression"))
    return _Details(details.method, details.timeout, call.headers(details.metadata), *optional)


class _AioWatch:
    """What the four interceptors of an aio channel share: the library takes one class for one kind of call."""

    def __init__(self, metrics: CallMetrics) -> None:
        self._metrics = metrics

    async def _intercept(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        method = details.method.decode() if isinstance(details.method, bytes) else details.method
        call = MadeCall(self._metrics, method.lstrip("/"))
        metadata = grpc.aio.Metadata(*call.headers(details.metadata))
        passed = grpc.aio.ClientCallDetails(
            details.method, details.timeout, metadata, details.credentials, details.wait_for_ready
        )
        try:
            made = await continuation(passed, request)
        except asyncio.CancelledError:
            call.finish(grpc.StatusCode.CANCELLED)
            raise
        except BaseException as error:
            call.finish(error.code() if isinstance(error, grpc.aio.AioRpcError) else None)
            raise
        made.add_done_callback(lambda done: _finish_soon(call, done))
        return made


def _finish_soon(call: MadeCall, done: Any) -> None:
    """Ask a call that is done for its code; the library has only a coroutine for that."""

    async def finish() -> None:
        call.finish(await done.code())

    task = asyncio.get_running_loop().create_task(finish())
    _FINISHING.add(task)
    task.add_done_callback(_FINISHING.discard)


class _AioUnaryUnary(_AioWatch, grpc.aio.UnaryUnaryClientInterceptor):  # type: ignore[type-arg]  # as above
    intercept_unary_unary = _AioWatch._intercept  # type: ignore[assignment]  # noqa: SLF001 -- the same code for each kind


class _AioUnaryStream(_AioWatch, grpc.aio.UnaryStreamClientInterceptor):  # type: ignore[type-arg]  # as above
    intercept_unary_stream = _AioWatch._intercept  # type: ignore[assignment]  # noqa: SLF001 -- the same code for each kind


class _AioStreamUnary(_AioWatch, grpc.aio.StreamUnaryClientInterceptor):  # type: ignore[type-arg]  # as above
    intercept_stream_unary = _AioWatch._intercept  # type: ignore[assignment]  # noqa: SLF001 -- the same code for each kind


class _AioStreamStream(_AioWatch, grpc.aio.StreamStreamClientInterceptor):  # type: ignore[type-arg]  # as above
    intercept_stream_stream = _AioWatch._intercept  # type: ignore[assignment]  # noqa: SLF001 -- the same code for each kind


def grpc_aio_client_interceptors(registry: CollectorRegistry = REGISTRY) -> Sequence[grpc.aio.ClientInterceptor]:
    """Give the interceptors of an aio channel: `insecure_channel(..., interceptors=grpc_aio_client_interceptors())`."""
    metrics = made_calls(registry)
    kinds = (_AioUnaryUnary, _AioUnaryStream, _AioStreamUnary, _AioStreamStream)
    return [kind(metrics) for kind in kinds]  # type: ignore[misc]  # the stubs are partial, and say so
