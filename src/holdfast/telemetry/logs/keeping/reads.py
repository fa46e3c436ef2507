"""What is read of logs: records and letters by stream, reader and hour, kept in the store, so that a restart keeps it.

Notes are gathered in memory and written now and then; a crash loses the last minute of them, which does no harm.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter

from holdfast.kernel.auth import asking
from holdfast.store import INT64, LABEL, TIME_S, UINT64, Column, Schema, Table

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock
    from holdfast.kernel.ids import TenantId
    from holdfast.store import Store

WRITE_EVERY_S: Final = 60.0
NOBODY: Final = "holdfast"  # who reads where no request does
_HOUR_S: Final = 3600
_MOST: Final = 50_000  # notes in memory; what is read beyond them is counted for stream 0

READS: Final = Table(
    "log_reads",
    (
        Column("hour", TIME_S, "DoubleDelta, ZSTD"),
        Column("stream_id", UINT64, "ZSTD"),
        Column("reader", LABEL, "ZSTD"),
        Column("records", INT64, "ZSTD"),
        Column("bytes", INT64, "ZSTD"),
        Column("queries", INT64, "ZSTD"),
    ),
    order_by=("hour", "stream_id"),
    time="hour",
    stream="log_reads",
)
READS_SCHEMA: Final = Schema("log_reads", (READS,))
_READ: Final = """
    SELECT toDate(hour) AS day, stream_id, reader, toInt64(sum(records)) AS records, toInt64(sum(bytes)) AS bytes,
      toInt64(sum(queries)) AS queries
    FROM log_reads WHERE tenant = {tenant:String} AND hour >= {first:DateTime} AND hour < {last:DateTime}
    GROUP BY day, stream_id, reader ORDER BY bytes DESC LIMIT 100000"""

Key = tuple[int, int, str]  # hour, stream, reader


@dataclass(frozen=True, slots=True)
class LogRead:
    """What one reader read of one stream on one day (UTC); stream 0 stands for those that were too many to tell."""

    day: date
    stream_id: int
    reader: str
    records: int
    bytes: int
    queries: int


class LogReads:
    """Counts what queries read."""

    def __init__(self, store: Store, clock: Clock, metrics: CollectorRegistry | None = None) -> None:
        self._store = store
        self._clock = clock
        self._noted: dict[TenantId, dict[Key, list[int]]] = {}
        registry = metrics or CollectorRegistry()
        self._records = Counter("holdfast_logs_read_records", "Log records that queries read.", registry=registry)
        self._bytes = Counter("holdfast_logs_read_bytes", "Letters of bodies that queries read.", registry=registry)

    def note(self, tenant: TenantId, found: Iterable[tuple[int, int, int]]) -> None:
        """Take what a query has read: streams with records and letters."""
        who = asking()
        reader = who.name if who is not None else NOBODY
        hour = int(self._clock.now().timestamp()) // _HOUR_S * _HOUR_S
        noted = self._noted.setdefault(tenant, {})
        for stream_id, records, letters in found:
            self._records.inc(records)
            self._bytes.inc(letters)
            key = (hour, stream_id, reader)
            if key not in noted and len(noted) >= _MOST:
                key = (hour, 0, reader)
            sums = noted.setdefault(key, [0, 0, 0])
            for place, more in enumerate((records, letters, 1)):
                sums[place] += more

    async def write(self) -> None:
        """Put the notes into the store."""
        import pyarrow as pa  # noqa: PLC0415 -- heavy; a process without a store never pays

        noted, self._noted = self._noted, {}
        for tenant, sums in noted.items():
            hours, streams, readers = zip(*sums, strict=True)
            records, letters, queries = zip(*sums.values(), strict=True)
            rows = {
                "hour": pa.array(hours, pa.int64()).cast(pa.timestamp("s", tz="UTC")),
                "stream_id": pa.array(streams, pa.uint64()),
                "reader": pa.array(readers, pa.string()),
                "records": pa.array(records, pa.int64()),
                "bytes": pa.array(letters, pa.int64()),
                "queries": pa.array(queries, pa.int64()),
            }
            await self._store.writer(READS).write(rows, tenant=tenant)

    async def keep_written(self) -> None:
        """Write every minute, until cancelled."""
        while True:
            await self._clock.sleep(WRITE_EVERY_S)
            await self.write()

    async def between(self, tenant: TenantId, first: date, last: date) -> Sequence[LogRead]:
        """Give what was read from `first` to `last`; what other processes noted in the last minute may be missing.

        Raises:
            UnavailableError: the store does not answer.
        """
        await self.write()
        begin, end = (datetime.combine(day, time(), UTC) for day in (first, last + timedelta(days=1)))
        table = await self._store.query(_READ, {"first": begin, "last": end}, tenant=tenant)
        return [LogRead(**row) for row in table.to_pylist()]
