"""The words of traces: spans in columns, as doors hand them over and followers see them, and one by one to readers.

A request holds thousands of spans, and so does a trace: there is no object per span unless a reader asks for one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import orjson

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.labels import Labels
    from holdfast.telemetry.traces.columns import Pairs, Places, Texts

NO_PARENT: Final = bytes(8)


class SpanKind(IntEnum):
    """What a span stands for, with OpenTelemetry's numbers."""

    UNSPECIFIED = 0
    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


class SpanStatus(IntEnum):
    """How a span ended, with OpenTelemetry's numbers."""

    UNSET = 0
    OK = 1
    ERROR = 2


@dataclass(frozen=True)
class Spans:
    """N spans of one tenant; every sequence has N entries. By its row, or in a loop, a span comes as a `Span`.

    Attributes:
        trace_ids: 16 bytes each.
        span_ids: 8 bytes each.
        parent_ids: 8 bytes each, zeros for a root.
        services: `service.name` of the resource.
        names: of the operation.
        kinds: uint8, a `SpanKind`.
        starts_ns: int64, ns of Unix time.
        durations_ns: int64, not negative.
        statuses: uint8, a `SpanStatus`.
        status_messages: what the span says about its status.
        attributes: the span's own; names as they were sent.
        resources: sets of attributes that many spans share: the resource's.
        resource_refs: int32, places in `resources`.
        scopes: the name of the instrumentation.
        events: JSON: a list of `{"ts_ns", "name", "attributes"}`; empty if there are none.
        links: JSON: a list of `{"trace_id", "span_id", "attributes"}`; empty if there are none.
        trace_states: W3C's tracestate.
        weights: float64: how many spans each one stands for, where a sampler upstream says so; else 1.
    """

    trace_ids: Sequence[bytes]
    span_ids: Sequence[bytes]
    parent_ids: Sequence[bytes]
    services: Texts
    names: Texts
    kinds: npt.NDArray[np.uint8]
    starts_ns: npt.NDArray[np.int64]
    durations_ns: npt.NDArray[np.int64]
    statuses: npt.NDArray[np.uint8]
    status_messages: Texts
    attributes: Pairs
    resources: Sequence[Labels]
    resource_refs: npt.NDArray[np.int32]
    scopes: Texts
    events: Texts
    links: Texts
    trace_states: Texts
    weights: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.span_ids)

    def __getitem__(self, row: int) -> Span:
        """Give one span.

        Raises:
            IndexError: there is no such row.
        """
        (span,) = self.take(np.array([range(len(self))[row]], np.intp))
        return span

    def __iter__(self) -> Iterator[Span]:
        """Give the spans one by one."""
        resources = [dict(resource) for resource in self.resources]
        for row in zip(
            self.trace_ids,
            self.span_ids,
            self.parent_ids,
            self.services,
            self.names,
            self.kinds.tolist(),
            self.starts_ns.tolist(),
            self.durations_ns.tolist(),
            self.statuses.tolist(),
            self.status_messages,
            self.attributes,
            self.resource_refs.tolist(),
            self.scopes,
            self.events,
            self.links,
            self.trace_states,
            self.weights.tolist(),
            strict=True,
        ):
            yield _span(row, resources)

    def take(self, rows: Places) -> Spans:
        """Give the spans of some rows, in that order."""
        places = rows.tolist()
        return Spans(
            [self.trace_ids[row] for row in places],
            [self.span_ids[row] for row in places],
            [self.parent_ids[row] for row in places],
            self.services.take(rows),
            self.names.take(rows),
            self.kinds[rows],
            self.starts_ns[rows],
            self.durations_ns[rows],
            self.statuses[rows],
            self.status_messages.take(rows),
            self.attributes.take(rows),
            self.resources,
            self.resource_refs[rows],
            self.scopes.take(rows),
            self.events.take(rows),
            self.links.take(rows),
            self.trace_states.take(rows),
            self.weights[rows],
        )


@dataclass(frozen=True, slots=True)
class Span:
    """One span as a reader sees it; attributes have the types that they were sent with."""

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    name: str
    kind: SpanKind
    start_ns: int
    duration_ns: int
    status: SpanStatus
    status_message: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    resource: Mapping[str, str] = field(default_factory=dict)
    scope: str = ""
    events: Sequence[Mapping[str, Any]] = ()
    links: Sequence[Mapping[str, Any]] = ()
    trace_state: str = ""
    weight: float = 1.0

    @property
    def end_ns(self) -> int:
        """When it ended."""
        return self.start_ns + self.duration_ns


@dataclass(frozen=True, slots=True)
class Trace:
    """All spans of a trace that have come so far, each once, by their start; `duplicates` more were left out."""

    trace_id: str
    spans: Spans
    duplicates: int = 0


def numbers_of(ids: Sequence[bytes]) -> npt.NDArray[np.uint64]:
    """Give ids of 8 bytes as numbers, which have the same order."""
    return np.frombuffer(b"".join(ids), ">u8").astype(np.uint64)


def _span(row: tuple[Any, ...], resources: Sequence[Mapping[str, str]]) -> Span:
    trace, own, parent, service, name, kind, start, duration, status, message, pairs, resource, *rest = row
    scope, events, links, state, weight = rest
    return Span(
        trace.hex(),
        own.hex(),
        "" if parent == NO_PARENT else parent.hex(),
        service,
        name,
        SpanKind(kind),
        start,
        duration,
        SpanStatus(status),
        message,
        pairs,
        resources[resource],
        scope,
        orjson.loads(events) if events else (),
        orjson.loads(links) if links else (),
        state,
        weight,
    )
