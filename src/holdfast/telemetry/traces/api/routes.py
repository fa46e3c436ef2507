"""`/api/v1/traces`: searched, read whole or span by span; services, operations, the map; what many tell together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, HTTPException, Response
from prometheus_client import CollectorRegistry

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import NotFoundError
from holdfast.telemetry.questions import measured
from holdfast.telemetry.traces import permissions
from holdfast.telemetry.traces.api.documents import (
    TracedOperations,
    TracedServices,
    TraceList,
    show_line,
    show_operation,
    show_service,
)
from holdfast.telemetry.traces.api.findings import (
    ComparisonIn,
    ComparisonOut,
    GroupsOut,
    LatencyOut,
    show_comparison,
    show_groups,
    show_latency,
)
from holdfast.telemetry.traces.api.maps import MapOut, show_map
from holdfast.telemetry.traces.api.parameters import (
    Against,
    Columns,
    Cursor,
    End,
    Groups,
    Limit,
    Name,
    Singles,
    SpanId,
    Start,
    TraceId,
    What,
    WhatGroups,
    read_against,
    read_search,
    read_time,
    read_what,
    write_cursor,
)
from holdfast.telemetry.traces.api.whole import SpanOut, TraceOut, show_span, show_trace
from holdfast.telemetry.traces.findings import (
    SpanCounts,
    TraceComparison,
    find_drift,
    find_failed,
    find_slow,
    map_latency,
    the_rest,
)
from holdfast.telemetry.traces.selection import TraceSource
from holdfast.telemetry.traces.spans import Trace
from holdfast.telemetry.traces.statistics import TraceStatistics

_May = Annotated[Identity, Depends(requires(permissions.READ.name))]


def routes(
    source: TraceSource,
    statistics: TraceStatistics,
    counts: SpanCounts,
    clock: Clock,
    metrics: CollectorRegistry | None = None,
) -> APIRouter:
    """Build the router."""
    router = APIRouter(prefix="/traces", tags=["traces"], route_class=measured("traces", metrics))
    _counting(router, statistics, clock)
    _finding(router, counts, clock)
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
    async def service_map(identity: _May, start: Start = None, end: End = None, against: Against = "") -> MapOut:
        """Say who calls whom, databases and topics among them, what came of it, and what has changed."""
        time = read_time(clock, start, end)
        earlier = read_against(time, against)
        found = await statistics.map(identity.tenant, *time)
        before = await statistics.map(identity.tenant, *earlier) if earlier else None
        return show_map(found, find_drift(found, before), time, earlier.start_ns if earlier else None)


def _finding(router: APIRouter, counts: SpanCounts, clock: Clock) -> None:
    comparison = TraceComparison(counts)

    @router.get("/latency", operation_id="getTraceLatency", response_model=LatencyOut)
    async def latency(
        identity: _May,
        what: Annotated[What, Depends(read_what)],
        start: Start = None,
        end: End = None,
        columns: Columns = 60,
        *,
        singles: Singles = True,
    ) -> Response:
        """Count the spans of a search by time and duration, for a heat map."""
        search = read_search(what, read_time(clock, start, end))
        found = await map_latency(counts, identity.tenant, search, columns, has_singles=singles)
        return await _written(lambda: show_latency(found))

    @router.get("/groups", operation_id="listSpanGroups")
    async def groups(
        identity: _May,
        what: Annotated[What, Depends(read_what)],
        of: WhatGroups,
        start: Start = None,
        end: End = None,
        limit: Groups = 50,
    ) -> GroupsOut:
        """Group the slow spans of a search by operation and statement, or the failed ones by operation and error."""
        search = read_search(what, read_time(clock, start, end))
        find = find_failed if of == "failed" else find_slow
        return show_groups(await find(counts, identity.tenant, search, limit))

    @router.post("/compare", operation_id="compareTraces")
    async def compare(identity: _May, wanted: ComparisonIn) -> ComparisonOut:
        """Say what sets some traces apart from others; changes nothing."""
        chosen = read_search(wanted.chosen.what(), read_time(clock, wanted.chosen.start, wanted.chosen.end))
        others = the_rest(chosen)
        if wanted.others is not None:
            others = read_search(wanted.others.what(), read_time(clock, wanted.others.start, wanted.others.end))
        return show_comparison(await comparison.compare(identity.tenant, chosen, others, most=wanted.sample))

    @router.get("/compare", include_in_schema=False)
    async def compare_by_post(_: _May) -> None:
        """Say that a comparison is posted: `compare` is no trace."""
        raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "POST"})


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
        found = await source.spans(identity.tenant, trace_id.lower().zfill(32), span_id.lower())
        if not found:
            await read(identity, trace_id)
            raise NotFoundError(f"no span {span_id} in trace {trace_id}")
        return await _written(lambda: [show_span(span) for span in found])


async def _written(show: Callable[[], Any]) -> Response:
    """Write a large document beside the event loop, and not through pydantic, which takes seconds."""
    content = await asyncio.to_thread(lambda: orjson.dumps(show(), option=orjson.OPT_UTC_Z))
    return Response(content, media_type="application/json")
