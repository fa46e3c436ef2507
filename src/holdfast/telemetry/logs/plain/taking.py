"""Takes a body of lines in: joined, recognised line by line, stored before it is answered. Speaks no HTTP."""

from __future__ import annotations

import asyncio
import codecs
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

import orjson

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.crowds import refuse_crowded_json, refuse_crowded_text
from holdfast.telemetry.logs.arrivals import REFUSED
from holdfast.telemetry.logs.intake import (
    SERVICE_NAME,
    UNKNOWN_SERVICE,
    Delivered,
    KnownStream,
    KnownStreams,
    LogMeters,
    deliver,
)
from holdfast.telemetry.logs.recognition import CriJoiner, Framed, join_lines, recognise
from holdfast.telemetry.metrics.labels import labels_of

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.logs.arrivals import RecordSink, StreamBook
    from holdfast.telemetry.logs.intake import RecordColumns, StreamMemory

DOOR: Final = "lines"
SLICE: Final = 500
_KNOWN: Final = 10_000
_AT_ONCE_BYTES: Final = 64_000
_NO_CHARSETS: Final = frozenset({"idna", "punycode"})  # codecs of names; the time of one grows with the square

Read = Callable[[bytes], list[str]]


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends: the labels of its stream (`service` empty where the lines say it), and the host."""

    service: str = ""
    environment: str = ""
    host: str = ""


class PlainLines:
    """The door of plain lines."""

    def __init__(self, sink: RecordSink, *, meters: LogMeters | None = None) -> None:
        self._sink = sink
        self._known = KnownStreams(_KNOWN)
        self._meters = meters or LogMeters()

    async def take(self, tenant: TenantId, body: bytes, read: Read, sender: Sender) -> Delivered:
        """Store the lines that `read` gives of a body; when this returns, the store has all that was not refused.

        Raises:
            InvalidError: it is no text, or no JSON; nothing was stored.
            BusyError, LimitError, StorageFullError, UnavailableError: nothing is acknowledged, send the same again.
        """
        make = partial(_whole_lines, body, read)
        whole = make() if len(body) <= _AT_ONCE_BYTES else await asyncio.to_thread(make)
        now_ns = time.time_ns()

        def walk(book: StreamBook, memory: StreamMemory, columns: RecordColumns) -> Iterator[None]:
            streams = _Streams(book, memory)
            for place, framed in enumerate(whole, 1):
                _add(framed, now_ns + place, sender, streams, columns)
                if place % SLICE == 0:
                    yield
            yield

        return await deliver(tenant, walk, sink=self._sink, known=self._known, door=DOOR, meters=self._meters)


@dataclass(frozen=True, slots=True)
class _Streams:
    book: StreamBook
    memory: StreamMemory
    seen: Counter[tuple[int, str]] = field(default_factory=Counter)

    def apart(self, ts_ns: int, line: str) -> int:
        """Keep equal lines of one request apart, the same way when it is sent again."""
        self.seen[ts_ns, line] += 1
        return ts_ns + self.seen[ts_ns, line] - 1

    def ref(self, service: str, environment: str) -> int:
        known = self.memory.streams.get((service, environment))
        if known is None:
            labels = {SERVICE_NAME: service, "environment": environment}
            known = KnownStream(self.book.ref(labels_of(labels), origin=f"lines:{service}"))
            if known.ref > REFUSED:
                self.memory.streams[service, environment] = known
        return known.ref


def _add(framed: Framed, now_ns: int, sender: Sender, streams: _Streams, columns: RecordColumns) -> None:
    found = recognise(framed.line)
    service = sender.service or found.service or UNKNOWN_SERVICE
    pairs = found.pairs()
    pairs += [(name, value) for name, value in (("host_name", sender.host), ("stream", framed.stream)) if value]
    ts_ns = found.ts_ns if framed.ts_ns is None else framed.ts_ns
    ts_ns = now_ns if ts_ns is None else streams.apart(ts_ns, framed.line)
    columns.add(streams.ref(service, sender.environment), ts_ns, framed.line, pairs)


def _whole_lines(body: bytes, read: Read) -> list[Framed]:
    refuse_crowded_text(body)
    return list(_framed(read(body)))


def _framed(lines: Iterable[str]) -> Iterator[Framed]:
    framed = CriJoiner()
    plain: list[str] = []
    for line in lines:
        found = framed.add(line)
        if found is None:
            continue
        if found.ts_ns is None:
            plain.append(found.line)
            continue
        yield from _joined(plain)
        plain.clear()
        yield found
    yield from _joined(plain)
    yield from framed.rest()


def _joined(lines: list[str]) -> Iterator[Framed]:
    return (Framed(None, "", line) for line in join_lines(lines))


def read_lines(body: bytes, charset: str = "utf-8") -> list[str]:
    """Give the lines of a text; empty ones are left out, bytes that are no text become U+FFFD.

    Raises:
        InvalidError: nobody knows the charset.
    """
    text: str | None = None
    with suppress(LookupError, ValueError):  # it has no such codec, or one of bytes, or a name that is none
        if codecs.lookup(charset).name not in _NO_CHARSETS:
            text = body.decode(charset, "replace")
    if text is None:
        raise InvalidError(f"the charset {charset!r} is not known", hint="send UTF-8")
    lines = text.removeprefix("\ufeff").split("\n")
    return [line for each in lines if (line := each.removesuffix("\r"))]


def read_json(body: bytes) -> list[str]:
    """Give the lines of a JSON array of texts and objects, or of one of them.

    Raises:
        InvalidError: it is something else; the message says where.
    """
    refuse_crowded_json(body)
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        hint = "send an array, or one object per line as application/x-ndjson"
        raise InvalidError(f"the body is no JSON: {error}", hint=hint) from None
    items = document if isinstance(document, list) else [document]
    for place, item in enumerate(items):
        if not isinstance(item, str | dict):
            raise InvalidError(f"[{place}] is neither a text nor an object")
    return [item if isinstance(item, str) else orjson.dumps(item).decode() for item in items]
