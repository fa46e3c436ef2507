"""Takes a bulk in: each item is checked and converted, the rest stored together. Speaks no HTTP."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.logs.arrivals import REFUSED, Refusal
from holdfast.telemetry.logs.elastic.bulk import Action, read_bulk
from holdfast.telemetry.logs.elastic.documents import Document, Reading
from holdfast.telemetry.logs.elastic.settings import ElasticSettings
from holdfast.telemetry.logs.intake import SERVICE_NAME, KnownStream, KnownStreams, LogMeters, deliver
from holdfast.telemetry.logs.settings import LogsSettings
from holdfast.telemetry.metrics.labels import labels_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.logs.arrivals import RecordSink, StreamBook
    from holdfast.telemetry.logs.intake import RecordColumns, StreamMemory

DOOR: Final = "elastic_bulk"
SLICE: Final = 500
_KNOWN: Final = 100_000
_AT_ONCE_BYTES: Final = 64_000
_REASONS: Final[Mapping[str, str]] = {
    Refusal.LINE_TOO_LONG: "the line is longer than log_limits.streams allows for its stream, or logs.max_line",
    Refusal.METADATA_TOO_LARGE: "the fields have more letters than logs.max_metadata",
    Refusal.OUT_OF_RANGE: "the time is out of range",
    Refusal.RATE_LIMIT: "the stream sends faster than log_limits.streams allows",
    Refusal.STREAM_LIMIT: "the tenant has as many streams as logs.max_streams allows",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One action with the document that it became, or with the fault that keeps it out, and why and whose it is."""

    action: Action
    document: Document | None
    fault: str = ""
    reason: Refusal = Refusal.UNSUPPORTED
    service: str = ""
    is_later: bool = False  # the same may be sent again, after a while


class ElasticBulk:
    """The door of Elasticsearch's `_bulk`."""

    def __init__(
        self,
        sink: RecordSink,
        *,
        settings: ElasticSettings | None = None,
        keeping: LogsSettings | None = None,
        meters: LogMeters | None = None,
    ) -> None:
        self._sink = sink
        self.settings = settings or ElasticSettings()
        self._keeping = keeping or LogsSettings()
        self._reading = Reading(frozenset(self.settings.label_fields))
        self._known = KnownStreams(_KNOWN)
        self._meters = meters or LogMeters()

    async def take(self, tenant: TenantId, body: bytes, index: str = "") -> list[Item]:
        """Store a bulk; gives every item, those with a fault were not stored.

        Raises:
            InvalidError: nothing of it could be read, and nothing was stored.
            BusyError, LimitError, StorageFullError, UnavailableError: nothing is acknowledged, send the same again.
        """
        read = partial(self._read, body, index)
        items = read() if len(body) <= _AT_ONCE_BYTES else await asyncio.to_thread(read)
        now_ns = time.time_ns()

        def walk(book: StreamBook, memory: StreamMemory, columns: RecordColumns) -> Iterator[None]:
            for place, item in enumerate(items, 1):
                items[place - 1] = self._add(item, now_ns + place, book, memory, columns)
                if place % SLICE == 0:
                    yield
            yield

        delivered = await deliver(tenant, walk, sink=self._sink, known=self._known, door=DOOR, meters=self._meters)
        _tell_refused(items, delivered.written.refused_at)
        return items

    def _read(self, body: bytes, index: str) -> list[Item]:
        return [self._item(action) for action in read_bulk(body, index, self.settings.max_documents)]

    def _item(self, action: Action) -> Item:
        if action.document is None:
            return Item(action, None, action.fault)
        try:
            found = self._reading.read(action.document)
        except InvalidError as error:
            return Item(action, None, str(error), service=self._reading.service_of(action.document))
        service = found.labels[SERVICE_NAME]
        metadata = sum(len(name) + len(value) for name, value in found.pairs)
        if len(found.body) > self._keeping.max_line:
            return Item(
                action,
                None,
                f"the line has {len(found.body)} letters, more than logs.max_line = {self._keeping.max_line}",
                Refusal.LINE_TOO_LONG,
                service,
            )
        if metadata > self._keeping.max_metadata:
            most = self._keeping.max_metadata
            told = f"the fields have {metadata} letters, more than logs.max_metadata = {most}"
            return Item(action, None, told, Refusal.METADATA_TOO_LARGE, service)
        return Item(action._replace(document=None), found)

    def _add(self, item: Item, now_ns: int, book: StreamBook, memory: StreamMemory, columns: RecordColumns) -> Item:
        document = item.document
        if document is None:
            columns.refusals.add(item.reason, 1, service=item.service)
            return item
        service = document.labels[SERVICE_NAME]
        key = tuple(sorted(document.labels.items()))
        known = memory.streams.get(key)
        if known is None:
            labels = labels_of(document.labels)
            if len(labels) > self._keeping.max_labels:
                columns.refusals.add(Refusal.LABELS, 1, service=service)
                told = f"the record has {len(labels)} labels, more than logs.max_labels = {self._keeping.max_labels}"
                return Item(item.action, None, told, Refusal.LABELS, service)
            known = KnownStream(book.ref(labels, origin=f"elastic:{service}"))
            if known.ref > REFUSED:
                memory.streams[key] = known
        if known.ref <= REFUSED:
            columns.refusals.add(Refusal.STREAM_LIMIT, 1, service=service)
            return Item(item.action, None, _REASONS[Refusal.STREAM_LIMIT], Refusal.STREAM_LIMIT, service)
        pairs = [*document.pairs, ("elastic_index", item.action.where)]
        if item.action.id:
            pairs.append(("elastic_id", item.action.id))
        columns.add(known.ref, now_ns if document.ts_ns is None else document.ts_ns, document.body, pairs)
        return item


def _tell_refused(items: list[Item], refused_at: Mapping[int, str]) -> None:
    """Mark the items that the sink refused; records stand in the order of the items that have a document."""
    sent = [place for place, item in enumerate(items) if item.document is not None]
    for record, reason in refused_at.items():
        item = items[sent[record]]
        words = _REASONS.get(reason, f"the record was refused: {reason}")
        items[sent[record]] = Item(item.action, None, words, is_later=reason == Refusal.RATE_LIMIT)
