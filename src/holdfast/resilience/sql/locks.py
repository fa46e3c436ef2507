"""Locks kept in two tables of SQLite or PostgreSQL: as durable as the database, decided by its clock.

A waiter asks again every `poll_s` times its place in the queue; nobody is woken. Use `AdvisoryLocks` where a holder
that dies must be followed at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, update

from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.locks.errors import Deadlock, LockStoreAway
from holdfast.resilience.locks.port import Answer, Claim, Grant, Refusal
from holdfast.resilience.sql import queues
from holdfast.resilience.sql.engines import Transactions
from holdfast.resilience.sql.tables import leases, metadata

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Row
    from sqlalchemy.ext.asyncio import AsyncEngine

LONGEST_POLL_S = 1.0


class SqlLocks:
    """Keeps locks in the tables `resilience_leases` and `resilience_waiters`; `create_tables` makes them."""

    def __init__(self, engine: Engine | AsyncEngine, *, poll_s: float = 0.05, clock: Clock | None = None) -> None:
        """Take leases by the time of the database, or by `clock` in a test."""
        self._transactions = Transactions(engine, away=LockStoreAway, clock=clock)
        self._poll_s = poll_s
        self._clock = clock or SYSTEM_CLOCK

    def create_tables(self) -> None:
        """Make the tables that are missing; from async code call it in a thread, or migrate `metadata`."""
        self._transactions.run_sync(metadata.create_all)

    async def claim_async(self, claim: Claim) -> Answer:
        """Take the lock or stand in its queue."""
        return _unpack(await self._transactions.run(lambda connection: self._claim(connection, claim)))

    def claim(self, claim: Claim) -> Answer:
        """Take the lock or stand in its queue."""
        return _unpack(self._transactions.run_sync(lambda connection: self._claim(connection, claim)))

    async def wait_async(self, claim: Claim, answer: Refusal, seconds: float) -> None:  # noqa: ARG002 -- the port's shape
        """Sleep the longer the more stand before."""
        await self._clock.sleep(self._count_pause_s(answer, seconds))

    def wait(self, claim: Claim, answer: Refusal, seconds: float) -> None:  # noqa: ARG002 -- the port's shape
        """Sleep the longer the more stand before."""
        self._clock.sleep_sync(self._count_pause_s(answer, seconds))

    async def withdraw_async(self, claim: Claim) -> None:
        """Leave the queue."""
        await self._transactions.run(lambda connection: queues.leave(connection, claim))

    def withdraw(self, claim: Claim) -> None:
        """Leave the queue."""
        self._transactions.run_sync(lambda connection: queues.leave(connection, claim))

    async def renew_async(self, claim: Claim, token: int) -> bool:
        """Hold on."""
        return await self._transactions.run(lambda connection: self._renew(connection, claim, token))

    def renew(self, claim: Claim, token: int) -> bool:
        """Hold on."""
        return self._transactions.run_sync(lambda connection: self._renew(connection, claim, token))

    async def release_async(self, claim: Claim, token: int) -> None:  # noqa: ARG002 -- the port's shape
        """Give the lock back."""
        await self._transactions.run(lambda connection: _release(connection, token))

    def release(self, claim: Claim, token: int) -> None:  # noqa: ARG002 -- the port's shape
        """Give the lock back."""
        self._transactions.run_sync(lambda connection: _release(connection, token))

    def _count_pause_s(self, answer: Refusal, seconds: float) -> float:
        return min(seconds, self._poll_s * (1 + answer.ahead), LONGEST_POLL_S)

    def _claim(self, connection: Connection, claim: Claim) -> Answer | Deadlock:
        queues.enter(connection, claim.name)
        now_s = self._transactions.read_time_s(connection)
        lease = _find_lease(connection, claim.name, now_s)
        ahead = queues.count_ahead(connection, claim, now_s)
        if lease is None and ahead == 0:
            return Grant(queues.grant(connection, claim, now_s + claim.ttl_s))
        if claim.patience_s > 0:
            try:
                queues.stand(connection, claim, now_s)
            except Deadlock as error:  # returned, so that leaving the queue is committed
                queues.leave(connection, claim)
                return error
        return Refusal(lease.owner, ahead, lease.until_s - now_s) if lease else Refusal("", ahead, 0.0)

    def _renew(self, connection: Connection, claim: Claim, token: int) -> bool:
        queues.enter(connection, claim.name)
        now_s = self._transactions.read_time_s(connection)
        mine = update(leases).where(leases.c.token == token, leases.c.until_s > now_s)
        return connection.execute(mine.values(until_s=now_s + claim.ttl_s)).rowcount == 1


def _find_lease(connection: Connection, name: str, now_s: float) -> Row[Any, Any, Any] | None:
    lease = connection.execute(
        select(leases.c.owner, leases.c.until_s, leases.c.ttl_s).where(leases.c.name == name)
    ).one_or_none()
    if lease is None:
        return None
    if lease.until_s <= now_s:
        connection.execute(delete(leases).where(leases.c.name == name))
        return None
    if lease.until_s > now_s + lease.ttl_s:  # the clock went back: nobody waits longer than one ttl for that
        connection.execute(update(leases).where(leases.c.name == name).values(until_s=now_s + lease.ttl_s))
        return _find_lease(connection, name, now_s)
    return lease


def _release(connection: Connection, token: int) -> None:
    connection.execute(delete(leases).where(leases.c.token == token))


def _unpack(answer: Answer | Deadlock) -> Answer:
    if isinstance(answer, Deadlock):
        raise answer
    return answer
