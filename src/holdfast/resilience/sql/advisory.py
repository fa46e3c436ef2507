"""Locks that PostgreSQL itself holds for a session: free at once when the holder's connection ends, whatever the clock.

Each held lock keeps one connection of the engine's pool, so the pool bounds how many one process holds. Not through
a proxy that shares sessions, such as PgBouncer in transaction mode: there the session is not ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, text
from sqlalchemy.exc import SQLAlchemyError

from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.locks.errors import Deadlock, LockStoreAway
from holdfast.resilience.locks.port import Answer, Claim, Grant, Refusal
from holdfast.resilience.sql import queues
from holdfast.resilience.sql.engines import Transactions
from holdfast.resilience.sql.tables import leases, metadata

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

TAKE: Final = text("SELECT pg_try_advisory_lock(:key)")
GIVE_BACK: Final = text("SELECT pg_advisory_unlock(:key)")
STILL_MINE: Final = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()"
    " AND objsubid = 1 AND ((classid::bigint << 32) | objid::bigint) = :key"
)
WHILE_THE_SESSION_LASTS: Final = 1e18
LONGEST_POLL_S: Final = 1.0


@dataclass(slots=True)
class _Session:
    """The connection whose session holds one lock."""

    connection: Connection
    guard: threading.Lock = field(default_factory=threading.Lock)


class AdvisoryLocks:
    """Keeps locks as PostgreSQL's session-level advisory locks, with tokens and a queue in this package's tables."""

    def __init__(self, engine: Engine, *, poll_s: float = 0.05, clock: Clock | None = None) -> None:
        """Take sessions from `engine`, whose pool should be larger than the number of locks held at once.

        Places in the queue, not locks, have a time: that of the database, or of `clock` in a test.
        """
        if engine.dialect.name != "postgresql" or engine.dialect.is_async:
            raise TypeError("advisory locks need a plain Engine on PostgreSQL; it serves async callers too")
        self._engine = engine.execution_options(isolation_level="READ COMMITTED")
        self._transactions = Transactions(engine, away=LockStoreAway, clock=clock)
        self._poll_s = poll_s
        self._clock = clock or SYSTEM_CLOCK
        self._sessions: dict[int, _Session] = {}

    def create_tables(self) -> None:
        """Make the tables that are missing; from async code call it in a thread, or migrate `metadata`."""
        self._transactions.run_sync(metadata.create_all)

    async def claim_async(self, claim: Claim) -> Answer:
        """Take the lock or stand in its queue."""
        return await asyncio.to_thread(self.claim, claim)

    def claim(self, claim: Claim) -> Answer:
        """Take the lock or stand in its queue."""
        try:
            connection = self._engine.connect()
        except SQLAlchemyError as error:
            raise LockStoreAway(f"no connection for the lock {claim.name!r}: {error}") from error
        answer: Answer | Deadlock | None = None
        try:
            with connection.begin():
                answer = self._claim(connection, claim)
        except SQLAlchemyError as error:
            raise self._transactions.explain(error) from error
        finally:
            if isinstance(answer, Grant):
                self._sessions[answer.token] = _Session(connection)
            else:
                if answer is None:  # the session may hold a lock that nobody knows of: end it
                    connection.invalidate()
                connection.close()
        if isinstance(answer, Deadlock):
            raise answer
        return answer

    async def wait_async(self, claim: Claim, answer: Refusal, seconds: float) -> None:  # noqa: ARG002 -- the port's shape
        """Sleep the longer the more stand before."""
        await self._clock.sleep(min(seconds, self._poll_s * (1 + answer.ahead), LONGEST_POLL_S))

    def wait(self, claim: Claim, answer: Refusal, seconds: float) -> None:  # noqa: ARG002 -- the port's shape
        """Sleep the longer the more stand before."""
        self._clock.sleep_sync(min(seconds, self._poll_s * (1 + answer.ahead), LONGEST_POLL_S))

    async def withdraw_async(self, claim: Claim) -> None:
        """Leave the queue."""
        await self._transactions.run(lambda connection: queues.leave(connection, claim))

    def withdraw(self, claim: Claim) -> None:
        """Leave the queue."""
        self._transactions.run_sync(lambda connection: queues.leave(connection, claim))

    async def renew_async(self, claim: Claim, token: int) -> bool:
        """Tell whether the session that holds the lock still does."""
        return await asyncio.to_thread(self.renew, claim, token)

    def renew(self, claim: Claim, token: int) -> bool:
        """Tell whether the session that holds the lock still does."""
        session = self._sessions.get(token)
        if session is None:
            return False
        try:
            with session.guard, session.connection.begin():
                held = session.connection.execute(STILL_MINE, {"key": _key_of(claim)}).scalar_one()
        except SQLAlchemyError:
            self._end(token)
            return False
        return bool(held)

    async def release_async(self, claim: Claim, token: int) -> None:
        """Give the lock back, and the connection to its pool."""
        await asyncio.to_thread(self.release, claim, token)

    def release(self, claim: Claim, token: int) -> None:
        """Give the lock back, and the connection to its pool."""
        session = self._sessions.pop(token, None)
        if session is None:
            return
        with session.guard:
            try:
                with session.connection.begin():
                    session.connection.execute(delete(leases).where(leases.c.token == token))
                    session.connection.execute(GIVE_BACK, {"key": _key_of(claim)})
            except SQLAlchemyError:  # the session has ended, and the lock with it
                session.connection.invalidate()
            session.connection.close()

    def close(self) -> None:
        """End every session that still holds a lock, and so the lock."""
        for token in list(self._sessions):
            self._end(token)

    def _claim(self, connection: Connection, claim: Claim) -> Answer | Deadlock:
        queues.enter(connection, claim.name)
        now_s = self._transactions.read_time_s(connection)  # for the queue only: a lock has no time
        ahead = queues.count_ahead(connection, claim, now_s)
        if ahead == 0 and connection.execute(TAKE, {"key": _key_of(claim)}).scalar_one():
            return Grant(queues.grant(connection, claim, WHILE_THE_SESSION_LASTS))
        if claim.patience_s > 0:
            try:
                queues.stand(connection, claim, now_s)
            except Deadlock as error:  # returned, so that leaving the queue is committed
                queues.leave(connection, claim)
                return error
        holder = queues.find_holder(connection, claim.name, now_s)
        return Refusal(holder or "", ahead, claim.ttl_s)

    def _end(self, token: int) -> None:
        session = self._sessions.pop(token, None)
        if session is not None:
            with contextlib.suppress(SQLAlchemyError):
                session.connection.invalidate()
                session.connection.close()


def _key_of(claim: Claim) -> int:
    return queues.number_of(f"lock:{claim.name}")
