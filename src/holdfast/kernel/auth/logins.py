"""Logging in and out, and the one-time link that makes the first administrator.

A login takes as long for a name that nobody has as for a wrong password, and both read the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, insert, select, update

from holdfast.kernel.auth import events as kinds
from holdfast.kernel.auth import keys, throttle
from holdfast.kernel.auth.passwords import check_password
from holdfast.kernel.auth.people import (
    ALL_TENANTS,
    User,
    check_name,
    event,
    has_administrator,
    insert_user,
    name_key,
    read_user,
)
from holdfast.kernel.auth.tables import SESSIONS, SETUP_LINKS, USERS
from holdfast.kernel.errors import ConflictError, DeniedError, Place, UnauthenticatedError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.ids import new_id
from holdfast.kernel.permissions import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.kernel.auth.passwords import Passwords
    from holdfast.kernel.auth.settings import AuthSettings
    from holdfast.kernel.clock import Clock
    from holdfast.kernel.events import EventKind, EventLog
    from holdfast.kernel.secrets import Secret
    from holdfast.kernel.sql import Database


@dataclass(frozen=True, slots=True)
class Session:
    """A session just opened; `secret` is the cookie's value and is nowhere else."""

    secret: Secret
    user: User
    expires_at: datetime
    lasts_s: float


class Logins:
    """Opens and ends sessions."""

    def __init__(
        self,
        db: Database,
        log: EventLog,
        clock: Clock,
        *,
        passwords: Passwords,
        settings: AuthSettings,
        changed: Callable[[], None],
    ) -> None:
        self._changed = changed
        self._db = db
        self._log = log
        self._clock = clock
        self._passwords = passwords
        self._settings = settings

    async def login(self, name: str, password: Secret, address: str) -> Session:
        """Open a session for who knows the password.

        Raises:
            UnauthenticatedError: the name or the password is wrong, or the user is disabled.
            LimitError: too many attempts failed; says when to come back.
            BusyError: too many people log in at once.
        """
        key = name_key(name)
        account, origin = throttle.account_brake(key), throttle.address_brake(address)
        row, biting = await self._db.write(lambda tx: self._begin(tx, key, [account, origin]))
        user = read_user(row) if row is not None and not row.is_disabled else None
        is_right = await self._passwords.verify(row.password_hash if user is not None else None, password)
        if user is None or not is_right:
            failure = _failure(user, address, biting)
            await self._db.write(lambda tx: self._log.append(tx, *failure))
            raise UnauthenticatedError("the name or the password is wrong")
        fresh_hash = await self._passwords.hash(password) if self._passwords.is_outdated(row.password_hash) else ""

        def open_session(tx: Connection) -> Session:
            throttle.take_back(tx, account, origin)
            if fresh_hash:
                tx.execute(update(USERS).where(USERS.c.id == user.id).values(password_hash=fresh_hash))
            return self._open(tx, user.id, address)

        return await self._db.write(open_session)

    async def confirm(self, user_id: str, password: Secret, address: str) -> None:
        """Ask a user who is logged in for the password again.

        Raises:
            DeniedError: it is wrong.
            LimitError: too many attempts failed.
        """
        row = await self._db.read(lambda tx: tx.execute(select(USERS).where(USERS.c.id == user_id)).one())
        account, origin = throttle.account_brake(row.name_key), throttle.address_brake(address)
        _, biting = await self._db.write(lambda tx: self._begin(tx, row.name_key, [account, origin]))
        if not await self._passwords.verify(row.password_hash, password):
            failure = _failure(read_user(row), address, biting)
            await self._db.write(lambda tx: self._log.append(tx, *failure))
            raise DeniedError("the current password is wrong", place=Place(field="current_password"))
        await self._db.write(lambda tx: throttle.take_back(tx, account, origin))

    async def logout(self, secret: Secret) -> None:
        """End a session; one that has ended already is no error."""

        def work(tx: Connection) -> None:
            mine = SESSIONS.c.secret_hash == keys.hash_secret(secret)
            row = tx.execute(select(USERS).join(SESSIONS, SESSIONS.c.user_id == USERS.c.id).where(mine)).one_or_none()
            if row is not None:
                tx.execute(delete(SESSIONS).where(mine))
                user = read_user(row)
                self._log.append(tx, event(kinds.LOGOUT, user, f"user/{user.id}", {}))

        try:
            await self._db.write(work)
        finally:
            self._changed()

    async def needs_setup(self) -> bool:
        """Tell whether there is no administrator yet."""
        return not await self._db.read(has_administrator)

    async def issue_setup_link(self) -> Secret | None:
        """Give a fresh one-time token that makes the first administrator, or None when there is one.

        The one issued before is void from now on.
        """
        secret = keys.new_secret()
        expires_at = self._clock.now() + timedelta(seconds=self._settings.setup_link)

        def work(tx: Connection) -> bool:
            tx.execute(delete(SETUP_LINKS))
            if has_administrator(tx):
                return False
            tx.execute(insert(SETUP_LINKS).values(secret_hash=keys.hash_secret(secret), expires_at=expires_at))
            return True

        return secret if await self._db.write(work) else None

    async def set_up(self, link: Secret, name: str, password: Secret, address: str) -> Session:
        """Make the first administrator and log them in; the link is used up.

        Raises:
            ConflictError: there is an administrator already.
            UnauthenticatedError: the link is wrong, used or expired.
            LimitError: too many wrong links came from this address.
            InvalidError: the name or the password is not acceptable; the link stays good.
        """
        check_name(name)
        check_password(password, name)
        origin = throttle.address_brake(address)
        await self._db.write(lambda tx: throttle.count_attempt(tx, [origin], self._clock.now()))
        await self._db.read(lambda tx: self._check_link(tx, link))
        encoded = await self._passwords.hash(password)

        def work(tx: Connection) -> Session:
            self._check_link(tx, link)
            now = self._clock.now()
            # Deleting it first makes the database choose between two who use it at once.
            if tx.execute(delete(SETUP_LINKS)).rowcount != 1:
                raise UnauthenticatedError("this setup link was used already")
            user = insert_user(tx, name, Role.ADMIN, ALL_TENANTS, encoded, now)
            throttle.take_back(tx, throttle.account_brake(name_key(name)), origin)
            return self._open(tx, user.id, address, kinds.ADMINISTRATOR_CREATED)

        return await self._db.write(work)

    def _begin(self, tx: Connection, key: str, brakes: list[throttle.Brake]) -> tuple[Any, list[throttle.Brake]]:
        biting = throttle.count_attempt(tx, brakes, self._clock.now())
        return tx.execute(select(USERS).where(USERS.c.name_key == key)).one_or_none(), biting

    def _open(self, tx: Connection, user_id: str, address: str, kind: EventKind = kinds.LOGIN) -> Session:
        now = self._clock.now()
        row = tx.execute(select(USERS).where(USERS.c.id == user_id).with_for_update()).one_or_none()
        if row is None or row.is_disabled:
            raise UnauthenticatedError("the name or the password is wrong")
        user = read_user(row)
        secret = keys.new_secret()
        expires_at = now + timedelta(seconds=self._settings.session_longest)
        tx.execute(
            insert(SESSIONS).values(
                id=new_id(),
                user_id=user.id,
                secret_hash=keys.hash_secret(secret),
                created_at=now,
                last_seen_at=now,
                expires_at=expires_at,
                address=address,
            )
        )
        tx.execute(update(USERS).where(USERS.c.id == user.id).values(last_login_at=now))
        self._log.append(tx, event(kind, user, f"user/{user.id}", {"address": address}))
        return Session(secret, user, expires_at, self._settings.session_longest)

    def _check_link(self, tx: Connection, link: Secret) -> None:
        if has_administrator(tx):
            raise ConflictError("there is an administrator already", hint="log in instead")
        row = tx.execute(select(SETUP_LINKS)).one_or_none()
        if row is None or not keys.is_secret(link, row.secret_hash) or row.expires_at <= self._clock.now():
            raise UnauthenticatedError(
                "this setup link is wrong, used or expired", hint="restart Holdfast; it prints a new one"
            )


def _failure(user: User | None, address: str, biting: list[throttle.Brake]) -> list[NewEvent]:
    """Tell of a failed attempt; a name that nobody has is not written down, because it may be a password."""
    data = {"address": address}
    told = (
        event(kinds.LOGIN_FAILED, user, "anonymous", data)
        if user
        else NewEvent(kinds.LOGIN_FAILED.name, "user/unknown", data, actor="anonymous")
    )
    braked = [brake.key.partition(":")[0] for brake in biting]
    slowed = NewEvent(
        kinds.THROTTLED.name,
        told.subject,
        {"address": address, "slowed": braked},
        actor="anonymous",
        tenant=told.tenant,
    )
    return [told, slowed] if braked else [told]
