"""The door's one object: opens the engine, keeps the schema, gives writers, runs queries.

The driver, Arrow and the engine take half a second and 200 MB to import; only `open` does it, so that a command that
stores nothing does not pay.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from prometheus_client import CollectorRegistry

import holdfast
from holdfast.kernel.clock import Clock, SystemClock
from holdfast.kernel.errors import ConflictError, InvalidError
from holdfast.kernel.ids import TenantId
from holdfast.store.limits import QueryLimits
from holdfast.store.metrics import StoreMetrics
from holdfast.store.retention import Retention
from holdfast.store.schema import Schema, Table
from holdfast.store.settings import StoreSettings
from holdfast.store.space import FreeBytes
from holdfast.store.writer import Writer

if TYPE_CHECKING:
    import pyarrow as pa

    from holdfast.store.running import RunningStore
    from holdfast.store.volume import Volume


class Store:
    """The columnar store of one process."""

    def __init__(
        self,
        settings: StoreSettings,
        *,
        folder: Path | None = None,
        clock: Clock | None = None,
        metrics: CollectorRegistry | None = None,
        free_bytes: FreeBytes | None = None,
    ) -> None:
        """Prepare; nothing is opened.

        Args:
            settings: the section `[telemetry]`.
            folder: where the embedded engine keeps its files when `settings.url` is empty.
            clock: time for lingering and retries.
            metrics: the registry that the app exposes.
            free_bytes: tells the room on the disk, instead of asking the folder.
        """
        self.settings = settings
        self.retention = Retention.of(settings)
        self._folder = folder
        self._clock = clock or SystemClock()
        self._metrics = StoreMetrics(metrics or CollectorRegistry())
        self._free_bytes = free_bytes
        self._schemas: dict[str, Schema] = {}
        self._writers: dict[str, Writer] = {}
        self._running: RunningStore | None = None

    @property
    def is_shared(self) -> bool:
        """Whether other processes may write to it, too: a server's store is, a folder belongs to one process."""
        return self.settings.url.reveal().startswith(("clickhouse:", "clickhouses:"))

    async def register(self, *schemas: Schema) -> None:
        """Take what rooms declare; before `open` it is only noted, after it the tables are made at once.

        Raises:
            ConflictError: two rooms declare the same table, or a room declares twice.
            StaleSchemaError: the tables were made by a newer Holdfast.
        """
        owners = {table.name: schema.room for schema in self._schemas.values() for table in schema.tables}
        for schema in schemas:
            for table in schema.tables:
                if table.name in owners:
                    raise ConflictError(f"table {table.name} of {schema.room} belongs to {owners[table.name]}")
                owners[table.name] = schema.room
            if schema.room in self._schemas:
                raise ConflictError(f"room {schema.room} declares its tables twice")
            self._schemas[schema.room] = schema
        if self._running is not None:
            await self._running.migrate(schemas, release=holdfast.__version__)

    async def open(self) -> None:
        """Open the engine and bring every registered schema up to date.

        Raises:
            ConflictError: another process has the folder; the message names it.
            InvalidError: the URL or the folder can be no store.
            StaleSchemaError: the store was written by a newer Holdfast.
            UnavailableError: the folder cannot be read, or the server does not answer.
        """
        if self._running is not None:
            raise ConflictError("the store is open already")
        from holdfast.store.running import RunningStore  # noqa: PLC0415 -- see the module's docstring

        running = RunningStore(self.settings, self._folder, self._clock, self._metrics, self._free_bytes)
        try:
            await running.open()
            await running.migrate(self._schemas.values(), release=holdfast.__version__)
            await running.report_damage()
            await running.trim()
        except BaseException:
            await running.close()
            raise
        self._running = running

    async def close(self) -> None:
        """Write what is queued, then close every client. A closed store may be opened again."""
        running, self._running = self._running, None
        if running is None:
            return
        try:
            await asyncio.gather(*(writer.close() for writer in self._writers.values()))
        finally:
            self._writers.clear()
            await running.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def place(self) -> str:
        """The folder or the server's address, without credentials."""
        return self._opened.address.place

    def writer(self, table: Table) -> Writer:
        """Give the writer of a registered table; the same one every time.

        Raises:
            ConflictError: the store is not open, or nobody registered the table.
        """
        running = self._opened
        if table.name not in self._writers:
            if not any(table in schema.tables for schema in self._schemas.values()):
                raise ConflictError(f"table {table.name} is not registered", hint="hand its Schema to Store.register")
            self._writers[table.name] = running.writer(table, lambda: self.retention)
        return self._writers[table.name]

    async def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        tenant: TenantId,
        limits: QueryLimits | None = None,
    ) -> pa.Table:
        """Run a `SELECT` of one tenant; cancelling the caller stops it in the engine.

        Args:
            sql: without `SETTINGS` and `FORMAT`; values stand in it as `{name:Type}` and are bound by the engine, the
                tenant as `{tenant:String}`, which must occur.
            parameters: the values by name.
            tenant: whose rows.
            limits: what it may cost; the settings' limits if not given.

        Raises:
            InvalidError: the statement is wrong, or forgets the tenant.
            BusyError: too many queries wait.
            LimitError: it costs more memory or returns more rows than allowed.
            TimedOutError: it took too long.
            UnavailableError: the engine does not answer.
        """
        if "{tenant:String}" not in sql:
            raise InvalidError("the query does not ask for {tenant:String}", hint="every query is of one tenant")
        values = {**(parameters or {}), "tenant": str(tenant)}
        return await self._opened.query(sql, values, limits or QueryLimits.of(self.settings))

    async def delete(self, table: Table, condition: str, *, tenant: TenantId) -> None:
        """Delete the rows of one tenant that satisfy a condition; returns when no query sees them any more.

        Args:
            table: a registered table.
            condition: SQL that holds numbers and column names only; nothing in it is bound.
            tenant: whose rows.

        Raises:
            InvalidError: the condition is wrong.
            UnavailableError: the engine does not answer.
        """
        await self._opened.delete(table, condition, str(tenant))

    async def derive(
        self, table: Table, select: str, parameters: Mapping[str, Any] | None = None, *, tenant: TenantId
    ) -> None:
        """Insert into a table what a `SELECT` of the same tenant gives; no row leaves the engine.

        Args:
            table: a registered table.
            select: gives every column of the table by name, `tenant` and `expires_at` too; see `query` for its values.
            parameters: the values by name.
            tenant: whose rows.

        Raises:
            InvalidError: the statement is wrong, or forgets the tenant.
            StorageFullError: the disk is full.
            UnavailableError: the engine does not answer.
        """
        if "{tenant:String}" not in select:
            raise InvalidError("the query does not ask for {tenant:String}", hint="every query is of one tenant")
        await self._opened.derive(table, select, {**(parameters or {}), "tenant": str(tenant)})

    @property
    def volume(self) -> Volume:
        """What tables take on the disk, and how to take rows of all tenants off it."""
        from holdfast.store.volume import Volume  # noqa: PLC0415 -- see the module's docstring

        return Volume(self._opened, self._clock)

    async def trim(self) -> None:
        """Give memory back that starting up has touched; `open` does it, and an app may once more when all is warm."""
        await self._opened.trim()

    async def check(self) -> None:
        """Return if the store answers; a full disk is no fault here, for reading goes on.

        Raises:
            UnavailableError: it does not answer.
            ConflictError: it is not open.
        """
        await self._opened.check()

    @property
    def _opened(self) -> RunningStore:
        if self._running is None:
            raise ConflictError("the store is not open", hint="await Store.open() first")
        return self._running
