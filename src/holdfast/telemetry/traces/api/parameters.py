"""The parameters of the REST API of traces."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final, Literal, NamedTuple

from fastapi import Path, Query

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.logs.logql.quantities import parse_duration_ns
from holdfast.telemetry.traces.api.documents import KindWord, StatusWord
from holdfast.telemetry.traces.findings import MOST_GROUPS
from holdfast.telemetry.traces.selection import TraceSearch
from holdfast.telemetry.traces.spans import SpanKind, SpanStatus

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock

MOST: Final = 500
_HOUR: Final = timedelta(hours=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Start = Annotated[
    datetime | None, Query(description="Spans that begin at or after this; an hour before `end` if not given.")
]
End = Annotated[datetime | None, Query(description="Spans that begin before this; now if not given.")]
TraceId = Annotated[str, Path(pattern="^[0-9a-fA-F]{1,32}$", description="Hexadecimal digits.")]
SpanId = Annotated[str, Path(pattern="^[0-9a-fA-F]{16}$", description="16 hexadecimal digits.")]
Name = Annotated[str, Query(max_length=1000)]
Wanted = Annotated[
    list[str] | None, Query(max_length=20, description="`name=value` of the span or its resource; all must hold.")
]
Length = Annotated[str, Query(max_length=50, description="Such as `250ms`, `1.5s`.")]
Roots = Annotated[bool, Query(description="Only spans that have no parent.")]
Cursor = Annotated[str, Query(max_length=80, description="`next` of the page before.")]
Columns = Annotated[int, Query(ge=1, le=300, description="Steps of time, about so many.")]
Singles = Annotated[bool, Query(description="Also spans of traces of a single span that did not fail.")]
Groups = Annotated[int, Query(ge=1, le=MOST_GROUPS)]
WhatGroups = Annotated[
    Literal["failed", "slow"],
    Query(description="Slow: as long as `min_duration`, else longer than 95 of 100 spans of the same operation."),
]
Against = Annotated[
    str,
    Query(max_length=50, description="How long ago the time of the same length began that it is compared with: `7d`."),
]
Limit = Annotated[int, Query(ge=1, le=MOST)]


class Span(NamedTuple):
    """A time: [start_ns, end_ns)."""

    start_ns: int
    end_ns: int


class What(NamedTuple):
    """What spans a search wants, as it was written."""

    service: str
    operation: str
    attribute: list[str]
    min_duration: str
    max_duration: str
    status: StatusWord | None
    kind: KindWord | None
    roots: bool = False


def read_what(
    service: Name = "",
    operation: Name = "",
    attribute: Wanted = None,
    *,
    min_duration: Length = "",
    max_duration: Length = "",
    status: StatusWord | None = None,
    kind: KindWord | None = None,
    roots: Roots = False,
) -> What:
    """Take the conditions of a search."""
    return What(service, operation, attribute or [], min_duration, max_duration, status, kind, roots)


def read_time(clock: Clock, start: datetime | None, end: datetime | None) -> Span:
    """Give the time that is asked for.

    Raises:
        InvalidError: it ends before it starts, or lies before 1970.
    """
    until = _aware(end) if end else clock.now()
    since = _aware(start) if start else max(until, _EPOCH + _HOUR) - _HOUR
    if since >= until:
        raise InvalidError("end is not after start", hint="give start < end")
    if since < _EPOCH:
        raise InvalidError(f"start is before 1970: {since.isoformat()}", hint="spans have times of Unix")
    return Span(_ns(since), min(_ns(until), 2**62))


def read_search(what: What, time: Span, cursor: str = "", limit: int = 20) -> TraceSearch:
    """Give the search that is asked for.

    Raises:
        InvalidError: a parameter cannot be read; the message names it.
    """
    return TraceSearch(
        time.start_ns,
        time.end_ns,
        what.service,
        what.operation,
        dict(_pair(text) for text in what.attribute),
        _duration("min_duration", what.min_duration),
        _duration("max_duration", what.max_duration),
        None if what.status is None else SpanStatus[what.status.upper()],
        None if what.kind is None else SpanKind[what.kind.upper()],
        limit,
        _read_cursor(cursor) if cursor else None,
        what.roots,
    )


def read_against(time: Span, ago: str) -> Span | None:
    """Give the earlier time of the same length; None if nothing is asked for.

    Raises:
        InvalidError: it is no duration, or lies before 1970.
    """
    shift_ns = _duration("against", ago)
    if not shift_ns:
        return None
    if time.start_ns < shift_ns:
        raise InvalidError(f"parameter 'against' leads to before 1970: {ago!r}", hint="such as 7d")
    return Span(time.start_ns - shift_ns, time.end_ns - shift_ns)


def write_cursor(newest_ns: int, trace_id: str) -> str:
    """Give the cursor that goes on behind a trace."""
    return f"{newest_ns}.{trace_id}"


def _read_cursor(text: str) -> tuple[int, str]:
    number, _, trace_id = text.partition(".")
    is_id = len(trace_id) == 32 and not set(trace_id) - set("0123456789abcdef")
    if not (number.isascii() and number.isdecimal() and len(number) < 20 and is_id):
        raise InvalidError(f"no cursor of this list: {text!r}", hint="give `next` of the page before as it is")
    return min(int(number), 2**63 - 1), trace_id


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InvalidError(f"parameter 'attribute' is no name=value: {text!r}", hint="such as http.route=/cart")
    return name, value


def _duration(name: str, text: str) -> int:
    length = parse_duration_ns(text, knows_days=True) if text else 0
    if length is None or length < 0:
        raise InvalidError(f"parameter '{name}' is no duration: {text!r}", hint="such as 250ms, 1.5s")
    return length


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _ns(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1) * 1000
