"""Jaeger's query API over traces, at `/jaeger/api`, as Grafana's Jaeger data source calls it.

Owns the shapes of Jaeger's JSON. Refuses to search by itself: a `TraceSource` does.
"""

from holdfast.telemetry.traces.jaeger.routes import JaegerApi
from holdfast.telemetry.traces.jaeger.shapes import trace_document

__all__ = ["JaegerApi", "trace_document"]
