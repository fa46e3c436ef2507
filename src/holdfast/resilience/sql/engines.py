"""Runs a piece of work in one transaction of the user's own engine, from async code and from plain code.

A plain `Engine` serves both, async callers by a thread. An `AsyncEngine` serves async callers only. The engine's pool,
time limits and credentials are the user's.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final, TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.ext.asyncio import AsyncEngine  # which needs greenlet, and that need not be there for an Engine

    from holdfast.resilience.clocks import Clock

T = TypeVar("T")

SUPPORTED: Final = ("sqlite", "postgresql")
SERVER_TIME: Final = text("SELECT extract(epoch FROM clock_timestamp())::float8")


class Transactions:
    """Transactions on one engine, READ COMMITTED on PostgreSQL; `away` makes the error that says nobody answers."""

    def __init__(
        self, engine: Engine | AsyncEngine, *, away: Callable[[str], Exception], clock: Clock | None = None
    ) -> None:
        if engine.dialect.name not in SUPPORTED:
            raise ValueError(f"{engine.dialect.name} is not supported: use one of {', '.join(SUPPORTED)}")
        self.is_postgres = engine.dialect.name == "postgresql"
        self._engine = engine.execution_options(isolation_level="READ COMMITTED") if self.is_postgres else engine
        self._away = away
        self._clock = clock

    def run_sync(self, work: Callable[[Connection], T]) -> T:
        """Do `work` in a transaction and commit it."""
        if not isinstance(self._engine, Engine):
            raise TypeError("an AsyncEngine cannot be used from plain code: give an Engine, which serves both")
        try:
            with self._engine.begin() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise self.explain(error) from error

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Do `work` in a transaction and commit it, without blocking the event loop."""
        if isinstance(self._engine, Engine):
            return await asyncio.to_thread(self.run_sync, work)
        try:
            async with self._engine.begin() as connection:
                return await connection.run_sync(work)
        except SQLAlchemyError as error:
            raise self.explain(error) from error

    def read_time_s(self, connection: Connection) -> float:
        """Give the seconds that the store's clock shows; SQLite's is this machine's. A test's own clock stands in."""
        if self._clock is not None:
            return self._clock.monotonic()
        if self.is_postgres:
            return float(connection.execute(SERVER_TIME).scalar_one())
        return time.time()

    def explain(self, error: SQLAlchemyError) -> Exception:
        """Give the error that tells a caller what to do about `error`."""
        said = str(getattr(error, "orig", None) or error).strip().split("\n", 1)[0]
        if "no such table" in said or ("relation" in said and "does not exist" in said):
            fix = f"call create_tables() once, or put `metadata` of {__package__} into your migrations"
            return LookupError(f"{said}: {fix}")
        if isinstance(error, DBAPIError):
            return self._away(f"the database does not answer: {said}")
        return self._away(f"the database cannot be asked: {said}")
