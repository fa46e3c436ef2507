"""Spans of OTLP: requests become columns, and a service of both transports.

Source: opentelemetry-proto, trace/v1/trace.proto. A span without a valid id is refused and counted, the others stay.
Columns are filled field by field, not span by span, and what repeats is read once: see `messages`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import accumulate, chain, compress
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from holdfast.telemetry.arriving import through
from holdfast.telemetry.backlog import Backlog
from holdfast.telemetry.crowds import refuse_crowded_attributes
from holdfast.telemetry.ledger import NO_LEDGER, Reason, Signal
from holdfast.telemetry.otlp import Rejected, Service, Turns
from holdfast.telemetry.traces import permissions
from holdfast.telemetry.traces.columns import Pairs, Texts, code, number
from holdfast.telemetry.traces.messages import request_class
from holdfast.telemetry.traces.otlp_values import MOST_NS, Parts
from holdfast.telemetry.traces.spans import NO_PARENT, Spans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy.typing as npt

    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.ledger import Notes
    from holdfast.telemetry.metrics.labels import Labels
    from holdfast.telemetry.traces.arrivals import SpanSink

PATHS: Final = ("/v1/traces",)
DOOR: Final = "otlp_traces"
SERVICE_NAME: Final = "service.name"
UNKNOWN_SERVICE: Final = "unknown_service"
_LAST_KIND: Final = 5
T = TypeVar("T")
_NO_TRACE: Final = bytes(16)
_FIELDS: Final = attrgetter(
    *("trace_id", "span_id", "parent_span_id", "name", "kind", "start_time_unix_nano", "end_time_unix_nano"),
    *("attributes", "events", "links", "status", "trace_state"),
)


class OtlpTraces:
    """Takes requests of OTLP traces."""

    def __init__(self, sink: SpanSink, ledger: Notes = NO_LEDGER) -> None:
        self._sink = sink
        self._ledger = ledger
        self._turns = Turns()

    async def export(self, tenant: TenantId, request: Any) -> Rejected:
        """Store the spans of a request.

        Raises:
            BusyError, LimitError, StorageFullError, UnavailableError: nothing is acknowledged, send the same again.
            InvalidError: a part of it is not what it must be; nothing was stored.
        """
        async with self._turns.take(tenant, request.ByteSize()):
            spans, rejected = await asyncio.to_thread(read_request, request)
        with through(DOOR):
            await self._sink.append(tenant, spans)
        for service, count in rejected.services.items():
            self._ledger.note(tenant, Signal.TRACES, service, Reason.IDS, records=count)
        return rejected


def traces_service(door: OtlpTraces, backlog: Backlog | None = None) -> Service:
    """Give the service over `door`."""
    return Service(
        door=DOOR,
        name="opentelemetry.proto.collector.trace.v1.TraceService",
        signal=Signal.TRACES,
        permission=permissions.WRITE.name,
        messages=_messages,
        rejected_field="rejected_spans",
        export=door.export,
        backlog=backlog or Backlog(),
        reader=request_class,
    )


def _messages() -> tuple[Any, Any]:
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb  # noqa: PLC0415 -- loads slowly

    return pb.ExportTraceServiceRequest, pb.ExportTraceServiceResponse


def read_request(request: Any) -> tuple[Spans, Rejected]:
    """Give the spans of a request, as `request_class` reads it or in OTLP's own class; and what of it was refused.

    Raises:
        InvalidError: an attribute, resource, scope, status, event or link is none.
    """
    lean = request_class()
    if not isinstance(request, lean):
        request = lean.FromString(request.SerializeToString())
    rows: list[tuple[Any, ...]] = []
    resources: list[bytes] = []
    scopes: list[bytes] = []
    for group in request.resource_spans:
        for scoped in group.scope_spans:
            rows += map(_FIELDS, scoped.spans)
            scopes += [scoped.scope] * len(scoped.spans)
        resources += [group.resource] * (len(rows) - len(resources))
    named = [_is_identified(row[0], row[1]) for row in rows]
    refused = named.count(False)
    services: Counter[str] = Counter()
    if refused:
        parts = Parts()
        for resource, is_named in zip(resources, named, strict=True):
            if not is_named:
                services[dict(parts.resource(resource)).get(SERVICE_NAME, "")] += 1
        rows, resources = list(compress(rows, named)), list(compress(resources, named))
        scopes = list(compress(scopes, named))
    told = "spans need a trace id of 16 bytes and a span id of 8 bytes that are not zero" if refused else ""
    return _columns(rows, resources, scopes), Rejected(refused, told, services)


def _is_identified(trace_id: bytes, span_id: bytes) -> bool:
    return len(trace_id) == 16 and len(span_id) == 8 and trace_id != _NO_TRACE and span_id != NO_PARENT


def _columns(rows: Sequence[tuple[Any, ...]], resources: Sequence[bytes], scopes: Sequence[bytes]) -> Spans:
    parts, fields = Parts(), list(zip(*rows, strict=True)) or [()] * 12
    trace_ids, span_ids, parents, names, kinds, starts, ends, attributes, events, links, states, trace_states = fields
    resource_refs, sets = _read_each(resources, parts.resource)
    status_codes, statuses = _read_each(states, parts.status)
    starts_ns, durations_ns = _times(starts, ends)
    told = Texts.of(trace_states)
    return Spans(
        trace_ids,
        span_ids,
        [parent if len(parent) == 8 else NO_PARENT for parent in parents],
        Texts(resource_refs, [_service(each) for each in sets]),
        Texts.of(names),
        _bounded(kinds),
        starts_ns,
        durations_ns,
        np.array([status for status, _ in statuses] or [0], np.uint8)[status_codes],
        Texts(status_codes, [message for _, message in statuses]),
        _pairs(attributes, parts),
        sets,
        resource_refs,
        Texts(*_read_each(scopes, parts.scope)),
        _documents(events, parts.events),
        _documents(links, parts.links),
        told,
        np.array([weight_of(state) for state in told.values] or [1.0], np.float64)[told.codes],
    )


def _read_each(rows: Sequence[bytes], read: Callable[[bytes], T]) -> tuple[npt.NDArray[np.int32], list[T]]:
    """Read each different content once; give the place of every row's among them."""
    places = number(rows)
    return code(rows, places), [read(content) for content in places]


def _pairs(rows: Sequence[Iterable[bytes]], parts: Parts) -> Pairs:
    listed = [tuple(row) for row in rows]
    refuse_crowded_attributes(max(listed, key=len, default=()))
    flat = list(chain.from_iterable(listed))
    codes, read = _read_each(flat, parts.pair)
    keys, values, letters = zip(*read, strict=True) if read else ((), (), ())
    ends = np.fromiter(accumulate(map(len, listed), initial=0), np.int32, len(listed) + 1)
    return Pairs(ends, codes, keys, values, "".join(letters))


def _documents(rows: Sequence[Sequence[bytes]], read: Callable[[Sequence[bytes]], str]) -> Texts:
    """Give a document for each row that has anything; nearly none has."""
    codes, documents = np.zeros(len(rows), np.int32), [""]
    for place, row in enumerate(rows):
        if row:
            codes[place] = len(documents)
            documents.append(read(row))
    return Texts(codes, documents)


def _bounded(kinds: Sequence[int]) -> npt.NDArray[np.uint8]:
    found = np.array(kinds, np.int64)
    return np.where((found < 0) | (found > _LAST_KIND), 0, found).astype(np.uint8)


def _times(starts: Sequence[int], ends: Sequence[int]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    starts_ns, ends_ns = (
        np.minimum(np.array(times, np.uint64), np.uint64(MOST_NS)).astype(np.int64) for times in (starts, ends)
    )
    return starts_ns, np.maximum(ends_ns - starts_ns, 0)


def _service(resource: Labels) -> str:
    return dict(resource).get(SERVICE_NAME) or UNKNOWN_SERVICE


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
