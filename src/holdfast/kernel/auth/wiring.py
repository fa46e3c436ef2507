"""Adds people and tokens to the app: the gate, the routes, the housekeeping, the audit kinds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import Connection, delete

from holdfast.kernel.auth import throttle
from holdfast.kernel.auth.desk import Desk
from holdfast.kernel.auth.events import KINDS
from holdfast.kernel.auth.gate import LockedGate
from holdfast.kernel.auth.guard import Gate
from holdfast.kernel.auth.logins import Logins
from holdfast.kernel.auth.opengate import OpenGate
from holdfast.kernel.auth.passwords import Passwords
from holdfast.kernel.auth.people import People
from holdfast.kernel.auth.routes import routes
from holdfast.kernel.auth.settings import AuthSettings
from holdfast.kernel.auth.tables import SESSIONS, TOKENS
from holdfast.kernel.auth.tokens import Tokens
from holdfast.kernel.permissions import Permission, Role
from holdfast.kernel.secrets import Secret
from holdfast.kernel.wiring import Ground, Job, Wiring

SWEEP_EVERY_S: Final = 3600.0

PERMISSIONS: Final = (
    Permission("auth.self", Role.VIEWER, "See the own session, change the own password, keep own tokens."),
    Permission("auth.read", Role.OPERATOR, "See users and everybody's tokens."),
    Permission("auth.write", Role.ADMIN, "Create, change and remove users; revoke everybody's tokens."),
)


@dataclass(frozen=True, slots=True)
class Auth:
    """The room of people and tokens."""

    wiring: Wiring
    gate: Gate
    logins: Logins
    people: People
    tokens: Tokens

    async def issue_setup_link(self) -> Secret | None:
        """Give the one-time token for `/setup?token=...`, or None when there is an administrator."""
        return None if isinstance(self.gate, OpenGate) else await self.logins.issue_setup_link()


def wire(ground: Ground, *, mode: Literal["on", "off"] = "on", passwords: Passwords | None = None) -> Auth:
    """Build the room.

    Args:
        ground: what every room stands on.
        mode: `off` admits everybody as administrator; the app refuses that unless it listens on loopback.
        passwords: how they are hashed, if not in the usual way.
    """
    settings = ground.settings[AuthSettings]
    passwords = passwords or Passwords()
    db, log, clock = ground.db, ground.events, ground.clock
    locked = LockedGate(db, clock, settings, ground.metrics)
    gate: Gate = OpenGate() if mode == "off" else locked
    logins = Logins(db, log, clock, passwords=passwords, settings=settings, changed=locked.forget)
    people = People(db, log, clock, passwords, locked.forget)
    tokens = Tokens(db, log, clock, settings, locked.forget)

    async def sweep() -> None:
        while True:
            await db.write(lambda tx: _forget_ended(tx, clock.now()))
            await clock.sleep(SWEEP_EVERY_S)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        yield
        passwords.close()

    wiring = Wiring(
        name="auth",
        routers=(routes(Desk(gate, logins, people, tokens)),),
        migrations="holdfast.kernel.auth.migrations",
        jobs=(Job("auth-sweep", sweep),),
        lifespan=lifespan,
        permissions=PERMISSIONS,
        event_kinds=KINDS,
    )
    return Auth(wiring, gate, logins, people, tokens)


def _forget_ended(tx: Connection, now: datetime) -> None:
    for table in (SESSIONS, TOKENS):
        tx.execute(delete(table).where(table.c.expires_at < now))
    throttle.forget_old(tx, now)
