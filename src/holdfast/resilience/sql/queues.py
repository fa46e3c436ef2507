"""The queue in front of a lock and who waits for whom, as rows; used by both kinds of SQL locks.

All of it happens inside the transaction of a claim, one claim of a lock at a time.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, func, insert, or_, select, text, update

from holdfast.resilience.locks.circles import find_circle
from holdfast.resilience.locks.errors import Deadlock, LockQueueFull
from holdfast.resilience.sql.tables import leases, waiters

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from holdfast.resilience.locks.port import Claim

MAX_WAITING: Final = 1_000
LONGEST_PATIENCE_S: Final = 60.0  # a place that lasts longer was taken before the clock went back

HOLD_DOOR: Final = text("SELECT pg_advisory_xact_lock(:key)")
# SQLite lets one transaction write at a time, so any write at its start holds the door.
HOLD_FILE: Final = text("DELETE FROM resilience_waiters WHERE place < 0")


def enter(connection: Connection, name: str) -> None:
    """Let one transaction at a time go on from here for the lock `name`."""
    if connection.dialect.name == "postgresql":
        connection.execute(HOLD_DOOR, {"key": number_of(f"door:{name}")})
    else:
        connection.execute(HOLD_FILE)


def number_of(words: str) -> int:
    """Give the signed 64-bit number that PostgreSQL's advisory locks want for `words`."""
    return int.from_bytes(hashlib.sha256(f"holdfast:{words}".encode()).digest()[:8], "big", signed=True)


def count_ahead(connection: Connection, claim: Claim, now_s: float) -> int:
    """Drop the places whose time is over and count those before us."""
    over = or_(waiters.c.until_s <= now_s, waiters.c.until_s > now_s + LONGEST_PATIENCE_S)
    connection.execute(delete(waiters).where(waiters.c.name == claim.name, over))
    mine = select(waiters.c.place).where(waiters.c.waiter == claim.waiter).scalar_subquery()
    before = or_(mine.is_(None), waiters.c.place < mine)
    return connection.execute(
        select(func.count()).select_from(waiters).where(waiters.c.name == claim.name, before)
    ).scalar_one()


def stand(connection: Connection, claim: Claim, now_s: float) -> None:
    """Take a place in the queue, or keep it.

    Raises:
        Deadlock: The one who asks would wait for itself; it then stands nowhere.
        LockQueueFull: The queue has its bound.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(HOLD_DOOR, {"key": number_of("graph")})  # of two who close a circle, one sees it
    circle = find_circle(
        claim.owner,
        claim.name,
        holder_of=lambda name: find_holder(connection, name, now_s),
        wanted_by=lambda owner: _find_wanted(connection, owner, now_s),
    )
    if circle is not None:
        raise Deadlock(circle)
    place = {"owner": claim.owner, "until_s": now_s + claim.patience_s}
    kept = connection.execute(update(waiters).where(waiters.c.waiter == claim.waiter).values(place))
    if kept.rowcount == 0:
        _append(connection, {"name": claim.name, "waiter": claim.waiter, **place})


def _append(connection: Connection, place: dict[str, object]) -> None:
    length = select(func.count()).select_from(waiters).where(waiters.c.name == place["name"])
    if connection.execute(length).scalar_one() >= MAX_WAITING:
        raise LockQueueFull(f"{MAX_WAITING} wait for the lock {place['name']!r} already: that is the bound")
    connection.execute(insert(waiters).values(place))


def leave(connection: Connection, claim: Claim) -> None:
    """Give up our place."""
    connection.execute(delete(waiters).where(waiters.c.waiter == claim.waiter))


def find_holder(connection: Connection, name: str, now_s: float) -> str | None:
    """Give the owner who holds a lock; one whose time is over stands in nobody's way."""
    live = select(leases.c.owner).where(leases.c.name == name, leases.c.until_s > now_s)
    return connection.execute(live).scalar_one_or_none()


def _find_wanted(connection: Connection, owner: str, now_s: float) -> Iterable[str]:
    wanted = select(waiters.c.name).where(waiters.c.owner == owner, waiters.c.until_s > now_s)
    return connection.execute(wanted).scalars().all()


def grant(connection: Connection, claim: Claim, until_s: float) -> int:
    """Write the lease and give its token."""
    leave(connection, claim)
    connection.execute(delete(leases).where(leases.c.name == claim.name))
    lease = {"name": claim.name, "owner": claim.owner, "until_s": until_s, "ttl_s": claim.ttl_s}
    token: int = connection.execute(insert(leases).values(lease).returning(leases.c.token)).scalar_one()
    return token
