"""SQLite: one writer thread that puts all waiting work into one commit (WAL, synchronous=FULL), and reader connections.

A commit costs one fdatasync however many share it; that is where the throughput comes from.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import sqlite3
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from holdfast.kernel.errors import BusyError, ConflictError, StorageFullError, UnavailableError
from holdfast.kernel.sql.database import AfterCommit, Database, Work, pending, take_pending, tell, translate
from holdfast.kernel.sql.settings import DatabaseSettings

T = TypeVar("T")

_GROUP: Final = 512
_SPACE_CHECK_S: Final = 1.0


def open_sqlite(file: Path, settings: DatabaseSettings | None = None) -> Database:
    """Open or create the database in `file`.

    Raises:
        ConflictError: the file is not a SQLite database.
        UnavailableError: it cannot be opened or written.
    """
    settings = settings or DatabaseSettings()
    engine = _engine(file, pool_size=1, is_reader=False)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema")
    except DBAPIError as error:
        engine.dispose()
        raise _unusable(file, error) from error
    reading = _engine(file, pool_size=settings.pool_size, is_reader=True)
    writer = GroupCommit(engine, queue_size=settings.queue_size, space=_Space(file.parent, settings.reserve))
    return Database(engine, writer, readers=settings.pool_size, reading=reading)


def _engine(file: Path, *, pool_size: int, is_reader: bool) -> Engine:
    engine = create_engine(
        f"sqlite:///{file}",
        pool_size=pool_size,
        max_overflow=0,
        connect_args={"check_same_thread": False, "timeout": 10.0, "isolation_level": None},
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
    )

    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        modes = ["PRAGMA query_only=ON"] if is_reader else ["PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL"]
        for pragma in (*modes, "PRAGMA foreign_keys=ON", "PRAGMA cache_size=-4096"):
            connection.execute(pragma)

    def begin(connection: Connection) -> None:
        driver: Any = connection.connection.dbapi_connection  # past SQLAlchemy, which takes as long as a small commit
        try:
            driver.execute("BEGIN" if is_reader else "BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise as_sqlalchemy(error) from error

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", begin)
    return engine


def as_sqlalchemy(error: sqlite3.Error) -> Exception:
    """Give the error of work that goes past SQLAlchemy to the driver as SQLAlchemy would."""
    return DBAPIError.instance(None, None, error, sqlite3.Error)


def _unusable(file: Path, error: DBAPIError) -> Exception:
    if "not a database" in str(error.orig) or "malformed" in str(error.orig):
        return ConflictError(
            f"{file} is not a readable SQLite database: {error.orig}",
            hint="restore it from a backup, or move it away to start afresh",
        )
    return UnavailableError(f"{file} cannot be opened: {error.orig}", hint="check the folder's permissions and disk")


@dataclass(slots=True)
class _Space:
    """Watches the free room of a folder, asking the file system at most once a second."""

    folder: Path
    reserve_bytes: int
    _checked_at: float = 0.0
    _is_short: bool = False

    def demand(self) -> None:
        """Raise StorageFullError when less than the reserve is left."""
        now = time.monotonic()
        if now - self._checked_at >= _SPACE_CHECK_S or self._is_short:
            stat = os.statvfs(self.folder)
            self._is_short = stat.f_bavail * stat.f_frsize < self.reserve_bytes
            self._checked_at = now
        if self._is_short:
            raise StorageFullError(
                f"{self.folder} has less than {self.reserve_bytes // 1024**2} MiB free, so writes are refused",
                hint="free some space; writing resumes by itself (database.reserve)",
            )


@dataclass(slots=True)
class _Waiting:
    work: Work[Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None

    def settle(self) -> None:
        """Answer the caller, from the writer's thread."""
        with contextlib.suppress(RuntimeError):  # the caller's loop is closed: nobody waits any more
            self.loop.call_soon_threadsafe(self._answer)

    def _answer(self) -> None:
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class GroupCommit:
    """One thread, one connection: takes all that waits, runs each in a savepoint, commits once, then answers all."""

    def __init__(self, engine: Engine, *, queue_size: int, space: _Space) -> None:
        self._engine = engine
        self._space = space
        self._waiting: queue.Queue[_Waiting | None] = queue.Queue(queue_size)
        self._thread = threading.Thread(target=self._serve, name="sql-write", daemon=True)
        self._thread.start()

    async def run(self, work: Work[T]) -> T:
        """Queue `work` and wait until its group is on the disk."""
        if not self._thread.is_alive():
            raise UnavailableError("the database is closed")
        self._space.demand()
        loop = asyncio.get_running_loop()
        waiting = _Waiting(work, loop, loop.create_future())
        try:
            self._waiting.put_nowait(waiting)
        except queue.Full:
            raise BusyError(
                f"{self._waiting.maxsize} writes already wait for the database", hint="slow down (database.queue_size)"
            ) from None
        if not self._thread.is_alive():
            self._refuse_waiting()  # it came between the thread's last look and its end
        result: T = await waiting.future
        return result

    async def close(self) -> None:
        """Finish the queue, then end the thread."""
        if self._thread.is_alive():
            await asyncio.get_running_loop().run_in_executor(None, self._waiting.put, None)
            await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    def _serve(self) -> None:
        try:
            self._commit_groups()
        finally:
            self._refuse_waiting()

    def _refuse_waiting(self) -> None:
        """Tell what is left in the queue that nobody will do it; nobody waits for ever."""
        with contextlib.suppress(queue.Empty):
            while True:
                waiting = self._waiting.get_nowait()
                if waiting is not None:
                    waiting.error = UnavailableError("the database is closed")
                    waiting.settle()

    def _commit_groups(self) -> None:
        connection: Connection | None = None
        is_open = True
        while is_open:
            group, is_open = self._take()
            try:
                connection = connection or self._engine.connect()
                calls = _commit(connection, group)
            except Exception as error:  # noqa: BLE001 - the fence of a job: the writer outlives any group
                failure = translate(error)
                for waiting in group:
                    waiting.error = failure
                calls = []
                _drop(connection)
                connection = None
            for waiting in group:
                waiting.settle()
            tell(calls)
        _drop(connection)

    def _take(self) -> tuple[list[_Waiting], bool]:
        group: list[_Waiting] = []
        item = self._waiting.get()
        while item is not None:
            group.append(item)
            if len(group) >= _GROUP:
                return group, True
            try:
                item = self._waiting.get_nowait()
            except queue.Empty:
                return group, True
        return group, False


def _commit(connection: Connection, group: list[_Waiting]) -> list[AfterCommit]:
    take_pending(connection)
    if len(group) == 1:
        return _commit_one(connection, group[0])
    with connection.begin():
        for waiting in group:
            _run_one(connection, waiting)
    return take_pending(connection)


def _commit_one(connection: Connection, waiting: _Waiting) -> list[AfterCommit]:
    """Commit a group of one, whose transaction is its savepoint."""
    transaction = connection.begin()
    try:
        waiting.result = waiting.work(connection)
    except BaseException as error:  # the fence of a job: its error goes to whoever waits for it
        take_pending(connection)
        if not getattr(connection.connection.dbapi_connection, "in_transaction", False):
            raise
        transaction.rollback()
        waiting.error = _told(error)
        return []
    transaction.commit()
    return take_pending(connection)


def _run_one(connection: Connection, waiting: _Waiting) -> None:
    """Run one piece of work in a savepoint; its error is its caller's, unless the whole transaction died of it."""
    calls_before = len(pending(connection))
    savepoint = connection.begin_nested()
    try:
        waiting.result = waiting.work(connection)
        savepoint.commit()
    except BaseException as error:  # the fence of a job: its error goes to whoever waits for it
        del pending(connection)[calls_before:]
        if not getattr(connection.connection.dbapi_connection, "in_transaction", False):
            raise  # a full disk rolls the whole transaction back, not only the savepoint
        savepoint.rollback()
        waiting.error = _told(error)


def _told(error: BaseException) -> BaseException:
    if isinstance(error, sqlite3.Error):
        return translate(as_sqlalchemy(error))
    return translate(error) if isinstance(error, DBAPIError) else error


def _drop(connection: Connection | None) -> None:
    if connection is not None:
        with contextlib.suppress(DBAPIError):
            connection.invalidate()
            connection.close()
