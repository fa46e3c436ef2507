"""The routes of `/jaeger/api`; every answer is `{"data": ..., "errors": ...}`, errors included."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import HoldfastError, InvalidError, NotFoundError
from holdfast.kernel.http import problems
from holdfast.telemetry.traces import permissions
from holdfast.telemetry.traces.jaeger.parameters import read_kind, read_search
from holdfast.telemetry.traces.jaeger.shapes import kind_word, trace_document
from holdfast.telemetry.traces.selection import TraceSource

PREFIX: Final = "/jaeger/api"
_DAY_NS: Final = 24 * 3600 * 10**9
_NS_PER_MS: Final = 10**6
_NS_PER_US: Final = 1000
_TRACE_ID: Final = 32
_May = Annotated[Identity, Depends(requires(permissions.READ.name))]


class JaegerRoute(APIRoute):
    """A route whose errors come in Jaeger's envelope."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Give the handler."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except HoldfastError as error:
                status = problems.status_of(error)
                headers = dict(problems.describe(error).headers)
                told = f"{error.message} ({error.hint})" if error.hint else error.message
                return _json({"data": None, "errors": [{"code": status, "msg": told}]}, status, headers)

        return answer


class JaegerApi:
    """The answers of `/jaeger/api`; services and operations are those of the last `days`."""

    def __init__(self, source: TraceSource, clock: Clock, *, days: int = 7) -> None:
        self._source = source
        self._clock = clock
        self._days = days

    def router(self) -> APIRouter:
        """Build the router; it stands at the root."""
        router = APIRouter(prefix=PREFIX, route_class=JaegerRoute, include_in_schema=False)
        for path, endpoint in (
            ("/services", self.services),
            ("/services/{service:path}/operations", self.names_of_operations),
            ("/operations", self.operations),
            ("/traces", self.traces),
            ("/traces/{trace_id}", self.trace),
            ("/dependencies", self.dependencies),
        ):
            router.add_api_route(path, endpoint, methods=["GET"])
        return router

    def _recently(self) -> tuple[int, int]:
        now_ns = self._now_ns()
        return now_ns - self._days * _DAY_NS, now_ns + _DAY_NS

    def _now_ns(self) -> int:
        return int(self._clock.now().timestamp() * 1e6) * _NS_PER_US

    async def services(self, identity: _May) -> Response:
        """Tell the services that have spans."""
        return _data(await self._source.services(identity.tenant, *self._recently()))

    async def names_of_operations(self, identity: _May, service: str) -> Response:
        """Tell the names of a service's operations."""
        found = await self._source.operations(identity.tenant, service, *self._recently())
        return _data(sorted({operation.name for operation in found}))

    async def operations(self, identity: _May, request: Request) -> Response:
        """Tell a service's operations with their kinds."""
        service, kind = request.query_params.get("service", ""), read_kind(request.query_params.get("spanKind", ""))
        if not service:
            raise InvalidError("parameter 'service' is required", hint="say whose operations: ?service=shop")
        found = await self._source.operations(identity.tenant, service, *self._recently())
        chosen = [operation for operation in found if kind in {None, operation.kind}]
        return _data([{"name": one.name, "spanKind": kind_word(one.kind)} for one in chosen])

    async def traces(self, identity: _May, request: Request) -> Response:
        """Search, or give traces by several ids."""
        if ids := request.query_params.getlist("traceID"):
            found = [await self._source.trace(identity.tenant, clean_id(one)) for one in ids]
            return _data([trace_document(trace) for trace in found if trace is not None])
        search = read_search(dict(request.query_params), self._now_ns())
        return _data([trace_document(trace) for trace in await self._source.traces(identity.tenant, search)])

    async def trace(self, identity: _May, trace_id: str, request: Request) -> Response:
        """Give one trace."""
        start_ns, end_ns = (_whole(request, name) * _NS_PER_US for name in ("start", "end"))
        found = await self._source.trace(identity.tenant, clean_id(trace_id), start_ns=start_ns, end_ns=end_ns)
        if found is None:
            raise NotFoundError(f"trace not found: {trace_id}")
        return _data([trace_document(found)])

    async def dependencies(self, identity: _May, request: Request) -> Response:
        """Tell who calls whom."""
        end_ns = (_whole(request, "endTs") or self._now_ns() // _NS_PER_MS) * _NS_PER_MS
        start_ns = end_ns - (_whole(request, "lookback") * _NS_PER_MS or _DAY_NS)
        found = await self._source.dependencies(identity.tenant, start_ns, end_ns)
        return _data([{"parent": one.parent, "child": one.child, "callCount": one.calls} for one in found])


def clean_id(text: str) -> str:
    """Give a trace id as 32 hexadecimal digits.

    Raises:
        InvalidError: it is none.
    """
    lower = text.lower().removeprefix("0x")
    if not lower or len(lower) > _TRACE_ID or any(digit not in "0123456789abcdef" for digit in lower):
        raise InvalidError(f"malformed trace id: {text!r}", hint="up to 32 hexadecimal digits")
    return lower.zfill(_TRACE_ID)


def _whole(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    if text and not text.isdecimal():
        raise InvalidError(f"unable to parse param '{name}': {text!r}", hint="a whole number")
    return int(text or 0)


def _data(rows: Sequence[Any]) -> Response:
    return _json({"data": rows, "total": len(rows), "limit": 0, "offset": 0, "errors": None})


def _json(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(document), status, headers, media_type="application/json")
