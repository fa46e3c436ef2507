"""An opened store: the folder's lock, the pools of clients, and the calls that reach the engine.

`Store` is its only user. Reads, writes and control have clients of their own, so that slow queries never hold a write
back and a query can always be stopped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotDoneYetError
from pathlib import Path
from typing import Any, Final, TypeVar

import pyarrow as pa
from clickhouse_connect.driver.exceptions import Error

from holdfast import journal
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import HoldfastError, TimedOutError
from holdfast.kernel.ids import new_id
from holdfast.resilience import timeout
from holdfast.store import batches, embedding, faults, migrations
from holdfast.store.clients import Client, client_opener, parse_address
from holdfast.store.folder import FolderLock, check_metadata
from holdfast.store.limits import QueryLimits
from holdfast.store.metrics import StoreMetrics
from holdfast.store.pool import ClientPool
from holdfast.store.retention import Retention
from holdfast.store.schema import Schema, Table
from holdfast.store.settings import StoreSettings
from holdfast.store.space import FreeBytes, SpaceWatch, free_bytes_of
from holdfast.store.writer import Around, Writer

T = TypeVar("T")
log = journal.get_logger("holdfast.store")

WRITE_CLIENTS: Final = 2
GRACE_S: Final = 2.0  # how much later than the engine we notice a query that overstays
_BROKEN: Final = """SELECT table, count() FROM system.detached_parts
    WHERE database = currentDatabase() AND reason LIKE 'broken%' GROUP BY table"""
_BROKEN_HINT: Final = (
    "restore the folder from a backup to get their rows back; the parts lie in the table's detached/ folder"
)
_KILL: Final = "KILL QUERY WHERE Settings['log_comment'] = {tag:String} AND query_id != queryID() ASYNC"
_KILL_TRIES: Final = 40
_KILL_PAUSE_S: Final = 0.05


class RunningStore:
    """A store between `open` and `close`."""

    def __init__(
        self,
        settings: StoreSettings,
        folder: Path | None,
        clock: Clock,
        metrics: StoreMetrics,
        free_bytes: FreeBytes | None,
    ) -> None:
        self.address = parse_address(settings.url.reveal(), folder)
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._lock: FolderLock | None = None
        self._live: dict[str, Future[Any]] = {}
        if free_bytes is None and self.address.folder is not None:
            free_bytes = free_bytes_of(self.address.folder)
        self.space = SpaceWatch(self.address.place, settings.reserve, free_bytes, clock, metrics)
        self._open_client = open_client = client_opener(self.address, settings)
        self._anchor: Client | None = None  # keeps the engine running while the pools have no client open
        self._reads = ClientPool(
            lambda: self._bound(open_client(), is_reader=True),
            name="query",
            size=settings.pool_size,
            waiting=settings.queue_queries,
        )
        self._writes = ClientPool(
            lambda: self._bound(open_client()), name="write", size=WRITE_CLIENTS, waiting=settings.queue_queries
        )
        self._control = ClientPool(open_client, name="control", size=2, waiting=settings.queue_queries)

    def _bound(self, client: Client, *, is_reader: bool = False) -> Client:
        client.database = self.address.database
        if is_reader:
            client.set_client_setting("readonly", 2)
        return client

    async def open(self) -> None:
        """Take the folder, start the engine, make the database."""
        embedding.spare_pandas()
        embedding.decline_huge_pages()
        if self.address.folder is not None:
            self._lock = await asyncio.to_thread(FolderLock.take, self.address.folder)
            await asyncio.to_thread(check_metadata, self.address.folder)
            embedding.import_engine()
            self._anchor = await asyncio.to_thread(self._open_client)
        await self._call(self._control, lambda c: c.command(f"CREATE DATABASE IF NOT EXISTS {self.address.database}"))

    async def close(self) -> None:
        """Stop running queries, finish running writes, close every client, give the folder back."""
        for tag, future in list(self._live.items()):
            self._stop(future, tag)
        for pool in (self._reads, self._writes, self._control):
            await asyncio.to_thread(pool.close)
        if self._anchor is not None:
            await asyncio.to_thread(self._anchor.close)
            self._anchor = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    async def migrate(self, schemas: Iterable[Schema], *, release: str) -> None:
        """Bring the tables up to date."""
        fsync = self._settings.fsync_after_insert
        await self._call(self._writes, lambda c: migrations.migrate(c, schemas, release=release, fsync=fsync))

    async def report_damage(self) -> None:
        """Tell of parts that the engine has put aside because their files are damaged; it goes on without them."""
        body = await self._call(self._writes, lambda client: client.raw_query(_BROKEN, fmt="TabSeparated"))
        for line in body.decode().splitlines():
            table, count = line.split("\t")
            self._metrics.broken_parts.labels(table).set(int(count))
            log.error("store.parts_broken", table=table, parts=int(count), place=self.address.place, hint=_BROKEN_HINT)

    async def trim(self) -> None:
        """Give memory back that starting up has touched and running does not need."""
        if self.address.folder is not None:
            await self._call(self._control, lambda client: client.command("SYSTEM JEMALLOC PURGE"))
            await asyncio.to_thread(embedding.release_code)
            await asyncio.to_thread(embedding.release_heap)

    def writer(self, table: Table, retention: Callable[[], Retention]) -> Writer:
        """Make the writer of one table."""
        around = Around(self._settings, self._clock, self._metrics, self.space, self.insert)
        return Writer(batches.Batcher(table), retention, around)

    async def insert(self, table: Table, rows: Sequence[pa.RecordBatch], token: str) -> None:
        """Give rows to the engine; returns when it has accepted them."""

        def work(client: Client) -> None:
            client.raw_insert(
                table.name,
                column_names=rows[0].schema.names,
                insert_block=batches.join(rows, is_packed=self.address.folder is None),
                settings={"insert_deduplication_token": token},
                fmt="ArrowStream",
            )

        await self._call(self._writes, work)

    async def delete(self, table: Table, condition: str, tenant: str) -> None:
        """Delete rows of one tenant; returns when no query sees them any more."""
        sql = f"DELETE FROM {table.name} WHERE tenant = {{tenant:String}} AND ({condition})"  # noqa: S608 -- a declared name
        await self._call(self._writes, lambda client: client.command(sql, {"tenant": tenant}))

    async def derive(self, table: Table, select: str, parameters: dict[str, Any]) -> None:
        """Insert what a `SELECT` gives; the same rows again are inserted again."""
        self.space.check()
        names = ", ".join(column.name for column in table.all_columns)
        sql = f"INSERT INTO {table.name} ({names}) SELECT {names} FROM ({select}) SETTINGS insert_deduplicate = 0"  # noqa: S608 -- declared names
        await self._call(self._writes, lambda client: client.command(sql, parameters))

    async def command(self, work: Callable[[Client], T]) -> T:
        """Have a client of the database do something else than this file knows."""
        return await self._call(self._writes, work)

    async def check(self) -> None:
        """Return if the engine answers."""
        await self._call(self._control, lambda client: client.command("SELECT 1"))

    async def query(self, sql: str, parameters: dict[str, Any], limits: QueryLimits) -> pa.Table:
        """Run one query within its limits."""
        tag = f"holdfast-{new_id()}"
        text = f"{sql.rstrip().rstrip(';')}\n{limits.clause(tag)}"
        started_s, outcome = self._clock.monotonic(), "cancelled"
        self._metrics.queries.inc()
        try:
            table = await self._cancellable(
                lambda client: batches.parse(client.raw_query(text, parameters, fmt="ArrowStream")),
                tag,
                limits.timeout_s,
            )
            outcome = "ok"
        except HoldfastError as error:
            outcome = error.code
            raise
        finally:
            self._metrics.queries.dec()
            self._metrics.query_seconds.labels(outcome).observe(self._clock.monotonic() - started_s)
        return table

    async def _cancellable(self, work: Callable[[Client], T], tag: str, timeout_s: float) -> T:
        future = self._reads.submit(work)
        self._live[tag] = future
        future.add_done_callback(lambda _: self._live.pop(tag, None))
        try:
            async with timeout(timeout_s + GRACE_S):
                return await asyncio.wrap_future(future)
        except TimeoutError as error:
            self._stop(future, tag)
            raise TimedOutError(
                f"the query took longer than {timeout_s:g} s", hint="ask for less, or raise telemetry.query_timeout"
            ) from error
        except asyncio.CancelledError:
            self._stop(future, tag)
            raise
        except (Error, OSError) as error:
            raise self._fault(error) from error

    def _stop(self, future: Future[Any], tag: str) -> None:
        """Stop a query in the engine; it may be a moment before the engine lists it."""
        if future.cancel():
            return

        def work(client: Client) -> None:
            for _ in range(_KILL_TRIES):
                client.command(_KILL, {"tag": tag})
                try:
                    future.exception(timeout=_KILL_PAUSE_S)
                except NotDoneYetError:
                    continue
                return

        self._control.submit(work)

    def _fault(self, error: Exception) -> HoldfastError:
        return faults.translate(error, self.address.place, is_folder=self.address.folder is not None)

    async def _call(self, pool: ClientPool, work: Callable[[Client], T]) -> T:
        try:
            return await pool.run(work)
        except (Error, OSError) as error:
            raise self._fault(error) from error
