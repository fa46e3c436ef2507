"""One arrival's way into the store: sorted out, announced, written, told to the followers, acknowledged.

Series are announced before their samples are written, so that nobody reads a sample without a name. A process that dies
in between has acknowledged nothing.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from holdfast.kernel.errors import ConflictError, HoldfastError
from holdfast.store import Store, Table
from holdfast.telemetry.ledger import NO_LEDGER, Reason, Signal, is_answering, reason_of_error
from holdfast.telemetry.metrics.arrivals import Arrival, Exemplar, HistogramSample, Written
from holdfast.telemetry.metrics.storing.announcements import Announcements, due
from holdfast.telemetry.metrics.storing.book import Book
from holdfast.telemetry.metrics.storing.expiry import Expiry
from holdfast.telemetry.metrics.storing.extras import Extras
from holdfast.telemetry.metrics.storing.feed import Feed, Stored
from holdfast.telemetry.metrics.storing.points import LAST_MS, PointColumns
from holdfast.telemetry.metrics.tables import EXEMPLARS, FAMILIES, HISTOGRAMS, POINTS, STREAM

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence

    from holdfast.telemetry.ledger import Notes
    from holdfast.telemetry.metrics.arrivals import MetricMetadata

SAMPLE_BYTES: Final = 16  # of a time and a value, before they are packed; what the ledger counts
LIMIT: Final = "limit"
OUT_OF_RANGE: Final = "out_of_range"


class Appending:
    """Writes arrivals of every tenant."""

    def __init__(self, store: Store, expiry: Expiry, feed: Feed, ledger: Notes = NO_LEDGER) -> None:
        self._store = store
        self._ledger = ledger
        self._expiry = expiry
        self._feed = feed
        self._announcements = Announcements(store, expiry, feed)
        self._extras = Extras(expiry)
        self._settling: set[asyncio.Task[list[BaseException | None]]] = set()

    async def append(self, book: Book, arrival: Arrival) -> Written:
        """Store an arrival; raises as `ArrivalSink.append` does."""
        if arrival.generation != book.generation:
            raise ConflictError(
                f"the references are of generation {arrival.generation}, the book is of {book.generation}",
                hint="ask the book for every series again, and send again",
            )
        refused: dict[str, int] = {}
        services = book.services.names
        refs, points = self._points(book, arrival, refused)
        histograms = [s for s in arrival.histograms if _is_kept(s.ref, s.ts_ms, refused)]
        exemplars = [e for e in arrival.exemplars if e.ref >= 0 and abs(e.ts_ms) < LAST_MS]
        if histograms:
            refs = np.concatenate((refs, np.fromiter((s.ref for s in histograms), np.int64, len(histograms))))
        ts_ms = points.ts_ms if not histograms else _and_times(points.ts_ms, histograms)
        codes, are_past = book.service_codes.live[refs], self._expiry.are_past(ts_ms, book.keep_s.live[refs])
        out_codes = _out_codes(book, arrival) if OUT_OF_RANGE in refused else codes[:0]
        if len(refs):
            now_s = self._expiry.now_s()
            book.used_s.live[refs] = now_s
            # Rows are made before anything is awaited: the references may mean something else afterwards.
            writes = self._rows(book, histograms, exemplars)
            lives = due(book, refs, ts_ms, now_s)
            try:
                if lives is not None:
                    await self._announcements.announce(book, lives)
                await self._write(book, writes, points, histograms, arrival.patience_s)
            except HoldfastError as error:
                if is_answering():
                    self._note(book, reason_of_error(error), services, codes)
                raise
            if are_past is None:
                self._note(book, None, services, codes)
            else:
                self._note(book, None, services, codes[~are_past])
                self._note(book, Reason.TOO_OLD, services, codes[are_past])
        self._note(book, Reason.OUT_OF_RANGE, services, out_codes)
        if count := refused.get(LIMIT, 0):  # the book knows no series that was kept out; most requests are of one
            service = services[codes[0]] if len(codes) and (codes == codes[0]).all() else ""
            self._ledger.note(book.tenant, Signal.METRICS, service, Reason.SERIES_LIMIT, records=count)
        await self._say(book, arrival.metadata)
        return Written(len(points.ids), len(histograms), len(exemplars), refused)

    def _note(self, book: Book, reason: Reason | None, services: Sequence[str], codes: npt.NDArray[np.int32]) -> None:
        self._ledger.note_each(book.tenant, Signal.METRICS, reason, services=services, codes=codes, sizes=SAMPLE_BYTES)

    def _points(
        self, book: Book, arrival: Arrival, refused: dict[str, int]
    ) -> tuple[npt.NDArray[np.int64], PointColumns]:
        refs, ts_ms, values, starts_ms = arrival.refs, arrival.ts_ms, arrival.values, arrival.starts_ms
        is_out = (ts_ms > LAST_MS) | (ts_ms < -LAST_MS)
        is_kept = (refs >= 0) & ~is_out
        if not is_kept.all():
            counts = {LIMIT: int((refs < 0).sum()), OUT_OF_RANGE: int((is_out & (refs >= 0)).sum())}
            refused.update({reason: count for reason, count in counts.items() if count})
            refs, ts_ms, values = refs[is_kept], ts_ms[is_kept], values[is_kept]
            starts_ms = None if starts_ms is None else starts_ms[is_kept]
        starts = np.zeros(len(refs), np.int64) if starts_ms is None else starts_ms
        return refs, PointColumns(book.ids.live[refs], ts_ms, values, starts, book.keep_s.live[refs])

    def _rows(
        self,
        book: Book,
        histograms: Sequence[HistogramSample],
        exemplars: Sequence[Exemplar],
    ) -> tuple[npt.NDArray[np.uint64], Mapping[str, Sequence[Any]] | None, Mapping[str, Sequence[Any]] | None]:
        ids = book.ids.live[np.fromiter((s.ref for s in histograms), np.int64, len(histograms))]
        return (
            ids,
            self._extras.histograms(book, histograms) if histograms else None,
            self._extras.exemplars(book, exemplars) if exemplars else None,
        )

    async def _write(
        self,
        book: Book,
        rows: tuple[npt.NDArray[np.uint64], Mapping[str, Sequence[Any]] | None, Mapping[str, Sequence[Any]] | None],
        points: PointColumns,
        histograms: Sequence[HistogramSample],
        patience_s: float | None,
    ) -> None:
        ids, histogram_rows, exemplar_rows = rows
        tenant = book.tenant
        writes: list[Awaitable[None]] = []

        def write(table: Table, batch: Mapping[str, Sequence[Any]]) -> None:
            writes.append(self._store.writer(table).write(batch, tenant=tenant, patience_s=patience_s))

        async def settle() -> list[BaseException | None]:
            answers = await asyncio.gather(*writes, return_exceptions=True)
            has_starts = bool(points.starts_ms.any())
            self._feed.tell_samples(Stored(tenant, points.ids, points.ts_ms, points.values, has_starts))
            if histograms:
                self._feed.tell_samples(Stored(tenant, ids, _and_times(points.ts_ms[:0], histograms), None))
            return answers

        try:
            for batch in points.batches(self._expiry):
                write(POINTS, batch)
            if histogram_rows is not None:
                write(HISTOGRAMS, histogram_rows)
            if exemplar_rows is not None:
                write(EXEMPLARS, exemplar_rows)
        finally:
            # Also when a later part found the queue full: the parts before it are on their way.
            # And when the sender goes away: what is on its way must be told of all the same.
            settling = asyncio.create_task(settle(), name="metric-appending")
            self._settling.add(settling)
            settling.add_done_callback(self._settling.discard)
            answers = await asyncio.shield(settling)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer

    async def _say(self, book: Book, metadata: Sequence[MetricMetadata]) -> None:
        said = self._extras.families(book.tenant, metadata) if metadata else ()
        if said:
            rows = self._extras.family_rows(said, self._store.retention.seconds(book.tenant, STREAM))
            await self._store.writer(FAMILIES).write(rows, tenant=book.tenant)
            self._extras.heard(book.tenant, said)


def _out_codes(book: Book, arrival: Arrival) -> npt.NDArray[np.int32]:
    """Give the services of what is out of range, one for each sample."""
    refs = arrival.refs[(arrival.refs >= 0) & ((arrival.ts_ms > LAST_MS) | (arrival.ts_ms < -LAST_MS))].tolist()
    refs += [each.ref for each in arrival.histograms if each.ref >= 0 and abs(each.ts_ms) > LAST_MS]
    return book.service_codes.live[np.array(refs, np.int64)]


def _is_kept(ref: int, ts_ms: int, refused: dict[str, int]) -> bool:
    reason = LIMIT if ref < 0 else OUT_OF_RANGE if abs(ts_ms) > LAST_MS else ""
    if reason:
        refused[reason] = refused.get(reason, 0) + 1
    return not reason


def _and_times(ts_ms: npt.NDArray[np.int64], histograms: Sequence[HistogramSample]) -> npt.NDArray[np.int64]:
    return np.concatenate((ts_ms, np.fromiter((s.ts_ms for s in histograms), np.int64, len(histograms))))
