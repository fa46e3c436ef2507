"""What traces and metrics share: exemplars that lead from a number to a trace, context for others, spans of calls.

On OpenTelemetry's API alone: without an SDK spans cost next to nothing, and the caller's context is still passed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeVar

from opentelemetry import propagate, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from holdfast import journal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context
    from opentelemetry.propagators.textmap import Getter, TextMapPropagator

C = TypeVar("C")

CORRELATION_HEADER: Final = "x-correlation-id"
TRACER_NAME: Final = "holdfast.instrument"
ACCEPTABLE_ID: Final = re.compile(r"[\w.:/+=@-]{1,128}", re.ASCII)
"""Correlation ids that do no harm in a log or a header."""


def exemplar_of(span: Span) -> dict[str, str] | None:
    """Give the exemplar that points to a span's trace; None when the trace is not kept."""
    context = span.get_span_context()
    if not context.trace_flags.sampled:
        return None
    return {"trace_id": f"{context.trace_id:032x}"}


def current_exemplar() -> dict[str, str] | None:
    """Give the exemplar of what runs now."""
    return exemplar_of(trace.get_current_span())


def trace_fields(span: Span) -> dict[str, str]:
    """Give the ids that join log lines to a trace; none when nobody traces."""
    context = span.get_span_context()
    if not context.is_valid:
        return {}
    return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}


def parent_of(carrier: C, getter: Getter[C]) -> Context | None:
    """Give the context that a request belongs to: what runs now, if that is traced already, else what it brought."""
    if trace.get_current_span().get_span_context().is_valid:
        return None
    return propagate.extract(carrier, getter=getter)


def is_untraced(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Tell whether no SDK records spans and nobody sent a trace along: then a span would only cost 20 microseconds."""
    if not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return False
    carried = _carried_by(propagate.get_global_textmap())
    for name, _ in headers:  # noqa: SIM110 -- a generator takes three times as long, and this is asked for every request
        if name in carried:
            return False
    return True


@lru_cache(8)
def _carried_by(propagator: TextMapPropagator) -> frozenset[bytes]:
    return frozenset(field.lower().encode() for field in propagator.fields)


def outgoing_headers() -> dict[str, str]:
    """Give what a call or a message carries to whoever takes it: trace context and the correlation id.

    An id that no header can hold stays here.
    """
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    correlation_id = journal.correlation_id()
    if ACCEPTABLE_ID.fullmatch(correlation_id):
        carrier[CORRELATION_HEADER] = correlation_id
    return carrier


@contextmanager
def client_span(name: str, attributes: Mapping[str, str], kind: SpanKind = SpanKind.CLIENT) -> Iterator[Span]:
    """Run a call to something else in a span of its own; an error marks it, and goes on."""
    tracer = trace.get_tracer(TRACER_NAME)
    with tracer.start_as_current_span(name, kind=kind, attributes=dict(attributes)) as span:
        yield span


@contextmanager
def continued(name: str, carrier: Mapping[str, str], kind: SpanKind = SpanKind.CONSUMER) -> Iterator[Span]:
    """Do something as part of the trace and under the correlation id that `carrier` (lower-case names) brought."""
    tracer = trace.get_tracer(TRACER_NAME)
    correlation_id = carrier.get(CORRELATION_HEADER) or journal.correlation_id() or journal.new_correlation_id()
    with (
        tracer.start_as_current_span(name, context=propagate.extract(carrier), kind=kind) as span,
        journal.bind(correlation_id=correlation_id, **trace_fields(span)),
    ):
        yield span


def mark_failed(span: Span, error: str) -> None:
    """Say that what a span stands for has failed, though nothing was raised."""
    if span.is_recording():
        span.set_attribute("error.type", error)
        span.set_status(Status(StatusCode.ERROR))
