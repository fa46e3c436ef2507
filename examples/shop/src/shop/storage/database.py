"""One database per service: a SQLite file of its own, or a schema of its own in PostgreSQL.

Domain code is plain functions on a `Connection`; `Database` runs them in a thread, inside one transaction.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import QueuePool

from holdfast import instrument
from holdfast.resilience import BulkheadFull, bulkhead
from shop.chassis import FaultPlan, Faults, Problem
from shop.settings import Settings
from shop.storage.migrations import create_schema, migrate

P = ParamSpec("P")
T = TypeVar("T")
POOL_SIZE = 5
POOL_TIMEOUT_S = 0.8  # less than a readiness probe has, so that the probe can say why
QUEUE = 50
_UNAVAILABLE = "The database does not answer."


class Database:
    """The service's only way to its tables."""

    def __init__(self, engine: Engine, faults: Faults, schema: str | None = None) -> None:
        self._engine = engine
        self._schema = schema
        # Threads of its own: whoever waits for a connection must not keep the rest of the process waiting.
        self._threads = ThreadPoolExecutor(POOL_SIZE, thread_name_prefix="database")
        instrument.watch_executor(self._threads, name="database")
        instrument.watch_sqlalchemy(engine)
        self._bulkhead = bulkhead(POOL_SIZE, queue=QUEUE)
        self._faults = faults
        faults.add_dependency("database")
        faults.add_effect("pool_exhaust", self._hold_connections)

    @classmethod
    def open(cls, settings: Settings, service: str, faults: Faults) -> "Database":
        """Connect for a service; nothing is read or written before `migrate`."""
        if settings.database_url:
            return cls(_postgres(settings.database_url, service), faults, schema=service)
        settings.data.mkdir(parents=True, exist_ok=True)
        return cls(_sqlite(settings.data / f"{service}.db"), faults)

    async def migrate(self, folder: Path, seed: Callable[[Connection], None] | None = None) -> None:
        """Bring the schema up to date, then let `seed` fill what is empty."""
        if self._schema is not None:
            await self._in_thread(partial(create_schema, self._engine, self._schema))
        await self._in_thread(partial(migrate, self._engine, folder))
        if seed is not None:
            await self.write(seed)

    async def read(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work(connection, ...)` in a read transaction."""
        return await self._run("BEGIN", lambda connection: work(connection, *args, **kwargs))

    async def write(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work(connection, ...)` in a write transaction, committed when it returns.

        Raises:
            Problem: 503 when no connection is to be had within a second.
        """
        # A SQLite writer takes its lock first: a reader that turns writer midway cannot wait, it fails.
        return await self._run("BEGIN IMMEDIATE", lambda connection: work(connection, *args, **kwargs))

    async def ping(self) -> None:
        """Ask the database for one row."""
        await self.read(lambda connection: connection.execute(text("SELECT 1")).scalar_one())

    async def close(self) -> None:
        """Wait for the transactions that run, then give every connection back."""
        await asyncio.to_thread(self._threads.shutdown)
        self._engine.dispose()

    async def _run(self, begin: str, work: Callable[[Connection], T]) -> T:
        try:
            return await self._bulkhead.call(self._in_thread, lambda: self._transact(begin, work))
        except BulkheadFull as error:
            detail = f"{QUEUE} others wait for the database already."
            raise Problem(503, "database-busy", detail, headers={"Retry-After": "1"}) from error

    async def _in_thread(self, work: Callable[[], T]) -> T:
        # The copied context carries the trace and the correlation id into the thread.
        here = copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: here.run(work))

    def _transact(self, begin: str, work: Callable[[Connection], T]) -> T:
        if self._faults.is_dead("database"):
            raise Problem(503, "database-unavailable", _UNAVAILABLE)
        try:
            with self._engine.connect().execution_options(sqlite_begin=begin) as connection, connection.begin():
                return work(connection)
        except PoolTimeoutError as error:
            detail = f"All {POOL_SIZE} database connections were busy for {POOL_TIMEOUT_S:g} s."
            raise Problem(503, "pool-exhausted", detail, headers={"Retry-After": "1"}) from error
        except OperationalError as error:
            if getattr(error.orig, "sqlite_errorname", "") == "SQLITE_ERROR":
                raise  # wrong SQL, which SQLite reports like a full disk
            raise Problem(503, "database-unavailable", _UNAVAILABLE) from error

    @contextlib.asynccontextmanager
    async def _hold_connections(self, _plan: FaultPlan) -> AsyncIterator[None]:
        held: list[Connection] = []

        def take() -> None:
            for _ in range(POOL_SIZE):
                with contextlib.suppress(PoolTimeoutError):
                    held.append(self._engine.connect())

        await asyncio.to_thread(take)
        try:
            yield
        finally:
            # Not in a thread: all of them may be waiting for what is given back here.
            for connection in held:
                connection.close()


def _sqlite(path: Path) -> Engine:
    engine = create_engine(
        f"sqlite+pysqlite:///{path}",
        poolclass=QueuePool,
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_S,
        connect_args={"timeout": 5.0, "isolation_level": None, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "cache_size=-2000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN IMMEDIATE"))

    return engine


def _postgres(url: str, schema: str) -> Engine:
    scheme, _, rest = url.partition("://")
    return create_engine(
        f"{'postgresql+psycopg' if scheme in {'postgres', 'postgresql'} else scheme}://{rest}",
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_S,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 3, "options": f"-csearch_path={schema} -cstatement_timeout=5000"},
    )
