"""The one door to rows: `await db.write(work)` and `await db.read(work)`, where `work` is a function of a connection.

How a write becomes durable is the adapter's matter: `sqlite` groups many into one commit, `postgres` has a pool.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Final, Literal, Protocol, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from holdfast import journal
from holdfast.kernel.errors import InvalidError, StorageFullError, TimedOutError, UnavailableError

T = TypeVar("T")
Work = Callable[[Connection], T]
AfterCommit = Callable[[], None]

_AFTER_COMMIT: Final = "holdfast.after_commit"

log = journal.get_logger("holdfast.database")


class Writer(Protocol):
    """How an adapter makes a piece of work durable; returns once it is."""

    async def run(self, work: Work[T]) -> T:
        """Run `work` in a transaction of its own and commit it."""
        ...

    async def close(self) -> None:
        """Finish what was accepted, then stop."""
        ...


class Database:
    """SQLite or PostgreSQL. Every `work` runs in a thread, in the caller's context, and sees one transaction."""

    def __init__(self, engine: Engine, writer: Writer, *, readers: int, reading: Engine | None = None) -> None:
        self.engine = engine
        self._writer = writer
        self._reading = reading or engine
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="sql-read")

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]:
        """Name the database, for the few statements that differ."""
        return "sqlite" if self.engine.dialect.name == "sqlite" else "postgresql"

    async def write(self, work: Work[T]) -> T:
        """Run `work` in its own transaction; when this returns, it is on the disk.

        `work` may be called again after a deadlock, so it must have no effect beyond its connection. An error that it
        raises rolls its own work back, leaves others' alone, and reaches the caller as it is.

        Raises:
            BusyError: too many writes wait.
            StorageFullError: the disk is full; nothing of this work was kept.
            UnavailableError: the database does not answer.
        """
        context = copy_context()
        return await self._writer.run(lambda tx: context.run(work, tx))

    async def read(self, work: Work[T]) -> T:
        """Run `work` on a connection that sees one consistent state and may not write.

        Raises:
            UnavailableError: the database does not answer.
        """
        return await asyncio.get_running_loop().run_in_executor(self._readers, copy_context().run, self._read, work)

    def _read(self, work: Work[T]) -> T:
        try:
            with self._reading.connect() as connection, connection.begin():
                return work(connection)
        except (DBAPIError, PoolTimeoutError) as error:
            raise translate(error) from error

    async def close(self) -> None:
        """Finish accepted writes, then close every connection."""
        await self._writer.close()
        self._readers.shutdown(wait=True)
        self._reading.dispose()
        self.engine.dispose()


def after_commit(tx: Connection, call: AfterCommit) -> None:
    """Have `call` made, from a worker thread, once the transaction of `tx` is durable; never if it is rolled back."""
    pending(tx).append(call)


def pending(tx: Connection) -> list[AfterCommit]:
    """Give the calls that wait for this connection's commit."""
    calls: list[AfterCommit] = tx.info.setdefault(_AFTER_COMMIT, [])
    return calls


def take_pending(tx: Connection) -> list[AfterCommit]:
    """Give those calls and forget them."""
    calls: list[AfterCommit] = tx.info.pop(_AFTER_COMMIT, [])
    return calls


def tell(calls: list[AfterCommit]) -> None:
    """Make calls of a transaction that is committed: an error of one is noted, and neither undoes nor ends anything."""
    for call in calls:
        try:
            call()
        except Exception as error:  # noqa: BLE001 - the fence of a job: the writer outlives whoever it tells
            log.warning("database.after_commit_failed", error=repr(error))


def translate(error: Exception) -> Exception:
    """Turn a driver's failure of the database itself into ours; leave faults of the statement as they are."""
    text = str(getattr(error, "orig", error) or error)
    first_line = text.splitlines()[0] if text else type(error).__name__
    low = first_line.lower()
    if "disk is full" in low or "no space left" in low:
        return StorageFullError("the database's disk is full", hint="free some space; writing resumes by itself")
    if "statement timeout" in low or "interrupted" in low or isinstance(error, PoolTimeoutError):
        return TimedOutError(f"the database took too long: {first_line}")
    if isinstance(error, DataError):
        return InvalidError(f"the database does not take this value: {first_line}", hint="is there a NUL byte in it?")
    if isinstance(error, OperationalError) or getattr(error, "connection_invalidated", False):
        return UnavailableError(f"the database does not answer: {first_line}", hint="is it running and reachable?")
    return error
