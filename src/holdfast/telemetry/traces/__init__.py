"""Traces: spans come in by OTLP and Zipkin, are kept by trace, and are searched and read.

Owns what a span is, how it is stored and what is known of a trace from its spans. Refuses to know who sends it, and
the protocols of readers.
"""

from holdfast.telemetry.traces.arrivals import SpanFollower, SpanSink, SpansWritten
from holdfast.telemetry.traces.columns import Codes, Pairs, Texts
from holdfast.telemetry.traces.feed import SpanFeed
from holdfast.telemetry.traces.gathering import Gathering, written
from holdfast.telemetry.traces.memory import MemoryTraces
from holdfast.telemetry.traces.otlp import OtlpTraces, traces_service
from holdfast.telemetry.traces.selection import Dependency, Operation, TraceSearch, TraceSource, TraceSummary
from holdfast.telemetry.traces.sink import SpanScrubber, TraceSink
from holdfast.telemetry.traces.source import StoredTraces
from holdfast.telemetry.traces.spans import NO_PARENT, Span, SpanKind, Spans, SpanStatus, Trace
from holdfast.telemetry.traces.tables import SCHEMA

__all__ = [
    "NO_PARENT",
    "SCHEMA",
    "Codes",
    "Dependency",
    "Gathering",
    "MemoryTraces",
    "Operation",
    "OtlpTraces",
    "Pairs",
    "Span",
    "SpanFeed",
    "SpanFollower",
    "SpanKind",
    "SpanScrubber",
    "SpanSink",
    "SpanStatus",
    "Spans",
    "SpansWritten",
    "StoredTraces",
    "Texts",
    "Trace",
    "TraceSearch",
    "TraceSink",
    "TraceSource",
    "TraceSummary",
    "traces_service",
    "written",
]
