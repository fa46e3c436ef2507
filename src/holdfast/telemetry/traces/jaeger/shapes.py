"""Traces as Jaeger's JSON. Source: jaegertracing/jaeger, model/json, and its OTLP translation of kinds and statuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from holdfast.telemetry.traces.spans import Span, SpanKind, SpanStatus, Trace

_KINDS: Final = {
    SpanKind.INTERNAL: "internal",
    SpanKind.SERVER: "server",
    SpanKind.CLIENT: "client",
    SpanKind.PRODUCER: "producer",
    SpanKind.CONSUMER: "consumer",
}
KINDS_BY_WORD: Final = {word: kind for kind, word in _KINDS.items()}


def kind_word(kind: SpanKind) -> str:
    """Give Jaeger's word for a kind; empty where nobody says."""
    return _KINDS.get(kind, "")


def trace_document(trace: Trace) -> dict[str, Any]:
    """Give a trace as Jaeger writes it."""
    processes: dict[tuple[str, tuple[tuple[str, str], ...]], str] = {}
    spans = []
    for span in trace.spans:
        key = (span.service, tuple(sorted(span.resource.items())))
        process = processes.setdefault(key, f"p{len(processes) + 1}")
        spans.append(_span(span, process))
    return {
        "traceID": trace.trace_id,
        "spans": spans,
        "processes": {
            name: {
                "serviceName": service,
                "tags": [_tag(key, value) for key, value in resource if key != "service.name"],
            }
            for (service, resource), name in processes.items()
        },
        "warnings": None,
    }


def _span(span: Span, process: str) -> dict[str, Any]:
    references = [_reference("CHILD_OF", span.trace_id, span.parent_id)] if span.parent_id else []
    references += [_reference("FOLLOWS_FROM", link["trace_id"], link["span_id"]) for link in span.links]
    return {
        "traceID": span.trace_id,
        "spanID": span.span_id,
        "flags": 1,
        "operationName": span.name,
        "references": references,
        "startTime": span.start_ns // 1000,
        "duration": span.duration_ns // 1000,
        "tags": _tags(span),
        "logs": [_log(event) for event in span.events],
        "processID": process,
        "warnings": None,
    }


def _reference(kind: str, trace_id: str, span_id: str) -> dict[str, str]:
    return {"refType": kind, "traceID": trace_id, "spanID": span_id}


def _tags(span: Span) -> list[dict[str, Any]]:
    tags = [_tag(name, value) for name, value in span.attributes.items()]
    if span.scope:
        tags.append(_tag("otel.scope.name", span.scope))
    if span.kind in _KINDS:
        tags.append(_tag("span.kind", _KINDS[span.kind]))
    if span.status is not SpanStatus.UNSET:
        tags.append(_tag("otel.status_code", span.status.name))
    if span.status is SpanStatus.ERROR:
        tags.append(_tag("error", value=True))
    if span.status_message:
        tags.append(_tag("otel.status_description", span.status_message))
    if span.trace_state:
        tags.append(_tag("w3c.tracestate", span.trace_state))
    return tags


def _log(event: Mapping[str, Any]) -> dict[str, Any]:
    fields = [_tag("event", event["name"])] if event.get("name") else []
    fields += [_tag(name, value) for name, value in event.get("attributes", {}).items()]
    return {"timestamp": event["ts_ns"] // 1000, "fields": fields}


def _tag(key: str, value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"key": key, "type": "bool", "value": value}
        case int():
            return {"key": key, "type": "int64", "value": value}
        case float():
            return {"key": key, "type": "float64", "value": value}
        case str():
            return {"key": key, "type": "string", "value": value}
        case _:
            return {"key": key, "type": "string", "value": orjson.dumps(value).decode()}
