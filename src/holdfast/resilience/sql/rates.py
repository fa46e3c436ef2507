"""Rates that processes share through SQLite or PostgreSQL: one row for each key.

GCRA, the default, is one statement; the other rules are a short transaction. For limits of tens per second, such as
another party's quota; for thousands use Redis. When the database is away `take` raises StoreAway.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, select, text

from holdfast.resilience.errors import StoreAway
from holdfast.resilience.ports import Taken
from holdfast.resilience.rate_rules import Gcra
from holdfast.resilience.sql import queues
from holdfast.resilience.sql.engines import Transactions
from holdfast.resilience.sql.gcra import LESS, GcraStatements
from holdfast.resilience.sql.tables import metadata, rates

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

    from holdfast.resilience.clocks import Clock
    from holdfast.resilience.ports import RateRule, RateState

CLEAN_EVERY: Final = 1_000  # takes of this process between two removals of rows that mean nothing any more

KEEP: Final = text(
    "INSERT INTO resilience_rates (id, state, idle_from_s) VALUES (:id, :state, :idle_from_s)"
    " ON CONFLICT (id) DO UPDATE SET state = excluded.state, idle_from_s = excluded.idle_from_s"
)


class SqlLimiterStore:
    """Keeps rates in the table `resilience_rates`; `create_tables` makes it."""

    def __init__(self, engine: Engine | AsyncEngine, *, clock: Clock | None = None) -> None:
        """Go by the time of the database, or by `clock` in a test."""
        self._transactions = Transactions(engine, away=StoreAway, clock=clock)
        self._gcra = GcraStatements(is_postgres=self._transactions.is_postgres, clock=clock)
        self._takes = itertools.count(1)

    def create_tables(self) -> None:
        """Make the tables that are missing; from async code call it in a thread, or migrate `metadata`."""
        self._transactions.run_sync(metadata.create_all)

    def take(self, key: str, rule: RateRule, *, cost: float = 1, most_wait_s: float = 0.0) -> Taken:
        """Take `cost` of `key`, now or in at most `most_wait_s`."""
        return self._transactions.run_sync(lambda connection: self._take(connection, key, rule, cost, most_wait_s))

    def give_back(self, key: str, rule: RateRule, *, cost: float, due_s: float) -> None:
        """Return what was taken but will not be used."""
        self._transactions.run_sync(lambda connection: _give_back(connection, key, rule, cost, due_s))

    async def take_async(self, key: str, rule: RateRule, *, cost: float = 1, most_wait_s: float = 0.0) -> Taken:
        """Do as `take`."""
        return await self._transactions.run(lambda connection: self._take(connection, key, rule, cost, most_wait_s))

    async def give_back_async(self, key: str, rule: RateRule, *, cost: float, due_s: float) -> None:
        """Do as `give_back`."""
        await self._transactions.run(lambda connection: _give_back(connection, key, rule, cost, due_s))

    def _take(self, connection: Connection, key: str, rule: RateRule, cost: float, most_wait_s: float) -> Taken:
        place = _place_of(key, rule)
        if isinstance(rule, Gcra):
            taken = self._gcra.take(connection, place, rule, cost, most_wait_s)
        else:
            taken = self._take_by_rule(connection, place, rule, cost, most_wait_s)
        if next(self._takes) % CLEAN_EVERY == 0:
            now_s = taken.due_s - taken.wait_s
            connection.execute(delete(rates).where(rates.c.idle_from_s < now_s))
        return taken

    def _take_by_rule(
        self, connection: Connection, place: str, rule: RateRule, cost: float, most_wait_s: float
    ) -> Taken:
        queues.enter(connection, place)
        now_s = self._transactions.read_time_s(connection)
        state, wait_s = rule.admit(_read(connection, place), now_s, cost, most_wait_s)
        _keep(connection, place, rule, state)
        return Taken(wait_s <= most_wait_s, wait_s, now_s + wait_s)


def _give_back(connection: Connection, key: str, rule: RateRule, cost: float, due_s: float) -> None:
    place = _place_of(key, rule)
    if isinstance(rule, Gcra):
        connection.execute(LESS, {"id": place, "cost_s": cost / rule.rate})
        return
    queues.enter(connection, place)
    state = _read(connection, place)
    if state:
        _keep(connection, place, rule, rule.give_back(state, due_s, cost))


def _place_of(key: str, rule: RateRule) -> str:
    return hashlib.sha256(f"{rule!r}:{key}".encode()).hexdigest()


def _read(connection: Connection, place: str) -> RateState:
    found = connection.execute(select(rates.c.state).where(rates.c.id == place)).scalar_one_or_none()
    return tuple(json.loads(found)) if found else ()


def _keep(connection: Connection, place: str, rule: RateRule, state: RateState) -> None:
    row = {"id": place, "state": json.dumps(state), "idle_from_s": rule.idle_from_s(state)}
    connection.execute(KEEP, row)
