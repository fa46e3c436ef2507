"""Spans of work that does not come in over HTTP: gRPC calls and events, with the ids that tie log lines to them."""

import contextlib
from collections.abc import Iterator, Mapping

from opentelemetry import propagate, trace

from holdfast import journal

_tracer = trace.get_tracer("shop")


@contextlib.contextmanager
def continued_span(name: str, carrier: Mapping[str, str], kind: trace.SpanKind, correlation_id: str) -> Iterator[None]:
    """Do something as part of the trace that `carrier` (headers, metadata) brought, or of a new one.

    Every line logged meanwhile carries the correlation id, the trace and the span.
    """
    with _tracer.start_as_current_span(name, propagate.extract(carrier), kind=kind) as span:
        context = span.get_span_context()
        ids = {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}
        with journal.bind(correlation_id=correlation_id, **ids if context.is_valid else {}):
            yield
