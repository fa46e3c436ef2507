"""Spans of OTLP: requests become columns, and a service of both transports.

Source: opentelemetry-proto, trace/v1/trace.proto. A span without a valid id is refused and counted, the others stay.
"""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Any, Final

import orjson

from holdfast.telemetry.otlp import Rejected, Service
from holdfast.telemetry.traces import permissions
from holdfast.telemetry.traces.gathering import Gathering
from holdfast.telemetry.traces.spans import NO_PARENT

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.traces.arrivals import SpanSink
    from holdfast.telemetry.traces.spans import Spans

PATHS: Final = ("/v1/traces",)
SERVICE_NAME: Final = "service.name"
UNKNOWN_SERVICE: Final = "unknown_service"
_MOST_NS: Final = 2**63 - 1
_LAST_KIND: Final = 5
_LAST_STATUS: Final = 2


class OtlpTraces:
    """Takes requests of OTLP traces."""

    def __init__(self, sink: SpanSink) -> None:
        self._sink = sink

    async def export(self, tenant: TenantId, request: Any) -> Rejected:
        """Store the spans of a request."""
        spans, rejected = await asyncio.to_thread(read_request, request)
        await self._sink.append(tenant, spans)
        return rejected


def traces_service(door: OtlpTraces) -> Service:
    """Give the service over `door`."""
    return Service(
        name="opentelemetry.proto.collector.trace.v1.TraceService",
        permission=permissions.WRITE.name,
        messages=_messages,
        rejected_field="rejected_spans",
        export=door.export,
    )


def _messages() -> tuple[Any, Any]:
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb  # noqa: PLC0415 -- loads slowly

    return pb.ExportTraceServiceRequest, pb.ExportTraceServiceResponse


def read_request(request: Any) -> tuple[Spans, Rejected]:
    """Give the spans of a request, and what of it was refused."""
    gathering, refused = Gathering(), 0
    for group in request.resource_spans:
        attributes = {pair.key: _value(pair.value)[0] for pair in group.resource.attributes}
        service = attributes.get(SERVICE_NAME) or UNKNOWN_SERVICE
        resource = gathering.resource(attributes)
        for scoped in group.scope_spans:
            scope = scoped.scope.name
            for span in scoped.spans:
                if not _is_identified(span):
                    refused += 1
                    continue
                gathering.services.append(service)
                gathering.resource_refs.append(resource)
                gathering.scopes.append(scope)
                _add(gathering, span)
    told = "spans need a trace id of 16 bytes and a span id of 8 bytes that are not zero" if refused else ""
    return gathering.done(), Rejected(refused, told)


def _is_identified(span: Any) -> bool:
    trace_id, span_id = span.trace_id, span.span_id
    return len(trace_id) == 16 and len(span_id) == 8 and any(trace_id) and any(span_id)


def _add(gathering: Gathering, span: Any) -> None:
    start_ns = min(span.start_time_unix_nano, _MOST_NS)
    kind, status, parent = span.kind, span.status, span.parent_span_id
    gathering.trace_ids.append(span.trace_id)
    gathering.span_ids.append(span.span_id)
    gathering.parent_ids.append(parent if len(parent) == 8 else NO_PARENT)
    gathering.names.append(span.name)
    gathering.kinds.append(kind if kind <= _LAST_KIND else 0)
    gathering.starts_ns.append(start_ns)
    gathering.durations_ns.append(max(min(span.end_time_unix_nano, _MOST_NS) - start_ns, 0))
    gathering.statuses.append(status.code if status.code <= _LAST_STATUS else 0)
    gathering.status_messages.append(status.message)
    gathering.attributes({pair.key: _value(pair.value) for pair in span.attributes})
    gathering.events.append(_events(span.events))
    gathering.links.append(_links(span.links))
    gathering.trace_states.append(span.trace_state)
    gathering.weights.append(weight_of(span.trace_state))


def weight_of(trace_state: str) -> float:
    """Give how many spans one stands for, by OpenTelemetry's threshold `ot=th:...` (OTEP 235); else 1."""
    if "ot=" not in trace_state:
        return 1.0
    member = next((part.strip()[3:] for part in trace_state.split(",") if part.strip().startswith("ot=")), "")
    threshold = next((part[3:] for part in member.split(";") if part.startswith("th:")), "")
    try:
        rejected = int(threshold.ljust(14, "0"), 16) / 2**56 if threshold else 0.0
    except ValueError:
        return 1.0
    return 1.0 / (1.0 - rejected) if rejected < 1.0 else 1.0


def _value(value: Any) -> tuple[str, str]:
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value, "s"
        case "int_value":
            return str(value.int_value), "i"
        case "bool_value":
            return ("true" if value.bool_value else "false"), "b"
        case "double_value":
            return repr(value.double_value), "d"
        case None:
            return "", "s"
        case _:
            return orjson.dumps(_plain(value)).decode(), "j"


def _plain(value: Any) -> Any:
    match value.WhichOneof("value"):
        case "array_value":
            return [_plain(one) for one in value.array_value.values]
        case "kvlist_value":
            return {pair.key: _plain(pair.value) for pair in value.kvlist_value.values}
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case None:
            return None
        case name:
            return getattr(value, name)


def _events(events: Any) -> str:
    if not events:
        return ""
    rows = [
        {
            "ts_ns": min(event.time_unix_nano, _MOST_NS),
            "name": event.name,
            "attributes": {pair.key: _plain(pair.value) for pair in event.attributes},
        }
        for event in events
    ]
    return orjson.dumps(rows).decode()


def _links(links: Any) -> str:
    if not links:
        return ""
    rows = [
        {
            "trace_id": link.trace_id.hex(),
            "span_id": link.span_id.hex(),
            "attributes": {pair.key: _plain(pair.value) for pair in link.attributes},
        }
        for link in links
    ]
    return orjson.dumps(rows).decode()
