"""What is known of a trace from its spans alone: each once, in order, with its summary. Shared by all sources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from holdfast.telemetry.traces.selection import Dependency, TraceSummary
from holdfast.telemetry.traces.spans import Span, SpanKind, SpanStatus, Trace

_CALLERS: Final = (SpanKind.CLIENT, SpanKind.PRODUCER)


def gather(spans: Iterable[Span]) -> dict[str, Trace]:
    """Give the traces of spans, each span once: the one that says most where copies differ."""
    by_trace: dict[str, dict[tuple[str, SpanKind], Span]] = {}
    copies: Counter[str] = Counter()
    for span in spans:
        known = by_trace.setdefault(span.trace_id, {})
        before = known.get((span.span_id, span.kind))
        if before is not None:
            copies[span.trace_id] += 1
        if before is None or _says_more(span, before):
            known[span.span_id, span.kind] = span
    return {
        trace_id: Trace(
            trace_id,
            sorted(_with_halves_joined(known), key=lambda span: (span.start_ns, span.span_id)),
            copies[trace_id],
        )
        for trace_id, known in by_trace.items()
    }


def _with_halves_joined(known: Mapping[tuple[str, SpanKind], Span]) -> Iterable[Span]:
    """Give the spans; of those that share an id (Zipkin: client and server do), the others hang on the caller."""
    uppers: dict[str, SpanKind] = {}
    for span_id, kind in known:
        if span_id not in uppers or kind in _CALLERS:
            uppers[span_id] = kind
    if len(uppers) == len(known):
        return known.values()
    return [
        span if uppers[span_id] is kind else replace(span, parent_id=span_id) for (span_id, kind), span in known.items()
    ]


def _says_more(span: Span, before: Span) -> bool:
    return (span.duration_ns, len(span.attributes)) > (before.duration_ns, len(before.attributes))


def find_root(trace: Trace) -> Span:
    """Give the root; the earliest span without a known parent where the root is missing."""
    known = {span.span_id for span in trace.spans}
    tops = [span for span in trace.spans if span.parent_id not in known]
    return next((span for span in tops if not span.parent_id), (tops or list(trace.spans))[0])


def summarise(trace: Trace, newest_ns: int = 0) -> TraceSummary:
    """Give the line of a search for a trace, of which the search found a span that began at `newest_ns`."""
    root = find_root(trace)
    start_ns = min(span.start_ns for span in trace.spans)
    return TraceSummary(
        trace.trace_id,
        start_ns,
        max(span.end_ns for span in trace.spans) - start_ns,
        root.service,
        root.name,
        len(trace.spans),
        sum(span.status is SpanStatus.ERROR for span in trace.spans),
        dict(Counter(span.service for span in trace.spans).most_common()),
        newest_ns,
    )


def count_calls(traces: Iterable[Trace]) -> Sequence[Dependency]:
    """Give who calls whom: spans whose parent is of another service."""
    calls: Counter[tuple[str, str]] = Counter()
    for trace in traces:
        services: Mapping[str, str] = {span.span_id: span.service for span in trace.spans}
        for span in trace.spans:
            parent = services.get(span.parent_id)
            if parent is not None and parent != span.service:
                calls[parent, span.service] += 1
    return [Dependency(parent, child, count) for (parent, child), count in sorted(calls.items())]
