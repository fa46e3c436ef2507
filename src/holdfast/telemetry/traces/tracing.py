"""What is known of a trace from its spans alone: each once, in order, with its summary. Shared by all sources."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.telemetry.traces.columns import code, number
from holdfast.telemetry.traces.selection import Dependency, TraceSummary
from holdfast.telemetry.traces.spans import Span, SpanKind, Spans, SpanStatus, Trace, numbers_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from holdfast.telemetry.traces.columns import Codes, Places

_CALLERS: Final = (SpanKind.CLIENT, SpanKind.PRODUCER)


def gather(spans: Spans) -> dict[str, Trace]:
    """Give the traces of spans, each span once: the one that says most where copies differ."""
    traces = number(spans.trace_ids)
    owners, ids = code(spans.trace_ids, traces), numbers_of(spans.span_ids)
    rows, came = _each_once(spans, owners, ids)
    parents = _with_halves_joined(spans, owners, ids, rows)
    order = np.lexsort((came, ids[rows], spans.starts_ns[rows], owners[rows]))
    sorted_rows, sorted_parents = rows[order], [parents[place] for place in order.tolist()]
    ends = np.searchsorted(owners[sorted_rows], np.arange(len(traces) + 1))
    copies = np.bincount(owners, minlength=len(traces)) - np.diff(ends)
    found = {}
    for place, trace_id in enumerate(traces):
        begin, end = int(ends[place]), int(ends[place + 1])
        own = replace(spans.take(sorted_rows[begin:end]), parent_ids=sorted_parents[begin:end])
        found[trace_id.hex()] = Trace(trace_id.hex(), own, int(copies[place]))
    return found


def _each_once(spans: Spans, owners: Codes, ids: npt.NDArray[np.uint64]) -> tuple[Places, Places]:
    """Give a row for each span (id and kind) of each trace, and the row in which it came first; by that one."""
    order = np.lexsort((-spans.attributes.counts, -spans.durations_ns, spans.kinds, ids, owners))
    is_first = np.ones(len(order), np.bool_)
    is_first[1:] = False
    for each in (owners, ids, spans.kinds):
        is_first[1:] |= each[order][1:] != each[order][:-1]
    begins = np.flatnonzero(is_first)
    came = np.minimum.reduceat(order, begins) if len(begins) else order
    by_arrival = np.argsort(came)
    return order[begins][by_arrival], came[by_arrival]


def _with_halves_joined(spans: Spans, owners: Codes, ids: npt.NDArray[np.uint64], rows: Places) -> Sequence[bytes]:
    """Give the parents of rows; of those that share an id (Zipkin: client and server do), others hang on the caller."""
    parents = [spans.parent_ids[row] for row in rows.tolist()]
    order = np.lexsort((ids[rows], owners[rows]))  # stable: of one id they stay in the order in which they came
    own, whose = ids[rows][order], owners[rows][order]
    is_same = (own[1:] == own[:-1]) & (whose[1:] == whose[:-1])
    shared = np.flatnonzero(np.append(is_same, False) | np.append(False, is_same))
    halves: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    for place in order[shared].tolist():
        row = int(rows[place])
        halves[int(owners[row]), spans.span_ids[row]].append(place)
    for (_, span_id), places in halves.items():
        callers = [place for place in places if spans.kinds[rows[place]] in _CALLERS]
        upper = callers[-1] if callers else places[0]
        for place in places:
            if place != upper:
                parents[place] = span_id
    return parents


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
