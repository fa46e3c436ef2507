"""One trace as a document of columns, small enough for a hundred thousand spans; details of a span are asked for alone.

Row by row it is the waterfall: parents before children, children by their start.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from holdfast.telemetry.traces import analysis
from holdfast.telemetry.traces.api.documents import KindWord, StatusWord, kind_word, show_time, status_word
from holdfast.telemetry.traces.spans import SpanStatus

if TYPE_CHECKING:
    from holdfast.telemetry.traces.analysis import Tree
    from holdfast.telemetry.traces.spans import Span, Trace

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
    start_ns = min(tree.starts_ns)
    self_ns, path = analysis.measure_self_times(tree), analysis.find_critical_path(tree)
    services, places = _services(tree, self_ns)
    names: dict[str, int] = {}
    for span in tree.spans:
        names.setdefault(span.name, len(names))
    return TraceOut(
        trace.trace_id,
        show_time(start_ns),
        str(start_ns),
        max(tree.ends_ns) - start_ns,
        tree.root,
        len(tree.spans),
        sum(share.errors for share in services),
        services,
        list(names),
        SpanColumns(
            [span.span_id for span in tree.spans],
            list(tree.parents),
            list(tree.depths),
            [places[span.service] for span in tree.spans],
            [names[span.name] for span in tree.spans],
            [int(span.kind) for span in tree.spans],
            [int(span.status) for span in tree.spans],
            [start - start_ns for start in tree.starts_ns],
            [span.duration_ns for span in tree.spans],
            self_ns,
            _on_path(path, len(tree.spans)),
            list(tree.skews_ns),
            [len(span.events) for span in tree.spans],
        ),
        PathColumns(
            [piece.row for piece in path],
            [piece.start_ns - start_ns for piece in path],
            [piece.end_ns - start_ns for piece in path],
        ),
        _marks(tree, start_ns),
        [
            WarningOut(each.code, each.message, len(each.rows), list(each.rows[:MOST_ROWS]))
            for each in analysis.find_warnings(tree, trace.duplicates)
        ],
        [_repetition(each) for each in analysis.find_repetitions(tree)],
    )


def _marks(tree: Tree, start_ns: int) -> MarkColumns:
    found = [
        (row, event["ts_ns"] + tree.skews_ns[row] - start_ns)
        for row, span in enumerate(tree.spans)
        for event in span.events
    ][:MOST_MARKS]
    return MarkColumns([row for row, _ in found], [offset for _, offset in found])


def _services(tree: Tree, self_ns: list[int]) -> tuple[list[ServiceShare], dict[str, int]]:
    """Give the services by name, so that a service has the same colour in traces of the same services."""
    spans: dict[str, int] = defaultdict(int)
    errors: dict[str, int] = defaultdict(int)
    busy: dict[str, int] = defaultdict(int)
    for span, own in zip(tree.spans, self_ns, strict=True):
        spans[span.service] += 1
        errors[span.service] += span.status is SpanStatus.ERROR
        busy[span.service] += own
    names = sorted(spans)
    shares = [ServiceShare(name, spans[name], errors[name], busy[name]) for name in names]
    return shares, {name: place for place, name in enumerate(names)}


def _on_path(path: list[analysis.Segment], count: int) -> list[int]:
    found = [0] * count
    for piece in path:
        found[piece.row] += piece.end_ns - piece.start_ns
    return found


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
