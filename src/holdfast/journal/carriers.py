"""Takes the ids of what runs now over a boundary, in the headers that others know, and takes them up on the other side.

`traceparent` and `tracestate` (W3C Trace Context), `baggage` (W3C Baggage), `x-request-id` and `x-correlation-id`: as
HTTP headers, gRPC metadata, headers of a message, or environment variables (`TRACEPARENT`, as OpenTelemetry names
them). What comes in was written by a stranger: it is checked and bounded, and what is malformed counts as not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import quote, unquote

from holdfast.journal.context import (
    CORRELATION_ID,
    CURRENT,
    REQUEST_ID,
    SPAN_ID,
    TRACE_ID,
    TRACESTATE,
    bind,
    new_correlation_id,
)
from holdfast.journal.redaction import describe
from holdfast.journal.spans import current_span_ids, current_trace_state

TRACEPARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")
TRACE: Final = re.compile(r"[0-9a-f]{32}")
SPAN: Final = re.compile(r"[0-9a-f]{16}")
ACCEPTABLE_ID: Final = re.compile(r"[\w.:/+=@-]{1,128}", re.ASCII)
STATE_MEMBER: Final = re.compile(  # W3C Trace Context section 3.3.1.3
    r"([a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})=[ -+\--<>-~]{0,255}[!-+\--<>-~]"
)
LONGEST_STATE: Final = 512  # what every platform passes on; members beyond it are left out, the last ones first
MOST_STATES: Final = 32
BAGGAGE_KEY: Final = re.compile(r"[\w.-]{1,64}", re.ASCII)
LONGEST_BAGGAGE: Final = 8192  # W3C Baggage section 3.3.2: what every platform passes on
MOST_MEMBERS: Final = 64
LONGEST_VALUE: Final = 256
BAGGAGE_FIELDS: Final = ("user_id", "tenant_id")

Carrier = Mapping[Any, Any] | Iterable[tuple[Any, Any]]


def inject(
    carrier: MutableMapping[str, str] | None = None, *, baggage: Iterable[str] = BAGGAGE_FIELDS
) -> MutableMapping[str, str]:
    """Write what runs now into headers, which are also returned; those that stand there already stay.

    Args:
        carrier: Headers of a request or message, metadata of gRPC; a new dict when None.
        baggage: The bound fields that travel as W3C baggage. Everybody down the line can read them.
    """
    carrier = {} if carrier is None else carrier
    for name, value in outgoing(baggage).items():
        carrier.setdefault(name, value)
    return carrier


def inject_environ(environ: Mapping[str, str], *, baggage: Iterable[str] = BAGGAGE_FIELDS) -> dict[str, str]:
    """Give an environment for a child process that takes up what runs now: `env=inject_environ(os.environ)`."""
    named = {name.upper().replace("-", "_"): value for name, value in outgoing(baggage).items()}
    return {**environ, **named}


def outgoing(baggage: Iterable[str] = BAGGAGE_FIELDS) -> dict[str, str]:
    """Give the headers of what runs now."""
    fields = CURRENT.get().fields
    headers = {}
    span = current_span_ids()
    ids = span or (str(fields.get(TRACE_ID, "")), str(fields.get(SPAN_ID, "")))
    if TRACE.fullmatch(ids[0]) and SPAN.fullmatch(ids[1]):
        headers["traceparent"] = f"00-{ids[0]}-{ids[1]}-01"
        said = (span and current_trace_state()) or (
            fields.get(TRACESTATE, "") if ids[0] == fields.get(TRACE_ID) else ""
        )
        if state := _read_state(str(said)):
            headers[TRACESTATE] = state
    for header, name in (("x-correlation-id", CORRELATION_ID), ("x-request-id", REQUEST_ID)):
        if ACCEPTABLE_ID.fullmatch(text := str(fields.get(name, ""))):
            headers[header] = text
    members = [f"{name}={quote(describe(fields[name])[:LONGEST_VALUE], safe='')}" for name in baggage if name in fields]
    if members and len(text := ",".join(members)) <= LONGEST_BAGGAGE:
        headers["baggage"] = text
    return headers


def extract(carrier: Carrier, *, baggage: Iterable[str] = BAGGAGE_FIELDS) -> dict[str, Any]:
    """Give the fields to bind for what came over a boundary, with a new correlation id where none came.

    Args:
        carrier: A mapping, or pairs as ASGI, gRPC and Kafka have them; names in any case, texts or bytes. An
            environment is one too.
        baggage: The members of the baggage that become fields.
    """
    headers = _read(carrier)
    fields: dict[str, Any] = {}
    correlation_id, request_id = headers.get("x-correlation-id", ""), headers.get("x-request-id", "")
    parent = TRACEPARENT.fullmatch(headers.get("traceparent", "").strip())
    is_request = ACCEPTABLE_ID.fullmatch(request_id) is not None
    if ACCEPTABLE_ID.fullmatch(correlation_id):
        fields[CORRELATION_ID] = correlation_id
    else:
        fields[CORRELATION_ID] = request_id if is_request else new_correlation_id()
    if is_request:
        fields[REQUEST_ID] = request_id
    if parent and (parent[3] is None or not headers["traceparent"].startswith("00")):
        fields[TRACE_ID], fields[SPAN_ID] = parent[1], parent[2]
        if state := _read_state(headers.get(TRACESTATE, "")):
            fields[TRACESTATE] = state
    wanted = set(baggage)
    fields |= {name: value for name, value in _read_baggage(headers.get("baggage", "")) if name in wanted}
    return fields


def continue_from(carrier: Carrier, *, baggage: Iterable[str] = BAGGAGE_FIELDS) -> bind:
    """Work, inside a `with`, on what came over a boundary: under its ids. See `extract`."""
    return bind(**extract(carrier, baggage=baggage))


def _read(carrier: Carrier) -> dict[str, str]:
    pairs = carrier.items() if isinstance(carrier, Mapping) else carrier
    headers: dict[str, str] = {}
    for name, value in pairs:
        header = _text(name).lower().replace("_", "-")
        if header == TRACESTATE:  # may be parted among several headers, and is one list
            parts = value if isinstance(value, (list, tuple)) else (value,)
            headers[header] = ",".join(filter(None, (headers.get(header, ""), *map(_text, parts))))
        else:
            headers[header] = _text(value)
    return headers


def _read_state(text: str) -> str:
    """Give the members of a `tracestate` that are passed on; nothing at all if one of them is none."""
    members = [member.strip() for member in text[: 4 * LONGEST_STATE].split(",")]
    members = [member for member in members if member]
    keys = {member.partition("=")[0] for member in members}
    if len(members) > MOST_STATES or len(keys) < len(members) or len(text) > 4 * LONGEST_STATE:
        return ""
    if not all(STATE_MEMBER.fullmatch(member) for member in members):
        return ""
    while members and len(",".join(members)) > LONGEST_STATE:
        members.pop()
    return ",".join(members)


def _text(value: Any) -> str:
    if isinstance(value, (list, tuple)):  # headers that may come several times, as NATS and werkzeug have them
        value = value[0] if value else ""
    return value.decode("latin-1") if isinstance(value, (bytes, bytearray)) else str(value)


def _read_baggage(text: str) -> Iterable[tuple[str, str]]:
    if len(text) > LONGEST_BAGGAGE:
        return
    for member in text.split(",")[:MOST_MEMBERS]:
        name, equals, value = member.partition(";")[0].partition("=")
        if equals and BAGGAGE_KEY.fullmatch(name.strip()):
            yield name.strip(), unquote(value.strip(), errors="replace")[:LONGEST_VALUE]
