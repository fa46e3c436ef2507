"""What a reader asks of traces: one by its id, those that a search finds, what services and operations there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.traces.spans import Span, SpanKind, SpanStatus, Trace


@dataclass(frozen=True, slots=True)
class TraceSearch:
    """Traces with a span that satisfies all of this; the newest first.

    Attributes:
        start_ns, end_ns: the span starts in [start_ns, end_ns).
        service, operation: equal to these; empty for any.
        attributes: of the span or its resource, equal to these texts.
        min_ns, max_ns: bounds of the span's duration; 0 for none.
        status: how the span ended.
        kind: what it stands for.
        limit: of traces.
        behind: only traces that come behind this one in the order of answers: its `newest_ns` and its id.
        is_root: only spans without a parent.
    """

    start_ns: int
    end_ns: int
    service: str = ""
    operation: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    min_ns: int = 0
    max_ns: int = 0
    status: SpanStatus | None = None
    kind: SpanKind | None = None
    limit: int = 20
    behind: tuple[int, str] | None = None
    is_root: bool = False


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """One line of a search: the root and the counts; `root_*` are the earliest span's where the root is missing.

    `newest_ns` is the start of the newest span that the search found in it.
    """

    trace_id: str
    start_ns: int
    duration_ns: int
    root_service: str
    root_name: str
    spans: int
    errors: int
    services: Mapping[str, int]
    newest_ns: int = 0


@dataclass(frozen=True, slots=True)
class Operation:
    """A name of spans with their kind."""

    name: str
    kind: SpanKind


@dataclass(frozen=True, slots=True)
class Dependency:
    """One service calls another, so many times."""

    parent: str
    child: str
    calls: int


class TraceSource(Protocol):
    """Where readers get traces; `StoredTraces` is the real one, `MemoryTraces` its twin."""

    async def trace(self, tenant: TenantId, trace_id: str, *, start_ns: int = 0, end_ns: int = 0) -> Trace | None:
        """Give a trace by 32 hexadecimal digits; a time in which it began makes it quicker. None if there is none."""
        ...

    async def spans(self, tenant: TenantId, trace_id: str, span_id: str) -> Sequence[Span]:
        """Give the spans of a trace that have an id of 16 hexadecimal digits: both halves of a call may (Zipkin)."""
        ...

    async def traces(self, tenant: TenantId, search: TraceSearch) -> list[Trace]:
        """Give the traces that a search finds, whole."""
        ...

    async def search(self, tenant: TenantId, search: TraceSearch) -> list[TraceSummary]:
        """Give a line for each trace that a search finds."""
        ...

    async def services(self, tenant: TenantId, start_ns: int, end_ns: int) -> list[str]:
        """Give the names of services with spans in a time, sorted."""
        ...

    async def operations(self, tenant: TenantId, service: str, start_ns: int, end_ns: int) -> list[Operation]:
        """Give the operations of a service in a time, sorted."""
        ...

    async def dependencies(self, tenant: TenantId, start_ns: int, end_ns: int) -> Sequence[Dependency]:
        """Give who calls whom in a time: spans whose parent is another service's."""
        ...
