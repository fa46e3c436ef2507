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
    by_trace: dict[str, dict[str, Span]] = {}
    for span in spans:
        known = by_trace.setdefault(span.trace_id, {})
        before = known.get(span.span_id)
        if before is None or _says_more(span, before):
            known[span.span_id] = span
        elif before.kind is not span.kind:  # Zipkin: client and server share an id
            known[f"{span.span_id}:{span.kind}"] = replace(span, parent_id=span.span_id)
    return {
        trace_id: Trace(trace_id, sorted(known.values(), key=lambda span: (span.start_ns, span.span_id)))
        for trace_id, known in by_trace.items()
    }


def _says_more(span: Span, before: Span) -> bool:
    is_same = span.kind is before.kind
    return is_same and (span.duration_ns, len(span.attributes)) > (before.duration_ns, len(before.attributes))


def find_root(trace: Trace) -> Span:
    """Give the root; the earliest span without a known parent where the root is missing."""
    known = {span.span_id for span in trace.spans}
    tops = [span for span in trace.spans if span.parent_id not in known]
    return next((span for span in tops if not span.parent_id), (tops or list(trace.spans))[0])


def summarise(trace: Trace) -> TraceSummary:
    """Give the line of a search for a trace."""
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
