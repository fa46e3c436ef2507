"""Breakers that processes share through SQLite or PostgreSQL: a row for each name, changed by one conditional write."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select, text, update

from holdfast.resilience.errors import StoreAway
from holdfast.resilience.ports import BreakerRecord
from holdfast.resilience.sql.engines import Transactions
from holdfast.resilience.sql.tables import breakers, metadata

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

    from holdfast.resilience.clocks import Clock

FIRST = text(
    "INSERT INTO resilience_breakers (name, version, state, since_s, wait_s, failed_probes, until_s)"
    " VALUES (:name, :version, :state, :since_s, :wait_s, :failed_probes, :until_s)"
    " ON CONFLICT (name) DO UPDATE SET version = excluded.version, state = excluded.state, since_s = excluded.since_s,"
    " wait_s = excluded.wait_s, failed_probes = excluded.failed_probes, until_s = excluded.until_s"
    " WHERE resilience_breakers.until_s <= :now_s"
)
NEXT = update(breakers).where(
    breakers.c.name == bindparam("its_name"),
    breakers.c.version == bindparam("seen"),
    breakers.c.until_s > bindparam("now_s"),
)


class SqlBreakerStore:
    """Keeps the records of breakers in the table `resilience_breakers`; `create_tables` makes it."""

    def __init__(self, engine: Engine | AsyncEngine, *, clock: Clock | None = None) -> None:
        """Go by the time of the database, or by `clock` in a test."""
        self._transactions = Transactions(engine, away=StoreAway, clock=clock)

    def create_tables(self) -> None:
        """Make the tables that are missing; from async code call it in a thread, or migrate `metadata`."""
        self._transactions.run_sync(metadata.create_all)

    def read(self, name: str) -> tuple[BreakerRecord, float]:
        """Give the record, or one of version 0, with the time."""
        return self._transactions.run_sync(lambda connection: self._read(connection, name))

    def swap(self, name: str, seen_version: int, record: BreakerRecord, *, keep_s: float) -> bool:
        """Put `record` in place if the version there still is `seen_version`."""
        return self._transactions.run_sync(lambda asked: self._swap(asked, name, seen_version, record, keep_s))

    async def read_async(self, name: str) -> tuple[BreakerRecord, float]:
        """Do as `read`."""
        return await self._transactions.run(lambda connection: self._read(connection, name))

    async def swap_async(self, name: str, seen_version: int, record: BreakerRecord, *, keep_s: float) -> bool:
        """Do as `swap`."""
        return await self._transactions.run(lambda asked: self._swap(asked, name, seen_version, record, keep_s))

    def _read(self, connection: Connection, name: str) -> tuple[BreakerRecord, float]:
        now_s = self._transactions.read_time_s(connection)
        live = select(breakers).where(breakers.c.name == name, breakers.c.until_s > now_s)
        row = connection.execute(live).one_or_none()
        if row is None:
            return BreakerRecord(), now_s
        return BreakerRecord(row.version, row.state, row.since_s, row.wait_s, row.failed_probes), now_s

    def _swap(self, connection: Connection, name: str, seen: int, record: BreakerRecord, keep_s: float) -> bool:
        now_s = self._transactions.read_time_s(connection)
        values = asdict(record) | {"until_s": now_s + keep_s}
        if seen == 0:
            return connection.execute(FIRST, {"name": name, "now_s": now_s, **values}).rowcount == 1
        moved = NEXT.values(values)
        return connection.execute(moved, {"its_name": name, "seen": seen, "now_s": now_s}).rowcount == 1
