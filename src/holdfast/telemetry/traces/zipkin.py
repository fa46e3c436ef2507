"""Spans of Zipkin's API v2 in JSON, as its reporters and Zipkin's exporters post them.

Source: zipkin2-api.yaml. As in Zipkin, a request is taken whole or not at all. Where client and server share an id,
the server's half hangs on it as on a parent; the parent that was sent stays as `zipkin.parent_id`. No protobuf.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Final

import orjson
from fastapi import APIRouter, Depends, Request, Response

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import HoldfastError, InvalidError
from holdfast.kernel.http import MediaTypeError
from holdfast.telemetry.arriving import through
from holdfast.telemetry.backlog import Backlog
from holdfast.telemetry.crowds import refuse_crowded_attributes, refuse_crowded_json
from holdfast.telemetry.ledger import NO_LEDGER, Notes, Reason, Signal
from holdfast.telemetry.otlp.statuses import http_status, retry_after_s
from holdfast.telemetry.traces import permissions
from holdfast.telemetry.traces.arrivals import SpanSink
from holdfast.telemetry.traces.gathering import Gathering
from holdfast.telemetry.traces.spans import NO_PARENT, SpanKind, SpanStatus

if TYPE_CHECKING:
    from holdfast.telemetry.traces.spans import Spans

PATHS: Final = ("/api/v2/spans", "/zipkin/api/v2/spans")
DOOR: Final = "zipkin"
UNKNOWN_SERVICE: Final = "unknown_service"
SHARED_PARENT: Final = "zipkin.parent_id"
_MOST_US: Final = (2**63 - 1) // 1000
_NS_PER_US: Final = 1000
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_KINDS: Final = {kind.name: kind for kind in (SpanKind.CLIENT, SpanKind.SERVER, SpanKind.PRODUCER, SpanKind.CONSUMER)}


class ZipkinRoutes:
    """Takes posted spans; answers 202 with no body, or a line of text that says what is wrong."""

    def __init__(self, sink: SpanSink, clock: Clock, backlog: Backlog | None = None, ledger: Notes = NO_LEDGER) -> None:
        self._sink = sink
        self._ledger = ledger
        self._backlog = backlog or Backlog()
        self._clock = clock

    def router(self) -> APIRouter:
        """Build the router; it stands at the root."""
        router = APIRouter(include_in_schema=False)
        for path in PATHS:
            router.add_api_route(path, self.post, methods=["POST"], name=f"Zipkin {path}")
        return router

    async def post(
        self, request: Request, identity: Annotated[Identity, Depends(requires(permissions.WRITE.name))]
    ) -> Response:
        """Take a list of spans."""
        media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        try:
            if media_type != "application/json":
                raise MediaTypeError(f"Zipkin's spans are not taken as {media_type!r}", hint="send application/json")
            async with self._backlog.read(DOOR, request) as body:
                spans = await asyncio.to_thread(read_spans, body, int(self._clock.now().timestamp() * 1e6))
                with through(DOOR):
                    await self._sink.append(identity.tenant, spans)
        except HoldfastError as error:
            if isinstance(error, SpansRefusedError):
                for service, count in error.services.items():
                    self._ledger.note(identity.tenant, Signal.TRACES, service, Reason.MALFORMED, records=count)
            again_s = retry_after_s(error)
            headers = {} if again_s is None else {"retry-after": str(math.ceil(again_s))}
            return Response(str(error), http_status(error), headers, media_type="text/plain")
        return Response(status_code=202)


def read_spans(body: bytes, now_us: int) -> Spans:
    """Give the spans in a body; one without a timestamp is of now.

    Raises:
        InvalidError: it is no list of spans.
        SpansRefusedError: the message names the first that is none, and what is wrong with it.
    """
    refuse_crowded_json(body)
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidError(f"the body is no JSON: {error}") from None
    if not isinstance(document, list):
        raise InvalidError("the body is no list of spans", hint='such as [{"traceId": "...", "id": "..."}]')
    gathering = Gathering()
    resources: dict[tuple[str, str], int] = {}
    for number, span in enumerate(document):
        try:
            _add(gathering, _Fields(span), resources, now_us)
        except _FaultyFieldError as fault:
            raise SpansRefusedError(f"span {number}: {fault}", _services(document)) from None
    return gathering.done()


def _services(document: Sequence[object]) -> Counter[str]:
    """Count spans by the service that each names; by none where it names none."""
    named: Counter[str] = Counter()
    for span in document:
        local = span.get("localEndpoint") if isinstance(span, Mapping) else None
        name = local.get("serviceName") if isinstance(local, Mapping) else None
        named[name if isinstance(name, str) else ""] += 1
    return named


class SpansRefusedError(InvalidError):
    """A request is refused whole for one of its spans; `services` says how many spans of which service went with it."""

    def __init__(self, message: str, services: Counter[str]) -> None:
        super().__init__(message)
        self.services = services


class _FaultyFieldError(Exception):
    """A field of a span is not what it must be."""


class _Fields:
    """A JSON object whose fields are read by their type."""

    def __init__(self, document: object, place: str = "") -> None:
        if not isinstance(document, Mapping):
            raise _FaultyFieldError(f"{place or 'it'} is no object")
        self._document = document
        self._place = place

    def text(self, name: str) -> str:
        """Give a text; empty if there is none."""
        value = self._document.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self._fault(name, "is no text")
        return value

    def identity(self, name: str, most: int) -> bytes:
        """Give an id of up to `most` hexadecimal digits as bytes; empty if there is none."""
        text = self.text(name)
        if not text:
            return b""
        if len(text) > most or not _HEX.issuperset(text) or not text.strip("0"):
            raise self._fault(name, f"is no id of up to {most} hexadecimal digits: {text[:40]!r}")
        return bytes.fromhex(text.zfill(most))

    def number(self, name: str) -> int:
        """Give a whole number of microseconds; 0 if there is none."""
        value = self._document.get(name)
        if value is None:
            return 0
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST_US:
            raise self._fault(name, f"is no number of microseconds: {value!r:.40}")
        return int(value)

    def flag(self, name: str) -> bool:
        """Give a truth value; false if there is none."""
        value = self._document.get(name, False)
        if value is not None and not isinstance(value, bool):
            raise self._fault(name, "is neither true nor false")
        return bool(value)

    def within(self, name: str) -> _Fields:
        """Give an object; an empty one if there is none."""
        return _Fields(self._document.get(name) or {}, f"{self._place}{name}")

    def rows(self, name: str) -> Sequence[_Fields]:
        """Give a list of objects."""
        value = self._document.get(name) or []
        if not isinstance(value, list):
            raise self._fault(name, "is no list")
        return [_Fields(each, f"{self._place}{name}[{place}]") for place, each in enumerate(value)]

    def texts(self) -> dict[str, str]:
        """Give all fields as texts."""
        refuse_crowded_attributes(self._document)
        return {str(name): self.text(str(name)) for name in self._document}

    def _fault(self, name: str, what: str) -> _FaultyFieldError:
        return _FaultyFieldError(f"{self._place}.{name} {what}" if self._place else f"{name} {what}")


def _add(gathering: Gathering, span: _Fields, resources: dict[tuple[str, str], int], now_us: int) -> None:
    trace_id, span_id = span.identity("traceId", 32), span.identity("id", 16)
    if not trace_id or not span_id:
        raise _FaultyFieldError("it has no traceId, or no id")
    parent, is_shared = span.identity("parentId", 16), span.flag("shared")
    word = span.text("kind")
    if word and word not in _KINDS:
        raise _FaultyFieldError(f"kind is none of {', '.join(_KINDS)}: {word[:40]!r}")
    local, tags = span.within("localEndpoint"), span.within("tags").texts()
    service, address = local.text("serviceName") or UNKNOWN_SERVICE, local.text("ipv4") or local.text("ipv6")
    start_ns = (span.number("timestamp") or now_us) * _NS_PER_US
    attributes = _attributes(span, tags, parent if is_shared else b"")
    duration_ns = span.number("duration") * _NS_PER_US
    events, name = _events(span.rows("annotations")), span.text("name")
    # From here on nothing fails, so that the columns stay of one length.
    if (service, address) not in resources:
        resources[service, address] = gathering.resource({"service.name": service, "ip": address})
    gathering.resource_refs.append(resources[service, address])
    gathering.trace_ids.append(trace_id)
    gathering.span_ids.append(span_id)
    gathering.parent_ids.append(span_id if is_shared else parent or NO_PARENT)
    gathering.services.append(service)
    gathering.names.append(name)
    gathering.kinds.append(int(_KINDS.get(word, SpanKind.INTERNAL)))
    gathering.starts_ns.append(start_ns)
    gathering.durations_ns.append(duration_ns)
    gathering.statuses.append(int(SpanStatus.ERROR if "error" in tags else SpanStatus.UNSET))
    gathering.status_messages.append("" if tags.get("error") == "true" else tags.get("error", ""))
    gathering.attributes({key: (text, "s") for key, text in attributes.items()})
    gathering.scopes.append("")
    gathering.events.append(events)
    gathering.links.append("")
    gathering.trace_states.append("")
    gathering.weights.append(1.0)


def _attributes(span: _Fields, tags: dict[str, str], shared_parent: bytes) -> dict[str, str]:
    remote, found = span.within("remoteEndpoint"), dict(tags)
    if name := remote.text("serviceName"):
        found.setdefault("peer.service", name)
    if address := remote.text("ipv4") or remote.text("ipv6"):
        found.setdefault("network.peer.address", address)
    if shared_parent:
        found[SHARED_PARENT] = shared_parent.hex()
    return found


def _events(annotations: Sequence[_Fields]) -> str:
    if not annotations:
        return ""
    rows = [
        {"ts_ns": each.number("timestamp") * _NS_PER_US, "name": each.text("value"), "attributes": {}}
        for each in annotations
    ]
    return orjson.dumps(rows).decode()
