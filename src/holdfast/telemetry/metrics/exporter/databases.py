"""Rows of a query on any database that SQLAlchemy knows a driver for here: SQLite, PostgreSQL, MySQL and MariaDB.

The session may only read, ends when its time is over, and gives no more rows than it may.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from holdfast.kernel.errors import HoldfastError, InvalidError
from holdfast.telemetry.metrics.exporter.errors import SourceError
from holdfast.telemetry.metrics.exporter.fields import Item
from holdfast.telemetry.metrics.exporter.sources import Bounds, World

if TYPE_CHECKING:
    import sqlalchemy

DRIVERS: Final = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
}


@dataclass(frozen=True, slots=True)
class SqlContent:
    """What a query gives."""

    url: str
    query: str
    folder: Path

    async def fetch(self, world: World, bounds: Bounds) -> Iterable[Item]:
        """Ask the database, in a thread."""
        try:
            url = existing(parse_url(world.reveal(self.url)), self.folder)
        except HoldfastError as error:
            raise SourceError("refused", error.message) from error
        return await asyncio.to_thread(self._query, url, bounds)

    def _query(self, url: sqlalchemy.URL, bounds: Bounds) -> list[Item]:
        import sqlalchemy  # noqa: PLC0415 -- loaded by the first source that asks a database
        from sqlalchemy import exc, pool  # noqa: PLC0415 -- same

        engine = sqlalchemy.create_engine(url, poolclass=pool.NullPool, connect_args=connect_args(url, bounds))
        try:
            with engine.connect() as connection, bounded_session(connection, bounds):
                plain = connection.execution_options(no_parameters=True)  # a colon or a percent sign is itself
                rows = plain.exec_driver_sql(self.query).mappings().fetchmany(bounds.max_rows + 1)
        except exc.SQLAlchemyError as error:
            raise SourceError(_kind(error), _say(error)) from None
        finally:
            engine.dispose()
        if len(rows) > bounds.max_rows:
            raise SourceError("too_large", f"the query gives more than {bounds.max_rows} rows")
        return [Item({name: _told(value) for name, value in row.items()}) for row in rows]


def parse_url(text: str) -> sqlalchemy.URL:
    """Read a database's URL and choose the driver that is installed here.

    Raises:
        InvalidError: it is none, or of a database without a driver here. No message holds a password.
    """
    import sqlalchemy  # noqa: PLC0415 -- as above

    try:
        url = sqlalchemy.make_url(text)
    except (sqlalchemy.exc.ArgumentError, ValueError):
        raise InvalidError("not a database's URL", hint="write one such as postgresql://user@host/database") from None
    driver = DRIVERS.get(url.get_backend_name())
    if driver is None:
        known = ", ".join(sorted(DRIVERS))
        raise InvalidError(f"no driver for {url.get_backend_name()!r} is installed", hint=f"known here: {known}")
    return url.set(drivername=driver)


def existing(url: sqlalchemy.URL, folder: Path) -> sqlalchemy.URL:
    """Give the URL so that a file of SQLite is looked for below `folder`, and not made where there is none."""
    name = url.database or ""
    if url.drivername != "sqlite" or name in {"", ":memory:"} or name.startswith("file:"):
        return url
    words = {"mode": "rw", "uri": "true", **url.query}
    return url.set(database=f"file:{quote(str(folder.absolute() / name))}", query=words)


def connect_args(url: sqlalchemy.URL, bounds: Bounds) -> dict[str, Any]:
    """Give what bounds a connection from its begin on, in the words of its driver."""
    seconds = max(1, round(bounds.timeout_s))
    if url.drivername == "postgresql+psycopg":
        milliseconds = max(1, int(bounds.timeout_s * 1000))
        limits = f"-c statement_timeout={milliseconds} -c default_transaction_read_only=on"
        return {"connect_timeout": max(2, seconds), "options": limits, "application_name": "holdfast exporter"}
    if url.drivername == "mysql+pymysql":
        return {"connect_timeout": seconds, "read_timeout": seconds, "write_timeout": seconds}
    return {"timeout": bounds.timeout_s, "check_same_thread": False}


@contextmanager
def bounded_session(connection: sqlalchemy.Connection, bounds: Bounds) -> Iterator[None]:
    """Make a session read-only and, for SQLite, end it when its time is over."""
    dialect = connection.dialect.name
    if dialect == "mysql":
        connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
    if dialect != "sqlite":
        yield
        return
    connection.exec_driver_sql("PRAGMA query_only = ON")
    driver: Any = connection.connection.driver_connection
    timer = threading.Timer(bounds.timeout_s, driver.interrupt)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _told(value: Any) -> Any:
    """Give text where the driver gives bytes, as MySQL's does for a binary collation."""
    return bytes(value).decode(errors="replace") if isinstance(value, (bytes, bytearray, memoryview)) else value


def _kind(error: Exception) -> str:
    text = str(getattr(error, "orig", error)).lower()
    if any(word in text for word in ("timeout", "timed out", "interrupted")):
        return "timeout"
    if any(word in text for word in ("connect", "unable to open", "could not translate", "refused")):
        return "unreachable"
    return "query"


def _say(error: Exception) -> str:
    """Give the database's own words, without the statement and its URL."""
    return str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()[0][:300]
