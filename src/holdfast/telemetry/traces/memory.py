"""The in-memory twin of the store of traces: for tests, and for looking at files. Keeps everything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast.telemetry.traces.arrivals import SpansWritten
from holdfast.telemetry.traces.columns import Pairs, Texts
from holdfast.telemetry.traces.feed import SpanFeed
from holdfast.telemetry.traces.selection import Operation
from holdfast.telemetry.traces.spans import Span, Spans, Trace
from holdfast.telemetry.traces.tracing import count_calls, gather, summarise

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.traces.selection import Dependency, TraceSearch, TraceSummary


class MemoryTraces:
    """Spans of many tenants in lists; a `SpanSink` and a `TraceSource`."""

    def __init__(self) -> None:
        self._parts: dict[TenantId, list[Spans]] = {}
        self.feed = SpanFeed()

    async def append(self, tenant: TenantId, spans: Spans) -> SpansWritten:
        """Keep spans."""
        self._parts.setdefault(tenant, []).append(spans)
        self.feed.publish(tenant, spans)
        return SpansWritten(len(spans))

    def _all(self, tenant: TenantId) -> dict[str, Trace]:
        parts = self._parts.get(tenant)
        return gather(joined(parts)) if parts else {}

    async def trace(self, tenant: TenantId, trace_id: str, *, start_ns: int = 0, end_ns: int = 0) -> Trace | None:
        """Give a trace by its id."""
        del start_ns, end_ns
        return self._all(tenant).get(trace_id)

    async def spans(self, tenant: TenantId, trace_id: str, span_id: str) -> Sequence[Span]:
        """Give the spans of a trace that have an id."""
        found = self._all(tenant).get(trace_id)
        return [span for span in found.spans if span.span_id == span_id] if found is not None else ()

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
        for span in self._every(tenant):
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
        if not (parts := self._parts.get(tenant)):
            return []
        spans = joined(parts)
        chosen = np.flatnonzero((spans.starts_ns >= start_ns) & (spans.starts_ns < end_ns))
        return count_calls(gather(spans.take(chosen)).values())

    def _every(self, tenant: TenantId) -> Iterator[Span]:
        return chain.from_iterable(self._parts.get(tenant, ()))

    def _between(self, tenant: TenantId, start_ns: int, end_ns: int) -> list[Span]:
        return [span for span in self._every(tenant) if start_ns <= span.start_ns < end_ns]


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


def joined(parts: Sequence[Spans]) -> Spans:
    """Give the spans of several columns in one."""
    bases = accumulate((len(part.resources) for part in parts), initial=0)
    columns: dict[str, Any] = {
        "resources": list(chain.from_iterable(part.resources for part in parts)),
        "resource_refs": np.concatenate([part.resource_refs + base for part, base in zip(parts, bases, strict=False)]),
        "attributes": Pairs.of([_pairs(part.attributes, row) for part in parts for row in range(len(part))]),
    }
    for name in (each.name for each in fields(Spans) if each.name not in columns):
        found = [getattr(part, name) for part in parts]
        if isinstance(found[0], np.ndarray):
            columns[name] = np.concatenate(found)
        else:
            rows = list(chain.from_iterable(found))
            columns[name] = Texts.of(rows) if isinstance(found[0], Texts) else rows
    return Spans(**columns)


def _pairs(pairs: Pairs, row: int) -> dict[str, tuple[str, str]]:
    texts = pairs.row(row)
    return {key: (text, letter) for (key, text), letter in zip(texts.items(), pairs.types(row), strict=True)}
