"""Takes a push in: decodes it in slices, and waits until the store has accepted it. Speaks no HTTP."""

from __future__ import annotations

import asyncio
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry import snappy
from holdfast.telemetry.crowds import Tree, refuse_crowd, refuse_crowded_json
from holdfast.telemetry.logs.arrivals import REFUSED, Refusal
from holdfast.telemetry.logs.intake import (
    SERVICE_NAME,
    Delivered,
    KnownStream,
    KnownStreams,
    LogMeters,
    deliver,
    with_service_name,
)
from holdfast.telemetry.logs.loki.entries import PushedStream, read_json, read_protobuf
from holdfast.telemetry.logs.loki.messages import build_push_request
from holdfast.telemetry.logs.loki.settings import LokiSettings
from holdfast.telemetry.logs.settings import LogsSettings
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.promql import QuerySyntaxError, parse_matchers
from holdfast.telemetry.metrics.samples import MatchOp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.logs.arrivals import RecordSink, StreamBook
    from holdfast.telemetry.logs.intake import RecordColumns, StreamMemory
    from holdfast.telemetry.metrics.labels import Labels

DOOR: Final = "loki_push"
SLICE: Final = 500  # entries converted before the event loop gets its turn
_AT_ONCE_BYTES: Final = 64_000
_ROWS: Final[Tree] = {1: {2: {}}}  # streams, entries
_SETTING: Final = "loki.max_body"


class LokiPush:
    """The door of Loki's push."""

    def __init__(
        self,
        sink: RecordSink,
        *,
        settings: LokiSettings | None = None,
        keeping: LogsSettings | None = None,
        meters: LogMeters | None = None,
    ) -> None:
        self._sink = sink
        self._settings = settings or LokiSettings()
        self._max_labels = (keeping or LogsSettings()).max_labels
        self._known = KnownStreams(self._settings.known_streams)
        self._meters = meters or LogMeters()

    async def take(self, tenant: TenantId, body: bytes, *, is_json: bool) -> Delivered:
        """Store a push; when this returns, the store has accepted all that was not refused.

        Raises:
            InvalidError: nothing of it could be read, and nothing was stored.
            TooLargeError: it is larger after decompression than allowed.
            BusyError, LimitError, StorageFullError, UnavailableError: nothing is acknowledged, send the same again.
        """
        size = len(body) if is_json else self.weigh(body)
        read = partial(self._read, body, is_json=is_json)
        streams = read() if size <= _AT_ONCE_BYTES else await asyncio.to_thread(read)

        def walk(book: StreamBook, memory: StreamMemory, columns: RecordColumns) -> Iterator[None]:
            return self._walk(streams, book, memory, columns)

        return await deliver(tenant, walk, sink=self._sink, known=self._known, door=DOOR, meters=self._meters)

    def weigh(self, body: bytes) -> int:
        """Give the bytes that a compressed push takes with what is in it.

        Raises:
            InvalidError, TooLargeError: as `take` does.
        """
        return len(body) + snappy.announced_size(body, limit=self._settings.max_body, setting=_SETTING)

    def _read(self, body: bytes, *, is_json: bool) -> list[PushedStream]:
        if is_json:
            refuse_crowded_json(body)
            return read_json(body)
        data = snappy.decompress(body, limit=self._settings.max_body, setting=_SETTING)
        refuse_crowd(data, _ROWS)
        return read_protobuf(data, self._message)

    @cached_property
    def _message(self) -> Any:
        return build_push_request()

    def _walk(
        self, streams: list[PushedStream], book: StreamBook, memory: StreamMemory, columns: RecordColumns
    ) -> Iterator[None]:
        for number, stream in enumerate(streams, 1):
            if number % SLICE == 0:
                yield
            known = memory.streams.get(stream.labels)
            if known is None:
                known = self._enter(stream, book, columns)
                if known is None:
                    continue
                if known.ref > REFUSED:
                    memory.streams[stream.labels] = known
            for place, (ts_ns, line, pairs) in enumerate(stream.entries, 1):
                columns.add(known.ref, min(max(ts_ns, -1), 2**63 - 1), line, pairs)
                if place % SLICE == 0:
                    yield
        yield

    def _enter(self, stream: PushedStream, book: StreamBook, columns: RecordColumns) -> KnownStream | None:
        pairs: dict[str, str] = {}
        try:
            pairs = parse_labels(stream.labels) if isinstance(stream.labels, str) else dict(stream.labels)
            labels = self._labels(stream.labels, pairs)
        except InvalidError as error:
            service = with_service_name(pairs)[SERVICE_NAME] if pairs else ""
            columns.refusals.add(Refusal.LABELS, len(stream.entries), str(error), service)
            return None
        return KnownStream(book.ref(labels, origin=f"loki:{dict(labels)[SERVICE_NAME]}"))

    def _labels(self, said: str | Labels, pairs: dict[str, str]) -> Labels:
        if not pairs:
            raise InvalidError("error at least one label pair is required per stream")
        labels = labels_of(with_service_name(pairs))
        if len(labels) > self._max_labels:
            raise InvalidError(
                f"stream {said} has {len(labels)} labels, more than logs.max_labels = {self._max_labels}"
            )
        return labels


def parse_labels(text: str) -> dict[str, str]:
    """Give the labels of `{name="value", ...}`.

    Raises:
        InvalidError: it is something else.
    """
    try:
        matchers = parse_matchers(text) if text.strip(" {}") else ()
    except QuerySyntaxError as error:
        raise InvalidError(f"error parsing labels {text}: {error.message}") from None
    if any(each.op is not MatchOp.EQUAL for each in matchers):
        raise InvalidError(f"error parsing labels {text}: only = may stand in them")
    return {each.label: each.value for each in matchers}
