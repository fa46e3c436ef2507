"""The in-memory twins of the store of logs: records go in by `MemoryLogSink` and come out by `MemoryLogSource`.

For tests, and for analysing files without a server. Keeps everything until `clear`; no place for a server's data.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.kernel.errors import ConflictError
from holdfast.telemetry.logs.arrivals import REFUSED, LogArrival, LogsWritten, Refusal, Refused
from holdfast.telemetry.logs.hooks import LogFeed, NoQuota, NoScrubber
from holdfast.telemetry.logs.levels import find_levels
from holdfast.telemetry.logs.lines import line_test
from holdfast.telemetry.logs.records import Attributes, RecordPage, Records, fits_column
from holdfast.telemetry.logs.selection import Direction, RecordCounts
from holdfast.telemetry.metrics.matching import chosen, question_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.logs.extraction import Extracted, Extraction
    from holdfast.telemetry.logs.hooks import Quota, Scrubber
    from holdfast.telemetry.logs.selection import Matchers, RecordSelection, StreamScope
    from holdfast.telemetry.metrics.labels import Labels

_Row = tuple[int, int, str, tuple[tuple[str, str], ...]]  # stream, time, body, structured metadata


class _Tenant:
    def __init__(self) -> None:
        self.labels: list[Labels] = []
        self.refs: dict[Labels, int] = {}
        self.rows: dict[_Row, None] = {}


class MemoryLogSource:
    """Records of many tenants; implements `RecordSource`."""

    def __init__(self) -> None:
        self._tenants: dict[TenantId, _Tenant] = {}

    def tenant(self, tenant: TenantId) -> _Tenant:
        """Give the tenant's lists; for the sink beside this one."""
        return self._tenants.setdefault(tenant, _Tenant())

    def clear(self, tenant: TenantId) -> None:
        """Forget what a tenant has."""
        self._tenants.pop(tenant, None)

    async def pages(
        self, tenant: TenantId, selection: RecordSelection, *, page: int = 5000
    ) -> AsyncGenerator[RecordPage, None]:
        """Give the records in the order of the direction."""
        kept = self.tenant(tenant)
        rows = sorted(_selected(kept, selection), key=lambda row: row[1])
        if selection.direction is Direction.BACKWARD:
            rows.reverse()
        rows = rows[: selection.limit] if selection.limit else rows
        for begin in range(0, len(rows), page):
            yield _page(kept, rows[begin : begin + page])

    async def counts(
        self, tenant: TenantId, selection: RecordSelection, *, step_ns: int, by: tuple[str, ...] = ()
    ) -> RecordCounts:
        """Count records and bytes of bodies by step and group."""
        kept = self.tenant(tenant)
        records: Counter[tuple[tuple[str, ...], int]] = Counter()
        sizes: Counter[tuple[tuple[str, ...], int]] = Counter()
        for stream, ts_ns, body, metadata in _selected(kept, selection):
            fields = dict(metadata) | dict(kept.labels[stream])
            begin_ns = selection.start_ns + (ts_ns - selection.start_ns) // step_ns * step_ns
            key = tuple(fields.get(name, "") for name in by), begin_ns
            records[key] += 1
            sizes[key] += len(body.encode())
        order = sorted(records)
        return RecordCounts(
            [group for group, _ in order],
            np.array([begin_ns for _, begin_ns in order], np.int64),
            np.array([records[key] for key in order], np.int64),
            np.array([sizes[key] for key in order], np.int64),
        )

    async def extracts(
        self, tenant: TenantId, selection: RecordSelection, extraction: Extraction, *, step_ns: int, most: int
    ) -> Extracted | None:
        """Give None: lines in memory are read one by one."""
        del tenant, selection, extraction, step_ns, most
        return None

    async def streams(self, tenant: TenantId, scope: StreamScope) -> list[Labels]:
        """Give the label sets of streams."""
        kept = self.tenant(tenant)
        alive = {stream for stream, ts_ns, _, _ in kept.rows if scope.start_ns <= ts_ns < scope.end_ns}
        places = alive & _matching(kept, scope.selectors)
        return sorted(kept.labels[place] for place in places)[: scope.limit or None]

    async def label_names(self, tenant: TenantId, scope: StreamScope) -> list[str]:
        """Give the names of labels."""
        return sorted({name for labels in await self.streams(tenant, scope) for name, _ in labels})

    async def label_values(self, tenant: TenantId, label: str, scope: StreamScope) -> list[str]:
        """Give the values of one label."""
        streams = await self.streams(tenant, scope)
        return sorted({value for labels in streams for name, value in labels if name == label})


class MemoryStreamBook:
    """The streams of one tenant that a `MemoryLogSink` writes to; implements `StreamBook`."""

    def __init__(self, max_streams: int, scrubber: Scrubber, tenant: TenantId) -> None:
        self.generation = 1
        self.labels: list[Labels] = []
        self.origins: list[str] = []
        self._refs: dict[Labels, int] = {}
        self._max_streams = max_streams
        self._scrubber = scrubber
        self._tenant = tenant

    def ref(self, labels: Labels, *, origin: str) -> int:
        """Give the reference of a stream, made known if it is new; `REFUSED` over the limit."""
        known = self._refs.get(labels)
        if known is not None:
            return known
        if len(self.labels) >= self._max_streams:
            return REFUSED
        self._refs[labels] = len(self.labels)
        self.labels.append(self._scrubber.scrub_labels(self._tenant, labels))
        self.origins.append(origin)
        return len(self.labels) - 1

    def forget(self) -> None:
        """Drop all references, as the store does with streams that are idle."""
        self.generation += 1
        self.labels, self.origins, self._refs = [], [], {}


class MemoryLogSink:
    """Writes arrivals into a `MemoryLogSource`; implements `RecordSink`. `max_streams` is per tenant."""

    def __init__(
        self,
        source: MemoryLogSource,
        *,
        max_streams: int = 2**62,
        scrubber: Scrubber | None = None,
        quota: Quota | None = None,
    ) -> None:
        self.source = source
        self.feed = LogFeed()
        self._max_streams = max_streams
        self._scrubber = scrubber or NoScrubber()
        self._quota = quota or NoQuota()
        self._books: dict[TenantId, MemoryStreamBook] = {}

    def book(self, tenant: TenantId) -> MemoryStreamBook:
        """Give the book of a tenant's streams."""
        return self._books.setdefault(tenant, MemoryStreamBook(self._max_streams, self._scrubber, tenant))

    async def append(self, tenant: TenantId, arrival: LogArrival) -> LogsWritten:
        """Keep an arrival.

        Raises:
            ConflictError: the references are of another generation; ask the book again.
        """
        book, refused = self.book(tenant), Refused()
        if arrival.generation != book.generation:
            message = f"references of generation {arrival.generation}, the book is at {book.generation}"
            raise ConflictError(message, hint="ask the book for the references again")
        records = refused.leave(arrival.records, [(arrival.records.refs == REFUSED, Refusal.STREAM_LIMIT)])
        records = self._scrubber.scrub(tenant, records)
        records = refused.leave(records, self._quota.refuse(tenant, records, book.labels))
        records = replace(records, levels=find_levels(records, book.labels))
        fresh = self._keep(tenant, records, book)
        self.feed.records_stored(tenant, records.take(fresh), book.labels)
        return LogsWritten(len(fresh), len(records) - len(fresh), refused.counts, refused.at)

    def _keep(self, tenant: TenantId, records: Records, book: MemoryStreamBook) -> np.ndarray:
        kept, fresh = self.source.tenant(tenant), []
        for place, (ref, ts_ns, body) in enumerate(
            zip(records.refs.tolist(), records.ts_ns.tolist(), records.bodies, strict=True)
        ):
            labels = book.labels[ref]
            if labels not in kept.refs:
                kept.refs[labels] = len(kept.labels)
                kept.labels.append(labels)
            row = kept.refs[labels], ts_ns, body, tuple(sorted(records.metadata(place).items()))
            if row not in kept.rows:
                kept.rows[row] = None
                fresh.append(place)
        return np.array(fresh, np.int64)


_FIELDS: Final = ("detected_level", "trace_id", "span_id", "severity_number", "severity_text", "observed_timestamp")


def _matching(kept: _Tenant, selectors: Sequence[Matchers]) -> set[int]:
    if not selectors:
        return set(range(len(kept.labels)))
    return {place for matchers in selectors for place in chosen(kept.labels, matchers)}


def _selected(kept: _Tenant, selection: RecordSelection) -> list[_Row]:
    streams = _matching(kept, (selection.matchers,))
    tests = [line_test(each) for each in selection.lines]
    fields = [(each.label, question_of(each)) for each in selection.fields]
    return [
        row
        for row in kept.rows
        if row[0] in streams
        and selection.start_ns <= row[1] < selection.end_ns
        and all(test(row[2]) for test in tests)
        and all(question(dict(row[3]).get(name, "")) for name, question in fields)
    ]


def _page(kept: _Tenant, rows: list[_Row]) -> RecordPage:
    metadata = [dict(row[3]) for row in rows]
    fields = {name: [_take(pairs, name) for pairs in metadata] for name in _FIELDS}
    streams = sorted({row[0] for row in rows})
    place_of = {stream: place for place, stream in enumerate(streams)}
    records = Records(
        np.array([place_of[row[0]] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.int64),
        [row[2] for row in rows],
        levels=fields["detected_level"],
        trace_ids=fields["trace_id"],
        span_ids=fields["span_id"],
        severities=np.array([int(text or 0) for text in fields["severity_number"]], np.uint8),
        severity_texts=fields["severity_text"],
        observed_ns=np.array([int(text or 0) for text in fields["observed_timestamp"]], np.int64),
        attributes=Attributes.of(metadata),
    )
    return RecordPage([kept.labels[stream] for stream in streams], records)


def _take(pairs: dict[str, str], name: str) -> str:
    return pairs.pop(name) if name in pairs and fits_column(name, pairs[name]) else ""
