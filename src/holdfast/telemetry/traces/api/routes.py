"""`/api/v1/traces`: searched, read whole or span by span; services, operations and the map."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Response

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import NotFoundError
from holdfast.telemetry.traces import permissions
from holdfast.telemetry.traces.api.documents import (
    MapOut,
    TracedOperations,
    TracedServices,
    TraceList,
    show_line,
    show_map,
    show_operation,
    show_service,
)
from holdfast.telemetry.traces.api.parameters import (
    Cursor,
    End,
    Limit,
    Name,
    SpanId,
    Start,
    TraceId,
    What,
    read_search,
    read_time,
    read_what,
    write_cursor,
)
from holdfast.telemetry.traces.api.whole import SpanOut, TraceOut, show_span, show_trace
from holdfast.telemetry.traces.selection import TraceSource
from holdfast.telemetry.traces.spans import Trace
from holdfast.telemetry.traces.statistics import TraceStatistics

_May = Annotated[Identity, Depends(requires(permissions.READ.name))]


def routes(source: TraceSource, statistics: TraceStatistics, clock: Clock) -> APIRouter:
    """Build the router."""
    router = APIRouter(prefix="/traces", tags=["traces"])
    _counting(router, statistics, clock)
    _reading(router, source, clock)
    return router


def _counting(router: APIRouter, statistics: TraceStatistics, clock: Clock) -> None:
    @router.get("/services", operation_id="listTracedServices")
    async def services(identity: _May, start: Start = None, end: End = None) -> TracedServices:
        """List the services that have spans, with the calls that came into them."""
        found = await statistics.services(identity.tenant, *read_time(clock, start, end))
        return TracedServices([show_service(each) for each in found])

    @router.get("/operations", operation_id="listTracedOperations")
    async def operations(identity: _May, service: Name, start: Start = None, end: End = None) -> TracedOperations:
        """List the operations of a service, those with the most calls first."""
        found = await statistics.operations(identity.tenant, service, *read_time(clock, start, end))
        return TracedOperations([show_operation(each) for each in found])

    @router.get("/map", operation_id="getTraceMap")
    async def service_map(identity: _May, start: Start = None, end: End = None) -> MapOut:
        """Say who calls whom, databases and topics among them, and what came of it."""
        return show_map(await statistics.map(identity.tenant, *read_time(clock, start, end)))


def _reading(router: APIRouter, source: TraceSource, clock: Clock) -> None:
    async def read(identity: Identity, trace_id: str) -> Trace:
        trace = await source.trace(identity.tenant, trace_id.lower().zfill(32))
        if trace is None:
            raise NotFoundError(f"no trace {trace_id}", hint="it may not have come yet, or its time to be kept is over")
        return trace

    @router.get("", operation_id="searchTraces")
    async def search_traces(
        identity: _May,
        what: Annotated[What, Depends(read_what)],
        start: Start = None,
        end: End = None,
        cursor: Cursor = "",
        limit: Limit = 20,
    ) -> TraceList:
        """Find traces with a span that satisfies all conditions, newest first."""
        search = read_search(what, read_time(clock, start, end), cursor, limit)
        found = await source.search(identity.tenant, search)
        is_full = len(found) == limit
        following = write_cursor(found[-1].newest_ns, found[-1].trace_id) if is_full else None
        return TraceList([show_line(summary) for summary in found], following)

    @router.get("/{trace_id}", operation_id="getTrace", response_model=TraceOut)
    async def get_trace(identity: _May, trace_id: TraceId) -> Response:
        """Give a trace as columns, with its critical path, self times, repeated calls and what is odd about it."""
        trace = await read(identity, trace_id)
        return await _written(lambda: show_trace(trace))

    @router.get("/{trace_id}/spans/{span_id}", operation_id="getSpan", response_model=list[SpanOut])
    async def get_span(identity: _May, trace_id: TraceId, span_id: SpanId) -> Response:
        """Give all of a span: attributes, resource, events, links. Client and server may share an id (Zipkin)."""
        trace = await read(identity, trace_id)
        found = [span for span in trace.spans if span.span_id == span_id.lower()]
        if not found:
            raise NotFoundError(f"no span {span_id} in trace {trace_id}")
        return await _written(lambda: [show_span(span) for span in found])


async def _written(show: Callable[[], Any]) -> Response:
    """Write a large document beside the event loop, and not through pydantic, which takes seconds."""
    content = await asyncio.to_thread(lambda: orjson.dumps(show(), option=orjson.OPT_UTC_Z))
    return Response(content, media_type="application/json")
