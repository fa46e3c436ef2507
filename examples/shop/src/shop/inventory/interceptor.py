"""Around every gRPC call: correlation, trace, metrics, the deadline, faults; and errors become statuses here."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from opentelemetry import trace
from prometheus_client import Counter, Histogram

from holdfast import journal
from shop.chassis import Problem, Service, continued_span, new_id

SHORTEST_DEADLINE_S = 0.02
LONGEST_DEADLINE_S = 10.0
_OWN_METHODS = "/shop.Inventory/"
_calls = Counter("shop_grpc_calls", "gRPC calls by method and status", ["method", "code"])
_duration = Histogram("shop_grpc_seconds", "Duration of gRPC calls", ["method"])
Behaviour = Callable[[Any, Any], Any]  # in this server always a coroutine function
_log = journal.get_logger()


class CallInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # generic in the stubs only
    """Guards the methods of `shop.Inventory`; others (health) pass."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["grpc.RpcMethodHandler[Any, Any]"]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "grpc.RpcMethodHandler[Any, Any]":
        """Wrap the handler of one call."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        # For a method that nobody implements there is no handler, which the stubs do not know.
        behaviour = getattr(handler, "unary_unary", None)
        if behaviour is None or not method.startswith(_OWN_METHODS):
            return handler
        metadata = {str(key): str(value) for key, value in handler_call_details.invocation_metadata}

        async def call(request: Any, context: Any) -> Any:
            correlation_id = metadata.get("x-correlation-id") or new_id("cor")
            with continued_span(method, metadata, trace.SpanKind.SERVER, correlation_id):
                return await self._observe(method.removeprefix(_OWN_METHODS), behaviour, request, context)

        return grpc.unary_unary_rpc_method_handler(call, handler.request_deserializer, handler.response_serializer)

    async def _observe(self, method: str, behaviour: Behaviour, request: Any, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return await self._guard(behaviour, request, context)
        finally:
            code = context.code() or grpc.StatusCode.OK
            _calls.labels(method, code.name).inc()
            _duration.labels(method).observe(time.perf_counter() - began)
            self._service.outcomes.record(is_failure=code is grpc.StatusCode.INTERNAL)

    async def _guard(self, behaviour: Behaviour, request: Any, context: Any) -> Any:
        left_s = context.time_remaining()
        if left_s is None or left_s > LONGEST_DEADLINE_S:
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT, f"give a deadline of at most {LONGEST_DEADLINE_S:g} s"
            )
        if left_s < SHORTEST_DEADLINE_S:
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "there is too little time left to begin")
        try:
            await self._service.strike()
            return await behaviour(request, context)
        except grpc.aio.AbortError:
            raise
        except Problem as problem:
            await context.abort(grpc.StatusCode.UNAVAILABLE, f"{problem.code}: {problem.detail}")
        except Exception as error:  # noqa: BLE001 -- the fence of a request
            _log.exception("call_failed")
            await context.abort(grpc.StatusCode.INTERNAL, f"{type(error).__name__}: the log has the trace")
