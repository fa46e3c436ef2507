"""One arrival's way into the store: sorted out, scrubbed, bounded, announced, written, told to the followers.

Streams are announced before their records are written, so that nobody reads a record without labels. A process that
dies in between has acknowledged nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from holdfast.kernel.errors import ConflictError, HoldfastError, LimitError
from holdfast.telemetry.ledger import Reason, Signal, is_answering, reason_of_error
from holdfast.telemetry.logs.arrivals import REFUSED, LogArrival, LogsWritten, Refusal, Refused
from holdfast.telemetry.logs.levels import find_levels
from holdfast.telemetry.logs.storing.earlier import Earlier
from holdfast.telemetry.logs.storing.repeats import Repeats, keys_of
from holdfast.telemetry.logs.storing.rows import record_rows, stream_rows
from holdfast.telemetry.logs.tables import RECORDS, STREAMS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from holdfast.kernel.clock import Clock
    from holdfast.kernel.ids import TenantId
    from holdfast.store import Store
    from holdfast.telemetry.ledger import Notes
    from holdfast.telemetry.logs.hooks import LogFeed, Quota, Scrubber
    from holdfast.telemetry.logs.records import Records
    from holdfast.telemetry.logs.settings import LogsSettings
    from holdfast.telemetry.logs.storing.streams import Lives, StreamWatch, TenantStreams
    from holdfast.telemetry.metrics.labels import Labels
    from holdfast.telemetry.metrics.storing import Expiry

_MOST_NS: Final = 2**63 - 1 - 2**50  # some two weeks before the end of int64, so that sums stay within
_AT_ONCE: Final = 200  # records that are worked on in the event loop, some milliseconds
_CHUNK: Final = 20_000  # rows of one write, so that the store's queue takes it
_NS_PER_MS: Final = 10**6


@dataclass(frozen=True, slots=True)
class Around:
    """What an arrival meets on its way."""

    store: Store
    clock: Clock
    expiry: Expiry
    settings: LogsSettings
    scrubber: Scrubber
    quota: Quota
    feed: LogFeed
    watches: Sequence[StreamWatch]
    ledger: Notes


@dataclass(frozen=True, slots=True)
class _Streams:
    """The columns of a book as they were when an arrival came."""

    ids: npt.NDArray[np.uint64]
    keep_s: npt.NDArray[np.int64]
    labels: Sequence[Labels]
    services: Sequence[str]
    service_codes: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class _Announcement:
    lives: Lives
    labels: Sequence[Labels]
    ids: npt.NDArray[np.uint64]
    rows: dict[str, Any]


class Appending:
    """Writes arrivals of every tenant."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self._repeats = Repeats(around.settings.repeats)
        self._earlier = Earlier(around.store, around.clock)

    async def append(self, book: TenantStreams, arrival: LogArrival) -> LogsWritten:
        """Store an arrival; raises as `RecordSink.append` does."""
        if arrival.generation != book.generation:
            raise ConflictError(
                f"the references are of generation {arrival.generation}, the book is of {book.generation}",
                hint="ask the book for every stream again, and send again",
            )
        refused = Refused()
        # The streams' columns are taken before anything is awaited: references may mean something else afterwards.
        streams, tenant = _streams(book), book.tenant
        records = self._bounded(arrival.records, refused)
        lives = book.due(records.refs, records.ts_ns, self._around.expiry.now_s())
        announcement = None if lives is None else self._announcement(book, lives)
        records = await self._scrubbed(tenant, records)
        try:
            records = refused.leave(records, self._around.quota.refuse(tenant, records, streams.labels))
        except LimitError:
            self._note(tenant, Reason.PUT_OFF, arrival.records, refused.places, streams)
            raise
        ids = streams.ids[records.refs]
        self._repeats.note(await self._earlier.keys(tenant, records, ids))
        fresh, flight = await self._repeats.begin(keys_of(tenant, records, ids))
        is_stored = False
        try:
            kept = records if len(fresh) == len(records) else records.take(fresh)
            if len(kept):
                if announcement is not None:
                    await self._announce(book, announcement)
                await self._write(kept, streams, tenant)
            is_stored = True
        except HoldfastError as error:
            if is_answering():
                self._note(tenant, reason_of_error(error), arrival.records, refused.places, streams)
            raise
        finally:
            self._repeats.end(flight, is_stored=is_stored)
        places = refused.places if len(fresh) == len(records) else _of(refused.places, fresh)
        are_old = self._too_old(kept, streams)
        if are_old is None:
            self._note(tenant, None, arrival.records, places, streams)
        else:
            places = np.arange(len(kept)) if places is None else places
            self._note(tenant, None, arrival.records, places[~are_old], streams)
            self._note(tenant, Reason.TOO_OLD, arrival.records, places[are_old], streams)
        for reason, gone in refused.gone:
            self._note(tenant, Reason(reason), arrival.records, gone, streams)
        return LogsWritten(len(kept), len(records) - len(kept), refused.counts, refused.at)

    def _too_old(self, records: Records, streams: _Streams) -> npt.NDArray[np.bool_] | None:
        """Tell which records leave with the next cleaning, for their time is over; None if all stay."""
        return self._around.expiry.are_past(records.ts_ns // _NS_PER_MS, streams.keep_s[records.refs])

    def _note(
        self,
        tenant: TenantId,
        reason: Reason | None,
        sent: Records,
        places: npt.NDArray[np.int64] | None,
        streams: _Streams,
    ) -> None:
        """Tell the ledger what became of the records at some places of an arrival; None for all of them."""
        refs, sizes = (sent.refs, sent.sizes) if places is None else (sent.refs[places], sent.sizes[places])
        note = self._around.ledger.note_each
        if reason is Reason.STREAM_LIMIT:  # the book knows no stream that was kept out, but said of which service it is
            codes, services = REFUSED - refs, ("", *streams.services)
            note(tenant, Signal.LOGS, reason, services=services, codes=codes, sizes=sizes)
            return
        note(
            tenant,
            Signal.LOGS,
            reason,
            services=streams.services,
            codes=streams.service_codes[np.maximum(refs, 0)],
            sizes=sizes,
        )

    def _announcement(self, book: TenantStreams, lives: Lives) -> _Announcement:
        labels = [book.labels[ref] for ref in lives.refs.tolist()]
        return _Announcement(lives, labels, book.ids.live[lives.refs], stream_rows(book, lives, self._around.expiry))

    async def _announce(self, book: TenantStreams, told: _Announcement) -> None:
        await self._around.store.writer(STREAMS).write(told.rows, tenant=book.tenant)
        book.remember(told.lives, self._around.expiry.now_s())
        for watch in self._around.watches:
            watch.streams_announced(book.tenant, told.labels, told.ids, told.lives.first_ns, told.lives.last_ns)

    def _bounded(self, records: Records, refused: Refused) -> Records:
        settings = self._around.settings
        lengths = np.fromiter(map(len, records.bodies), np.int64, len(records))
        rules: list[tuple[npt.NDArray[np.bool_], Refusal]] = [
            (records.refs <= REFUSED, Refusal.STREAM_LIMIT),
            (lengths > settings.max_line, Refusal.LINE_TOO_LONG),
            (records.sizes - lengths > settings.max_metadata, Refusal.METADATA_TOO_LARGE),
            ((records.ts_ns < 0) | (records.ts_ns > _MOST_NS), Refusal.OUT_OF_RANGE),
        ]
        return refused.leave(records, rules)

    async def _scrubbed(self, tenant: TenantId, records: Records) -> Records:
        scrub = self._around.scrubber.scrub
        if len(records) <= _AT_ONCE:
            return scrub(tenant, records)
        return await asyncio.to_thread(scrub, tenant, records)

    async def _write(self, records: Records, streams: _Streams, tenant: TenantId) -> None:
        expiry = self._around.expiry

        def rows(part: Records) -> tuple[Records, dict[str, Any]]:
            levels = find_levels(part, streams.labels)
            expires = expiry.column(part.ts_ns // _NS_PER_MS, streams.keep_s[part.refs])
            return replace(part, levels=levels), record_rows(part, streams.ids[part.refs], levels, expires)

        parts, writes = [], []
        for begin in range(0, len(records), _CHUNK):
            is_whole = len(records) <= _CHUNK
            part = records if is_whole else records.take(np.arange(begin, min(begin + _CHUNK, len(records))))
            part, made = rows(part) if len(part) <= _AT_ONCE else await asyncio.to_thread(rows, part)
            parts.append(part)
            writes.append(self._around.store.writer(RECORDS).write(made, tenant=tenant))
        await asyncio.gather(*writes)
        for part in parts:
            self._around.feed.records_stored(tenant, part, streams.labels)


def _streams(book: TenantStreams) -> _Streams:
    return _Streams(book.ids.live, book.keep_s.live, book.labels, book.services.names, book.service_codes.live)


def _of(places: npt.NDArray[np.int64] | None, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return rows if places is None else places[rows]
