"""PostgreSQL: a pool of connections, one transaction per piece of work, repeated when the server says deadlock."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import orjson
import psycopg
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from holdfast.kernel.errors import BusyError, UnavailableError
from holdfast.kernel.sql.database import AfterCommit, Database, Work, take_pending, tell, translate
from holdfast.kernel.sql.settings import DatabaseSettings
from holdfast.resilience import BulkheadFull, bulkhead, retry

T = TypeVar("T")

_ATTEMPTS: Final = 5
_FRESH_S: Final = 1.0
_USED_AT: Final = "holdfast.used_at"
_REPEATABLE: Final = {"40001", "40P01"}  # serialization_failure, deadlock_detected (PostgreSQL, appendix A)


def open_postgres(url: str, settings: DatabaseSettings | None = None) -> Database:
    """Open a pool to `url`; connects once, so that a wrong URL is told now.

    Raises:
        UnavailableError: the server cannot be reached or refuses us.
    """
    settings = settings or DatabaseSettings()
    timeout_ms = round(settings.statement_timeout * 1000)
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_size=settings.pool_size * 2,
        max_overflow=0,
        pool_timeout=10.0,
        connect_args={"connect_timeout": 5, "options": f"-c statement_timeout={timeout_ms} -c timezone=UTC"},
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
    )
    event.listen(engine, "checkin", _note_use)
    event.listen(engine, "checkout", _ping_if_idle)
    try:
        engine.connect().close()
    except DBAPIError as error:
        engine.dispose()
        raise translate(error) from error
    writer = PooledWriter(engine, threads=settings.pool_size, queue_size=settings.queue_size)
    return Database(engine, writer, readers=settings.pool_size)


def _note_use(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info[_USED_AT] = time.monotonic()


def _ping_if_idle(connection: Any, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
    """Ask whether the server is still there, unless it just was: a round trip per transaction is much."""
    if time.monotonic() - record.info.get(_USED_AT, 0.0) < _FRESH_S:
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except psycopg.Error as error:
        raise DisconnectionError(str(error)) from error


class PooledWriter:
    """Runs each piece of work in a transaction of its own, several at once."""

    def __init__(self, engine: Engine, *, threads: int, queue_size: int) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="sql-write")
        self._room = bulkhead(queue_size, name="sql.writes")
        self._repeat = retry(attempts=_ATTEMPTS, base_s=0.002, cap_s=0.1, on=is_repeatable, name="sql.transaction")
        self._is_closed = False

    async def run(self, work: Work[T]) -> T:
        """Run `work` in a thread and wait for its commit."""
        if self._is_closed:
            raise UnavailableError("the database is closed")
        loop = asyncio.get_running_loop()
        try:
            return await self._room.call(loop.run_in_executor, self._threads, self._transact, work)
        except BulkheadFull as error:
            told = f"{self._room.limit} writes already wait for the database"
            raise BusyError(told, hint="slow down (database.queue_size)") from error

    async def close(self) -> None:
        """Wait for what runs, then end the threads."""
        self._is_closed = True
        await asyncio.get_running_loop().run_in_executor(None, self._threads.shutdown)

    def _transact(self, work: Work[T]) -> T:
        try:
            result, calls = self._repeat.call_sync(self._attempt, work)
        except (DBAPIError, PoolTimeoutError) as error:
            raise translate(error) from error
        tell(calls)
        return result

    def _attempt(self, work: Work[T]) -> tuple[T, list[AfterCommit]]:
        with self._engine.connect() as connection:
            take_pending(connection)
            with connection.begin():
                try:
                    result = work(connection)
                except psycopg.Error as error:  # of work that goes past SQLAlchemy to the driver
                    raise DBAPIError.instance(None, None, error, psycopg.Error) from error
            return result, take_pending(connection)


def is_repeatable(error: Exception) -> bool:
    """Tell whether the server rolled a transaction back only because of others, so that it may be run again."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) in _REPEATABLE
