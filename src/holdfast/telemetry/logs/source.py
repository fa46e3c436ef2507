"""Where log records come out: pages in order, counts, and which streams there are. Implements `RecordSource`.

A page is looked for in a short span first, and in longer and longer ones while it is not full, so that the newest
results of a busy tenant cost no more than those of a quiet one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from holdfast.kernel.clock import Clock, SystemClock
from holdfast.telemetry.logs.reading import Condition, StreamDirectory, Window, field_expression
from holdfast.telemetry.logs.reading.extracting import extraction_sql
from holdfast.telemetry.logs.reading.grouping import extracted_of, grouping_sql
from holdfast.telemetry.logs.reading.rows import COLUMNS, read_page
from holdfast.telemetry.logs.selection import Direction, RecordCounts
from holdfast.telemetry.logs.storing.streams import ANNOUNCE_EVERY_NS

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from holdfast.kernel.ids import TenantId
    from holdfast.store import Store
    from holdfast.telemetry.logs.extraction import Extracted, Extraction
    from holdfast.telemetry.logs.reading.directory import Stream
    from holdfast.telemetry.logs.records import RecordPage
    from holdfast.telemetry.logs.selection import RecordSelection, StreamScope
    from holdfast.telemetry.metrics.labels import Labels

_PAGE: Final = f"SELECT {COLUMNS}, {{written}} FROM {{rows}} ORDER BY ts_ns {{order}} LIMIT {{limit}} WITH TIES"  # noqa: S608 -- declared columns
_WRITTEN: Final = "_block_number AS block, _part_offset AS place"  # what was written first comes first; parts keep it
_UNKNOWN: Final = "0 AS block, 0 AS place"  # behind other columns the engine no longer knows it
_COUNTS: Final = "SELECT {columns} FROM log_records WHERE {where} GROUP BY {groups}"
_AT_ONCE: Final = 50_000  # rows of one query where all are wanted: blocks of many streams are read whole anyway
_IN_LOOP: Final = 500  # rows that become a page in the event loop, a millisecond
_TOLD_APART: Final = 100  # streams that counts are made for one by one, so that it is known what was read of each
_LATEST_NS: Final = 2**63 - 2**50


class ReadNote(Protocol):
    """Somebody who counts what is read."""

    def note(self, tenant: TenantId, found: Iterable[tuple[int, int, int]]) -> None:
        """Take that of these streams so many records with so many letters were read."""
        ...


@dataclass(frozen=True, slots=True)
class _Asked:
    condition: Condition
    streams: dict[int, Stream]
    start_ns: int
    end_ns: int


class LogSource:
    """Reads log records of every tenant."""

    def __init__(self, store: Store, *, clock: Clock | None = None, reads: ReadNote | None = None) -> None:
        """Prepare; `reads` is told what is read."""
        self._store = store
        self._reads = reads
        self.directory = StreamDirectory(store, clock or SystemClock())

    async def where(self, tenant: TenantId, selection: RecordSelection) -> Condition:
        """Give a selection as SQL over `log_records`, for `Store.query`; its streams are looked up.

        Raises:
            InvalidError: an expression is no RE2.
        """
        asked = await self._ask(tenant, selection)
        return asked.condition.between(asked.start_ns, asked.end_ns)

    async def _ask(self, tenant: TenantId, selection: RecordSelection) -> _Asked:
        condition = Condition()
        for line in selection.lines:
            condition.add_line(line)
        for matcher in selection.fields:
            condition.add_field(matcher)
        if selection.odd_for is not None:
            condition.having = extraction_sql(selection.odd_for, condition, condition.layers)[0]
        start_ns, end_ns = max(selection.start_ns, 0), min(selection.end_ns, _LATEST_NS)
        streams = await self.directory.find(tenant, (selection.matchers,), start_ns, end_ns)
        living = await self.directory.find(tenant, (), start_ns, end_ns)
        for hint in selection.hints:
            own = [one for one, each in streams.items() if any(name in hint.labels for name, _ in each.labels)]
            condition.add_hint(hint, sorted(own))
        condition.of_streams(sorted(streams), is_all=len(streams) == len(living))
        if streams:
            start_ns = max(start_ns, min(each.first_ns for each in streams.values()))
            end_ns = min(end_ns, max(each.last_ns for each in streams.values()) + ANNOUNCE_EVERY_NS + 1)
        condition.is_empty = condition.is_empty or end_ns <= start_ns
        return _Asked(condition, streams, start_ns, end_ns)

    async def pages(
        self, tenant: TenantId, selection: RecordSelection, *, page: int = 5000
    ) -> AsyncGenerator[RecordPage, None]:
        """Give the records in the order of the direction, `page` at a time, or a few more where times are the same."""
        asked = await self._ask(tenant, selection)
        if asked.condition.is_empty:
            return
        labels = {identity: each.labels for identity, each in asked.streams.items()}
        left, most = selection.limit, page if selection.limit else max(page, _AT_ONCE)
        window = Window(asked.start_ns, asked.end_ns, is_backward=selection.direction is Direction.BACKWARD)
        while window:
            wanted = min(most, left) if selection.limit else most
            table = await self._rows(tenant, asked.condition.between(*window.span), wanted, window)
            self._note(tenant, table.column("stream_id").to_numpy(), table.column("body"))
            window.advance(len(table), wanted, table.column("ts_ns")[-1].as_py() if len(table) else 0)
            table = table.slice(0, left) if selection.limit else table
            left -= len(table)
            for begin in range(0, len(table), page):
                yield await _page(table.slice(begin, page), labels)
            if selection.limit and left <= 0:
                return

    def _note(self, tenant: TenantId, ids: npt.NDArray[np.uint64], bodies: pa.ChunkedArray) -> None:
        if self._reads is None or not len(ids):
            return
        import pyarrow.compute as pc  # noqa: PLC0415 -- heavy; whoever has a table has it loaded

        streams, place, counts = np.unique(ids, return_inverse=True, return_counts=True)
        letters = np.bincount(place, weights=pc.binary_length(bodies).to_numpy()).astype(np.int64)
        self._reads.note(tenant, zip(streams.tolist(), counts.tolist(), letters.tolist(), strict=True))

    async def _rows(self, tenant: TenantId, condition: Condition, wanted: int, window: Window) -> pa.Table:
        order = "DESC" if window.is_backward else "ASC"
        written = _UNKNOWN if condition.having else _WRITTEN
        sql = _PAGE.format(rows=condition.rows, written=written, order=order, limit=wanted)
        table = await self._store.query(sql, condition.parameters, tenant=tenant)
        return _as_written(table, is_backward=window.is_backward)

    async def counts(
        self, tenant: TenantId, selection: RecordSelection, *, step_ns: int, by: tuple[str, ...] = ()
    ) -> RecordCounts:
        """Count records and bytes of bodies in steps aligned to `start_ns`."""
        asked = await self._ask(tenant, selection)
        if asked.condition.is_empty:
            return _counts({})
        condition = asked.condition.between(asked.start_ns, asked.end_ns)
        names = {name for each in asked.streams.values() for name, _ in each.labels}
        fields = [f"{field_expression(name, condition)} AS g{place}" for place, name in enumerate(by)]
        groups = ["step", *(f"g{place}" for place in range(len(by)))]
        if names.intersection(by) or (self._reads is not None and len(asked.streams) <= _TOLD_APART):
            fields.insert(0, "stream_id")
            groups.insert(0, "stream_id")
        step = f"intDiv(ts_ns - {selection.start_ns}, {step_ns}) AS step"
        columns = ", ".join([*fields, step, "count() AS records", "sum(length(body)) AS size"])
        sql = _COUNTS.format(columns=columns, where=condition.sql, groups=", ".join(groups))
        table = await self._store.query(sql, condition.parameters, tenant=tenant)
        totals: dict[tuple[tuple[str, ...], int], tuple[int, int]] = {}
        read: dict[int, tuple[int, int]] = {}
        for row in table.to_pylist():
            stream = row.get("stream_id", 0)
            records, letters = read.get(stream, (0, 0))
            read[stream] = records + row["records"], letters + row["size"]
            own = dict(asked.streams[row["stream_id"]].labels) if "stream_id" in row else {}
            group = tuple(own.get(name, row[f"g{place}"]) for place, name in enumerate(by))
            key = group, selection.start_ns + row["step"] * step_ns
            before = totals.get(key, (0, 0))
            totals[key] = before[0] + row["records"], before[1] + row["size"]
        if self._reads is not None:
            self._reads.note(tenant, ((stream, *sums) for stream, sums in read.items()))
        return _counts(totals)

    async def extracts(
        self, tenant: TenantId, selection: RecordSelection, extraction: Extraction, *, step_ns: int, most: int
    ) -> Extracted | None:
        """Count records by step, stream and what is taken out of their bodies; None if that gives too many rows."""
        asked = await self._ask(tenant, selection)
        if asked.condition.is_empty:
            return extracted_of([], extraction, selection.start_ns, step_ns, {})
        condition = asked.condition.between(asked.start_ns, asked.end_ns)
        sql = grouping_sql(extraction, condition, selection.start_ns, step_ns, most)
        table = await self._store.query(sql, condition.parameters, tenant=tenant)
        if self._reads is not None and len(table):
            ids, records, letters = (table.column(name).to_numpy() for name in ("stream_id", "records", "bytes"))
            streams, place = np.unique(ids, return_inverse=True)
            sums = (np.bincount(place, weights=each).astype(np.int64).tolist() for each in (records, letters))
            self._reads.note(tenant, zip(streams.tolist(), *sums, strict=True))
        if len(table) > most:
            return None
        labels = {identity: each.labels for identity, each in asked.streams.items()}
        return await asyncio.to_thread(extracted_of, table, extraction, selection.start_ns, step_ns, labels)

    async def streams(self, tenant: TenantId, scope: StreamScope) -> list[Labels]:
        """Give the label sets of streams."""
        return sorted({*await self._labels(tenant, scope)})[: scope.limit or None]

    async def label_names(self, tenant: TenantId, scope: StreamScope) -> list[str]:
        """Give the names of labels."""
        names = {name for labels in await self._labels(tenant, scope) for name, _ in labels}
        return sorted(names)[: scope.limit or None]

    async def label_values(self, tenant: TenantId, label: str, scope: StreamScope) -> list[str]:
        """Give the values of one label."""
        values = {value for labels in await self._labels(tenant, scope) for name, value in labels if name == label}
        return sorted(values)[: scope.limit or None]

    async def _labels(self, tenant: TenantId, scope: StreamScope) -> Iterator[Labels]:
        found = await self.directory.find(tenant, scope.selectors, scope.start_ns, scope.end_ns)
        return (each.labels for each in found.values())


async def _page(table: pa.Table, labels: dict[int, Labels]) -> RecordPage:
    if len(table) <= _IN_LOOP:
        return read_page(table, labels)
    return await asyncio.to_thread(read_page, table, labels)


def _counts(totals: dict[tuple[tuple[str, ...], int], tuple[int, int]]) -> RecordCounts:
    order = sorted(totals)
    return RecordCounts(
        [group for group, _ in order],
        np.array([begin_ns for _, begin_ns in order], np.int64),
        np.array([totals[key][0] for key in order], np.int64),
        np.array([totals[key][1] for key in order], np.int64),
    )


def _as_written(table: pa.Table, *, is_backward: bool) -> pa.Table:
    """Give rows of one time in the order in which they were written, or the reverse; the engine gives them in any."""
    times = table.column("ts_ns").to_numpy()
    if not (times[1:] == times[:-1]).any():
        return table
    order = np.lexsort((table.column("place").to_numpy(), table.column("block").to_numpy(), times))
    return table.take(order[::-1] if is_backward else order)
