"""What the REST API says of traces: lines of searches, services, operations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from holdfast.telemetry.traces.selection import TraceSummary
    from holdfast.telemetry.traces.statistics import OperationRates, Rates, ServiceRates

KindWord = Literal["unspecified", "internal", "server", "client", "producer", "consumer"]
StatusWord = Literal["unset", "ok", "error"]


@dataclass(frozen=True, slots=True)
class ServiceSpans:
    """A service with the number of its spans in a trace."""

    name: str
    spans: int


@dataclass(frozen=True, slots=True)
class TraceLine:
    """A trace in a list; where its root has not come, the earliest span stands for it."""

    trace_id: str
    started_at: datetime
    duration_ns: int
    root_service: str
    root_name: str
    spans: int
    errors: int
    services: list[ServiceSpans]


@dataclass(frozen=True, slots=True)
class TraceList:
    """Traces, newest first."""

    items: list[TraceLine]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class RatesOut:
    """What came of calls: how many, how many failed, how long they took."""

    calls: float
    errors: float
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


@dataclass(frozen=True, slots=True)
class TracedService:
    """A service with its spans; `rates` are of the calls that came into it."""

    name: str
    spans: float
    rates: RatesOut


@dataclass(frozen=True, slots=True)
class TracedServices:
    """Services with spans, by name."""

    items: list[TracedService]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class TracedOperation:
    """A name of spans, their kind, and what came of them."""

    name: str
    kind: KindWord
    rates: RatesOut


@dataclass(frozen=True, slots=True)
class TracedOperations:
    """Operations of a service, those with the most calls first."""

    items: list[TracedOperation]
    next: str | None = None


def show_line(summary: TraceSummary) -> TraceLine:
    """Show a line of a search."""
    return TraceLine(
        summary.trace_id,
        show_time(summary.start_ns),
        summary.duration_ns,
        summary.root_service,
        summary.root_name,
        summary.spans,
        summary.errors,
        [ServiceSpans(name, spans) for name, spans in summary.services.items()],
    )


def show_time(ns: int) -> datetime:
    """Show a time of a span; what no calendar has is its nearest end."""
    most = 253_402_300_799 * 10**6  # the end of the year 9999
    us = min(ns // 1000, most)
    return datetime.fromtimestamp(us // 10**6, UTC).replace(microsecond=us % 10**6)


def show_service(service: ServiceRates) -> TracedService:
    """Show a service."""
    return TracedService(service.name, service.spans, show_rates(service.rates))


def show_operation(operation: OperationRates) -> TracedOperation:
    """Show an operation."""
    return TracedOperation(operation.name, kind_word(operation.kind), show_rates(operation.rates))


def show_rates(rates: Rates) -> RatesOut:
    """Show what came of calls."""
    return RatesOut(rates.calls, rates.errors, rates.p50_ms, rates.p95_ms, rates.p99_ms)


def kind_word(kind: int) -> KindWord:
    """Give the word of a kind."""
    words: tuple[KindWord, ...] = ("unspecified", "internal", "server", "client", "producer", "consumer")
    return words[kind]


def status_word(status: int) -> StatusWord:
    """Give the word of a status."""
    words: tuple[StatusWord, ...] = ("unset", "ok", "error")
    return words[status]
