"""The in-memory twin of the store of traces: for tests, and for looking at files. Keeps everything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import orjson

from holdfast.telemetry.traces.arrivals import SpansWritten
from holdfast.telemetry.traces.feed import SpanFeed
from holdfast.telemetry.traces.rows import typed
from holdfast.telemetry.traces.selection import Operation
from holdfast.telemetry.traces.spans import NO_PARENT, Span, SpanKind, SpanStatus, Trace
from holdfast.telemetry.traces.tracing import count_calls, gather, summarise

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.traces.selection import Dependency, TraceSearch, TraceSummary
    from holdfast.telemetry.traces.spans import Spans


class MemoryTraces:
    """Spans of many tenants in lists; a `SpanSink` and a `TraceSource`."""

    def __init__(self) -> None:
        self._spans: dict[TenantId, list[Span]] = {}
        self.feed = SpanFeed()

    async def append(self, tenant: TenantId, spans: Spans) -> SpansWritten:
        """Keep spans."""
        self._spans.setdefault(tenant, []).extend(spans_of(spans))
        self.feed.publish(tenant, spans)
        return SpansWritten(len(spans))

    def _all(self, tenant: TenantId) -> dict[str, Trace]:
        return gather(self._spans.get(tenant, ()))

    async def trace(self, tenant: TenantId, trace_id: str, *, start_ns: int = 0, end_ns: int = 0) -> Trace | None:
        """Give a trace by its id."""
        del start_ns, end_ns
        return self._all(tenant).get(trace_id)

    async def traces(self, tenant: TenantId, search: TraceSearch) -> list[Trace]:
        """Give the traces that a search finds, whole."""
        traces = self._all(tenant)
        return [traces[trace_id] for _, trace_id in self._find(tenant, search)]

    async def search(self, tenant: TenantId, search: TraceSearch) -> list[TraceSummary]:
        """Give a line for each trace that a search finds."""
        traces = self._all(tenant)
        return [summarise(traces[trace_id], newest_ns) for newest_ns, trace_id in self._find(tenant, search)]

    def _find(self, tenant: TenantId, search: TraceSearch) -> list[tuple[int, str]]:
        newest: dict[str, int] = {}
        for span in self._spans.get(tenant, ()):
            if fits(span, search):
                newest[span.trace_id] = max(span.start_ns, newest.get(span.trace_id, 0))
        order = sorted(((at, trace_id) for trace_id, at in newest.items()), reverse=True)
        return [found for found in order if search.behind is None or found < search.behind][: search.limit]

    async def services(self, tenant: TenantId, start_ns: int, end_ns: int) -> list[str]:
        """Give the names of services with spans in a time."""
        return sorted({span.service for span in self._between(tenant, start_ns, end_ns)})

    async def operations(self, tenant: TenantId, service: str, start_ns: int, end_ns: int) -> list[Operation]:
        """Give the operations of a service in a time."""
        spans = self._between(tenant, start_ns, end_ns)
        found = {(span.name, span.kind) for span in spans if span.service == service}
        return [Operation(name, kind) for name, kind in sorted(found)]

    async def dependencies(self, tenant: TenantId, start_ns: int, end_ns: int) -> Sequence[Dependency]:
        """Give who calls whom in a time."""
        return count_calls(gather(self._between(tenant, start_ns, end_ns)).values())

    def _between(self, tenant: TenantId, start_ns: int, end_ns: int) -> list[Span]:
        return [span for span in self._spans.get(tenant, ()) if start_ns <= span.start_ns < end_ns]


def fits(span: Span, search: TraceSearch) -> bool:
    """Tell whether a span satisfies a search."""
    own = {key: _text(value) for key, value in span.attributes.items()}
    return (
        search.start_ns <= span.start_ns < search.end_ns
        and search.service in {"", span.service}
        and search.operation in {"", span.name}
        and span.duration_ns >= search.min_ns
        and (not search.max_ns or span.duration_ns <= search.max_ns)
        and search.status in {None, span.status}
        and search.kind in {None, span.kind}
        and not (search.is_root and span.parent_id)
        and all(text in {own.get(key), span.resource.get(key)} for key, text in search.attributes.items())
    )


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def spans_of(columns: Spans) -> list[Span]:
    """Give the spans of columns one by one."""
    resources = [dict(resource) for resource in columns.resources]
    spans = []
    for row in range(len(columns)):
        pairs = columns.attributes.row(row)
        spans.append(
            Span(
                columns.trace_ids[row].hex(),
                columns.span_ids[row].hex(),
                "" if columns.parent_ids[row] == NO_PARENT else columns.parent_ids[row].hex(),
                columns.services[row],
                columns.names[row],
                SpanKind(columns.kinds[row]),
                int(columns.starts_ns[row]),
                int(columns.durations_ns[row]),
                SpanStatus(columns.statuses[row]),
                columns.status_messages[row],
                typed(list(pairs), list(pairs.values()), columns.attributes.types(row)),
                resources[columns.resource_refs[row]],
                columns.scopes[row],
                orjson.loads(columns.events[row]) if columns.events[row] else (),
                orjson.loads(columns.links[row]) if columns.links[row] else (),
                columns.trace_states[row],
                float(columns.weights[row]),
            )
        )
    return spans
