"""Around every gRPC call: the deadline, faults; and errors become statuses here.

Metrics, spans and correlation ids are `holdfast.instrument`'s, one interceptor further out.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from holdfast import journal
from shop.chassis import Problem, Service

SHORTEST_DEADLINE_S = 0.02
LONGEST_DEADLINE_S = 10.0
_OWN_METHODS = "/shop.Inventory/"
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
        # For a method that nobody implements there is no handler, which the stubs do not know.
        behaviour = getattr(handler, "unary_unary", None)
        if behaviour is None or not handler_call_details.method.startswith(_OWN_METHODS):
            return handler

        async def call(request: Any, context: Any) -> Any:
            return await self._observe(behaviour, request, context)

        return grpc.unary_unary_rpc_method_handler(call, handler.request_deserializer, handler.response_serializer)

    async def _observe(self, behaviour: Behaviour, request: Any, context: Any) -> Any:
        try:
            return await self._guard(behaviour, request, context)
        finally:
            self._service.outcomes.record(is_failure=context.code() is grpc.StatusCode.INTERNAL)

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
