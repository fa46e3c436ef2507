"""Slows down guessing: an attempt is counted before the password is looked at, and only success takes it back.

Counting first means that a thousand attempts at once are a thousand failures too. An account is slowed by at most a
minute, so that nobody can lock its owner out; an address by up to a quarter of an hour.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, bindparam, delete, select, text

from holdfast.kernel.auth.tables import ATTEMPTS
from holdfast.kernel.errors import LimitError, after
from holdfast.kernel.sql import UtcDateTime
from holdfast.resilience import Backoff

if TYPE_CHECKING:
    from collections.abc import Sequence

FORGOTTEN_AFTER: Final = timedelta(hours=1)

_ENSURE: Final = text(
    "INSERT INTO auth_attempts (key, failures, last_at, blocked_until) VALUES (:key, 0, :now, :now) "
    "ON CONFLICT (key) DO NOTHING"
).bindparams(bindparam("now", type_=UtcDateTime))


@dataclass(frozen=True, slots=True)
class Brake:
    """How many failures of one `key` are free, and the longest pause after them."""

    key: str
    free: int
    longest_s: float

    def pause_s(self, failures: int) -> float:
        """Give the pause after so many failures: nothing, then 1, 2, 4, ... seconds."""
        over = failures - self.free
        return Backoff(base_s=1.0, cap_s=self.longest_s, jitter="none").wait_s(over + 1) if over >= 0 else 0.0


def account_brake(name_key: str) -> Brake:
    """Give the brake of an account; the key is hashed, because people type passwords into the wrong field."""
    return Brake(f"account:{hashlib.sha256(name_key.encode()).hexdigest()[:32]}", free=5, longest_s=60.0)


def address_brake(address: str) -> Brake:
    """Give the brake of an address; IPv6 hosts own a whole /64."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return Brake("address:unknown", free=20, longest_s=900.0)
    block = ip if ip.version == 4 else ipaddress.ip_network((int(ip) >> 64 << 64, 64)).network_address
    return Brake(f"address:{block}", free=20, longest_s=900.0)


def count_attempt(tx: Connection, brakes: Sequence[Brake], now: datetime) -> list[Brake]:
    """Count one attempt; give the brakes that it has just made bite.

    Raises:
        LimitError: a brake bites already; nothing is counted.
    """
    for brake in sorted(brakes, key=lambda each: each.key):  # one order for all, so that no two wait for each other
        tx.execute(_ENSURE, {"key": brake.key, "now": now})
    mine = select(ATTEMPTS).where(ATTEMPTS.c.key.in_([brake.key for brake in brakes])).order_by(ATTEMPTS.c.key)
    rows = {row.key: row for row in tx.execute(mine.with_for_update())}
    wait_s = max((row.blocked_until - now).total_seconds() for row in rows.values())
    if wait_s > 0:
        raise LimitError("too many failed logins", hint="wait, then try again", retry=after(wait_s))
    biting = []
    for brake in brakes:
        row = rows[brake.key]
        failures = 1 + (row.failures if now - row.last_at < FORGOTTEN_AFTER else 0)
        pause_s = brake.pause_s(failures)
        changed = {"failures": failures, "last_at": now, "blocked_until": now + timedelta(seconds=pause_s)}
        tx.execute(ATTEMPTS.update().where(ATTEMPTS.c.key == brake.key).values(changed))
        if pause_s:
            biting.append(brake)
    return biting


def take_back(tx: Connection, account: Brake, address: Brake) -> None:
    """Undo the count of an attempt that succeeded: the account's wholly, the address's by one."""
    tx.execute(delete(ATTEMPTS).where(ATTEMPTS.c.key == account.key))
    tx.execute(
        ATTEMPTS.update()
        .where(ATTEMPTS.c.key == address.key, ATTEMPTS.c.failures > 0)
        .values(failures=ATTEMPTS.c.failures - 1, blocked_until=ATTEMPTS.c.last_at)
    )


def forget_old(tx: Connection, now: datetime) -> None:
    """Drop what no longer counts."""
    tx.execute(delete(ATTEMPTS).where(ATTEMPTS.c.last_at < now - FORGOTTEN_AFTER))
