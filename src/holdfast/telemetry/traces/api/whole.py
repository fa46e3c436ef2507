"""One trace as a document of columns, small enough for a hundred thousand spans; details of a span are asked for alone.

Row by row it is the waterfall: parents before children, children by their start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from holdfast.telemetry.traces import analysis
from holdfast.telemetry.traces.api.documents import KindWord, StatusWord, kind_word, show_time, status_word
from holdfast.telemetry.traces.columns import Texts
from holdfast.telemetry.traces.spans import SpanStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from holdfast.telemetry.traces.analysis import Tree
    from holdfast.telemetry.traces.spans import Span, Spans, Trace

MOST_ROWS: Final = 1000  # that a warning or a repetition names
MOST_MARKS: Final = 20_000


@dataclass(frozen=True, slots=True)
class ServiceShare:
    """A service in a trace; its place in the list is the index of its colour."""

    name: str
    spans: int
    errors: int
    self_ns: int


@dataclass(frozen=True, slots=True)
class SpanColumns:
    """Spans as columns, one entry per row.

    Attributes:
        ids: 16 hexadecimal digits.
        parents: the row of the parent; -1 at the top.
        depths: 0 at the top.
        services, names: places in the lists of the document.
        kinds, statuses: OpenTelemetry's numbers.
        starts_ns: since `start_ns` of the document, on one clock.
        durations_ns: as sent.
        self_ns: without the time of children.
        critical_ns: how long the span is on the critical path itself; 0 off it.
        skews_ns: what was added to the start that was sent.
        events: how many events the span has.
    """

    ids: list[str]
    parents: list[int]
    depths: list[int]
    services: list[int]
    names: list[int]
    kinds: list[int]
    statuses: list[int]
    starts_ns: list[int]
    durations_ns: list[int]
    self_ns: list[int]
    critical_ns: list[int]
    skews_ns: list[int]
    events: list[int]


@dataclass(frozen=True, slots=True)
class PathColumns:
    """The critical path as columns: the row at work, from when until when, since `start_ns` of the document."""

    rows: list[int]
    starts_ns: list[int]
    ends_ns: list[int]


@dataclass(frozen=True, slots=True)
class MarkColumns:
    """When something was noted during spans, as columns: the row, and when since `start_ns` of the document."""

    rows: list[int]
    offsets_ns: list[int]


@dataclass(frozen=True, slots=True)
class WarningOut:
    """Something odd about a trace; `rows` are the first of `count`."""

    code: analysis.WarningCode
    message: str
    count: int
    rows: list[int]


@dataclass(frozen=True, slots=True)
class RepetitionOut:
    """The same call made many times by the span of row `parent`; `rows` are the first of `count`.

    `distinct` of 1 says that the very same was asked each time; `at_once` is how many ran at the same time, at most.
    """

    kind: analysis.RepetitionKind
    parent: int
    service: str
    name: str
    statement: str
    count: int
    distinct: int
    busy_ns: int
    at_once: int
    rows: list[int]


@dataclass(frozen=True, slots=True)
class TraceOut:
    """A trace. `start_ns` is a text, for it is larger than JavaScript's whole numbers; `marks` are the first events."""

    trace_id: str
    started_at: datetime
    start_ns: str
    duration_ns: int
    root: int
    count: int
    errors: int
    services: list[ServiceShare]
    names: list[str]
    spans: SpanColumns
    critical_path: PathColumns
    marks: MarkColumns
    warnings: list[WarningOut]
    repetitions: list[RepetitionOut]


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """Something that happened while a span ran; `offset_ns` since the span's start."""

    name: str
    offset_ns: int
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SpanLink:
    """Another span that this one has to do with."""

    trace_id: str
    span_id: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SpanOut:
    """All of one span, with the times that were sent."""

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    name: str
    kind: KindWord
    status: StatusWord
    status_message: str
    started_at: datetime
    start_ns: str
    duration_ns: int
    scope: str
    trace_state: str
    weight: float
    attributes: Mapping[str, Any]
    resource: Mapping[str, str]
    events: list[SpanEvent]
    links: list[SpanLink]


def show_trace(trace: Trace) -> TraceOut:
    """Show a trace."""
    tree = analysis.align(analysis.grow(trace))
    spans, start_ns = tree.spans, int(tree.starts_ns.min())
    self_ns, path = analysis.measure_self_times(tree), analysis.find_critical_path(tree)
    names, services = _by_first_row(spans.names), _by_name(spans.services)
    marks, counts = _marks(tree, start_ns)
    critical_ns = np.zeros(len(spans), np.int64)
    np.add.at(critical_ns, path.rows, path.ends_ns - path.starts_ns)
    return TraceOut(
        trace.trace_id,
        show_time(start_ns),
        str(start_ns),
        int(tree.ends_ns.max()) - start_ns,
        tree.root,
        len(spans),
        int((spans.statuses == SpanStatus.ERROR).sum()),
        _shares(spans, services, self_ns),
        list(names.values),
        SpanColumns(
            _hexadecimal(spans.span_ids),
            tree.parents.tolist(),
            tree.depths.tolist(),
            services.codes.tolist(),
            names.codes.tolist(),
            spans.kinds.tolist(),
            spans.statuses.tolist(),
            (tree.starts_ns - start_ns).tolist(),
            spans.durations_ns.tolist(),
            self_ns.tolist(),
            critical_ns.tolist(),
            tree.skews_ns.tolist(),
            counts,
        ),
        PathColumns(path.rows.tolist(), (path.starts_ns - start_ns).tolist(), (path.ends_ns - start_ns).tolist()),
        marks,
        [
            WarningOut(each.code, each.message, len(each.rows), list(each.rows[:MOST_ROWS]))
            for each in analysis.find_warnings(tree, trace.duplicates)
        ],
        [_repetition(each) for each in analysis.find_repetitions(tree)],
    )


def _hexadecimal(ids: Sequence[bytes]) -> list[str]:
    digits = b"".join(ids).hex()
    return [digits[at : at + 16] for at in range(0, len(digits), 16)]


def _marks(tree: Tree, start_ns: int) -> tuple[MarkColumns, list[int]]:
    """Give the first events, and how many each span has."""
    counts = [0] * len(tree.spans)
    rows: list[int] = []
    offsets: list[int] = []
    skews = tree.skews_ns.tolist()
    for row, text in enumerate(tree.spans.events):
        if text:
            events = orjson.loads(text)
            counts[row] = len(events)
            if len(rows) < MOST_MARKS:
                rows += [row] * len(events)
                offsets += [event["ts_ns"] + skews[row] - start_ns for event in events]
    return MarkColumns(rows[:MOST_MARKS], offsets[:MOST_MARKS]), counts


def _by_first_row(texts: Texts) -> Texts:
    """Give a column whose values stand in the order in which rows have them, those without a row left out."""
    distinct = texts.distinct()
    seen, first, codes = np.unique(distinct.codes, return_index=True, return_inverse=True)
    order = np.argsort(first)
    values = [distinct.values[at] for at in seen[order].tolist()]
    return Texts(np.argsort(order)[codes].astype(np.int32), values)


def _by_name(texts: Texts) -> Texts:
    """Give a column whose values are sorted: so a service has the same colour in traces of the same services."""
    found = _by_first_row(texts)
    order = sorted(range(len(found.values)), key=found.values.__getitem__)
    return Texts(np.argsort(order)[found.codes].astype(np.int32), [found.values[at] for at in order])


def _shares(spans: Spans, services: Texts, self_ns: npt.NDArray[np.int64]) -> list[ServiceShare]:
    count = len(services.values)
    failed = services.codes[spans.statuses == SpanStatus.ERROR]
    busy = np.zeros(count, np.int64)
    np.add.at(busy, services.codes, self_ns)
    columns = (np.bincount(services.codes, minlength=count), np.bincount(failed, minlength=count), busy)
    return [ServiceShare(*each) for each in zip(services.values, *(column.tolist() for column in columns), strict=True)]


def _repetition(each: analysis.Repetition) -> RepetitionOut:
    return RepetitionOut(
        each.kind,
        each.parent,
        each.service,
        each.name,
        each.statement,
        len(each.rows),
        each.distinct,
        each.busy_ns,
        each.at_once,
        list(each.rows[:MOST_ROWS]),
    )


def show_span(span: Span) -> SpanOut:
    """Show a span with all that it says."""
    return SpanOut(
        span.trace_id,
        span.span_id,
        span.parent_id,
        span.service,
        span.name,
        kind_word(span.kind),
        status_word(span.status),
        span.status_message,
        show_time(span.start_ns),
        str(span.start_ns),
        span.duration_ns,
        span.scope,
        span.trace_state,
        span.weight,
        span.attributes,
        span.resource,
        [SpanEvent(each["name"], each["ts_ns"] - span.start_ns, each["attributes"]) for each in span.events],
        [SpanLink(each["trace_id"], each["span_id"], each["attributes"]) for each in span.links],
    )
