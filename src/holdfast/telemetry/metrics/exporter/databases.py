"""Rows of a query on any database that SQLAlchemy knows a driver for here: SQLite, PostgreSQL, MySQL and MariaDB.

The session may only read, ends when its time is over, and gives no more rows than it may.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Iterable
from contextlib import suppress
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
SAYS_SO_S: Final = 0.5
"""For a server to say itself that a query took too long; then the connection is cut."""


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
        from sqlalchemy import event, exc, pool  # noqa: PLC0415 -- same

        engine = sqlalchemy.create_engine(url, poolclass=pool.NullPool, connect_args=connect_args(url, bounds))
        deadline = Deadline(bounds.timeout_s)
        event.listen(engine, "connect", deadline.begin, insert=True)  # SQLAlchemy's own questions are bounded, too
        try:
            with engine.connect() as connection:
                make_read_only(connection)
                plain = connection.execution_options(no_parameters=True)  # a colon or a percent sign is itself
                rows = plain.exec_driver_sql(self.query).mappings().fetchmany(bounds.max_rows + 1)
        except exc.SQLAlchemyError as error:
            if deadline.is_over:
                raise SourceError("timeout", f"no answer within {bounds.timeout_s:g} s") from None
            raise SourceError(_kind(error), _say(error)) from None
        finally:
            deadline.cancel()
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


def make_read_only(connection: sqlalchemy.Connection) -> None:
    """Let a session change nothing; PostgreSQL's is made so when it is opened."""
    words = {"mysql": "SET SESSION TRANSACTION READ ONLY", "sqlite": "PRAGMA query_only = ON"}
    if connection.dialect.name in words:
        connection.exec_driver_sql(words[connection.dialect.name])


class Deadline:
    """Ends what a connection does when its time is over: a thread that waits for a dead server would wait for ever."""

    def __init__(self, timeout_s: float) -> None:
        self.is_over = False
        self._timeout_s = timeout_s
        self._timer: threading.Timer | None = None

    def begin(self, driver: Any, _record: object) -> None:
        """Let the time of a connection that was just opened run."""
        is_sqlite = hasattr(driver, "interrupt")
        end = driver.interrupt if is_sqlite else lambda: _hang_up(driver)

        def over() -> None:
            self.is_over = True
            with suppress(Exception):  # it may be closed by now
                end()

        self._timer = threading.Timer(self._timeout_s + (0 if is_sqlite else SAYS_SO_S), over)
        self._timer.start()

    def cancel(self) -> None:
        """Let it go on."""
        if self._timer is not None:
            self._timer.cancel()


def _hang_up(driver: Any) -> None:
    with socket.socket(fileno=os.dup(getattr(driver, "_sock", driver).fileno())) as same:  # PyMySQL hides its socket
        same.shutdown(socket.SHUT_RDWR)  # closing it would not wake the thread that reads


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
