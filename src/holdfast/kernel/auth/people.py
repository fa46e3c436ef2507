"""Users: who they are and what may be changed about them. Every change is an event in the same transaction.

Proving who one is stands in `logins`; API tokens in `tokens`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from holdfast.kernel.auth import events as kinds
from holdfast.kernel.auth.identity import COMMAND_LINE
from holdfast.kernel.auth.keys import new_secret
from holdfast.kernel.auth.passwords import check_password
from holdfast.kernel.auth.tables import SESSIONS, TOKENS, USERS
from holdfast.kernel.errors import ConflictError, DeniedError, InvalidError, NotFoundError, Place
from holdfast.kernel.events import NewEvent
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId, UserId, new_id
from holdfast.kernel.permissions import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.kernel.auth.identity import Identity
    from holdfast.kernel.auth.passwords import Passwords
    from holdfast.kernel.clock import Clock
    from holdfast.kernel.events import EventKind, EventLog
    from holdfast.kernel.secrets import Secret
    from holdfast.kernel.sql import Database

T = TypeVar("T")

ALL_TENANTS: Final = "*"
_NAME: Final = re.compile(r"[\w.@+-]{1,100}")


@dataclass(frozen=True, slots=True)
class User:
    """A person. `home` is the tenant that they are bound to, `*` for all."""

    id: UserId
    name: str
    role: Role
    home: str
    is_disabled: bool
    created_at: datetime
    last_seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class UserChange:
    """What to change of a user; None leaves it as it is."""

    name: str | None = None
    role: Role | None = None
    is_disabled: bool | None = None


class People:
    """All users of one database."""

    def __init__(
        self, db: Database, log: EventLog, clock: Clock, passwords: Passwords, changed: Callable[[], None]
    ) -> None:
        self._changed = changed
        self._db = db
        self._log = log
        self._clock = clock
        self._passwords = passwords

    async def list(self, asker: Identity) -> list[User]:
        """Give the users that `asker` may see, by name."""
        query = _users().order_by(USERS.c.name_key)
        if asker.home != ALL_TENANTS:
            query = query.where(USERS.c.home == asker.home)
        return await self._db.read(lambda tx: [read_user(row) for row in tx.execute(query)])

    async def create(self, asker: Identity, name: str, role: Role, password: Secret, home: str | None = None) -> User:
        """Add a user, bound to `home` or else to the asker's own tenants.

        Raises:
            InvalidError: the name or the password is not acceptable.
            ConflictError: there is somebody of this name.
            DeniedError: the asker may not act for that tenant.
        """
        check_name(name)
        check_password(password, name)
        home = home or asker.home
        _refuse_foreign(asker, home)
        encoded = await self._passwords.hash(password)

        def work(tx: Connection) -> User:
            user = insert_user(tx, name, role, home, encoded, self._clock.now())
            data = {"name": user.name, "role": user.role, "tenant": user.home}
            self._log.append(tx, event(kinds.USER_CREATED, user, asker.actor, data))
            return user

        return await self._write(work)

    async def change(self, asker: Identity, user_id: str, change: UserChange) -> User:
        """Change a user's name, role or state; disabling ends their sessions.

        Raises:
            ConflictError: nobody could administrate any more, or the name is taken.
        """
        if change.name is not None:
            check_name(change.name)

        def work(tx: Connection) -> User:
            before = find_user(tx, user_id)
            _refuse_foreign(asker, before.home)
            values: dict[str, Any] = {}
            if change.name is not None and change.name != before.name:
                values |= {"name": change.name, "name_key": name_key(change.name)}
                _refuse_taken(tx, change.name, but=user_id)
            if change.role is not None and change.role != before.role:
                values["role"] = change.role
            if change.is_disabled is not None and change.is_disabled != before.is_disabled:
                values["is_disabled"] = change.is_disabled
            if not values:
                return before
            if change.role not in {None, Role.ADMIN} or change.is_disabled:
                _keep_an_administrator(tx, before)
            tx.execute(update(USERS).where(USERS.c.id == user_id).values(values))
            if change.is_disabled:
                tx.execute(delete(SESSIONS).where(SESSIONS.c.user_id == user_id))
            after = find_user(tx, user_id)
            data = {
                field: {"from": getattr(before, field), "to": getattr(after, field)}
                for field in values
                if field != "name_key"
            }
            self._log.append(tx, event(kinds.USER_CHANGED, after, asker.actor, data))
            return after

        return await self._write(work)

    async def set_password(self, asker: Identity, user_id: str, password: Secret) -> None:
        """Give a user a new password and end their sessions, except the one that asks.

        Raises:
            InvalidError: the password is not acceptable.
        """
        name = await self._db.read(lambda tx: find_user(tx, user_id).name)
        check_password(password, name)
        encoded = await self._passwords.hash(password)

        def work(tx: Connection) -> None:
            user = find_user(tx, user_id)
            if asker.user_id != user_id:
                _refuse_foreign(asker, user.home)
            tx.execute(update(USERS).where(USERS.c.id == user_id).values(password_hash=encoded))
            others = (SESSIONS.c.user_id == user_id) & (SESSIONS.c.id != asker.session_id)
            tx.execute(delete(SESSIONS).where(others))
            self._log.append(tx, event(kinds.PASSWORD_CHANGED, user, asker.actor, {}))

        await self._write(work)

    async def recover(self, name: str) -> Secret:
        """Give somebody who is locked out a fresh password, and enable them; for the command line.

        Raises:
            NotFoundError: there is nobody of this name.
        """
        query = select(USERS.c.id).where(USERS.c.name_key == name_key(name))
        user_id = await self._db.read(lambda tx: tx.execute(query).scalar_one_or_none())
        if user_id is None:
            raise NotFoundError(f"there is no user called {name!r}")
        password = new_secret()
        await self.change(COMMAND_LINE, user_id, UserChange(is_disabled=False))
        await self.set_password(COMMAND_LINE, user_id, password)
        return password

    async def end_sessions(self, asker: Identity, user_id: str) -> None:
        """Log a user out everywhere."""

        def work(tx: Connection) -> None:
            user = find_user(tx, user_id)
            _refuse_foreign(asker, user.home)
            ended = tx.execute(delete(SESSIONS).where(SESSIONS.c.user_id == user_id)).rowcount
            self._log.append(tx, event(kinds.SESSIONS_ENDED, user, asker.actor, {"sessions": ended}))

        await self._write(work)

    async def remove(self, asker: Identity, user_id: str) -> None:
        """Remove a user with their sessions and tokens.

        Raises:
            ConflictError: nobody could administrate any more.
        """

        def work(tx: Connection) -> None:
            user = find_user(tx, user_id)
            _refuse_foreign(asker, user.home)
            _keep_an_administrator(tx, user)
            for table in (SESSIONS, TOKENS):
                tx.execute(delete(table).where(table.c.user_id == user_id))
            tx.execute(delete(USERS).where(USERS.c.id == user_id))
            self._log.append(tx, event(kinds.USER_REMOVED, user, asker.actor, {"name": user.name}))

        await self._write(work)

    async def _write(self, work: Callable[[Connection], T]) -> T:
        try:
            return await self._db.write(work)
        finally:
            self._changed()


def check_name(name: str) -> None:
    """Refuse what is no user name."""
    if not _NAME.fullmatch(name):
        raise InvalidError(
            f"{name[:100]!r} is not a user name", hint="1 to 100 letters, digits or _.@+-", place=Place(field="name")
        )


def name_key(name: str) -> str:
    """Give the form in which names are compared, so that no two users look alike."""
    return unicodedata.normalize("NFKC", name).casefold()


def insert_user(tx: Connection, name: str, role: Role, home: str, encoded: str, now: datetime) -> User:
    """Add a user whose name and password were checked."""
    _refuse_taken(tx, name)
    user = User(UserId(new_id()), name, role, home, is_disabled=False, created_at=now, last_seen_at=None)
    tx.execute(
        insert(USERS).values(
            id=user.id,
            name=name,
            name_key=name_key(name),
            role=role,
            home=home,
            password_hash=encoded,
            is_disabled=False,
            created_at=now,
        )
    )
    return user


def find_user(tx: Connection, user_id: str) -> User:
    """Give the user, or raise `NotFoundError`."""
    row = tx.execute(_users().where(USERS.c.id == user_id)).one_or_none()
    if row is None:
        raise NotFoundError("there is no such user")
    return read_user(row)


def read_user(row: Row[Any]) -> User:
    """Read a row of `auth_users`, with when the user was last seen if it was asked for."""
    return User(
        id=UserId(row.id),
        name=row.name,
        role=Role(row.role),
        home=row.home,
        is_disabled=row.is_disabled,
        created_at=row.created_at,
        last_seen_at=row._mapping.get("last_seen_at") or row.last_login_at,  # noqa: SLF001 - SQLAlchemy's public name
    )


def has_administrator(tx: Connection) -> bool:
    """Tell whether anybody can administrate all tenants."""
    return tx.execute(_administrators().limit(1)).first() is not None


def event(kind: EventKind, user: User, actor: str, data: dict[str, Any]) -> NewEvent:
    """Build an event about `user`, for the log of their tenant."""
    tenant = DEFAULT_TENANT if user.home == ALL_TENANTS else TenantId(user.home)
    return NewEvent(kind.name, f"user/{user.id}", data, actor=actor, tenant=tenant)


def _users() -> Any:
    seen = select(func.max(SESSIONS.c.last_seen_at)).where(SESSIONS.c.user_id == USERS.c.id)
    return select(USERS, seen.scalar_subquery().label("last_seen_at"))


def _refuse_taken(tx: Connection, name: str, *, but: str = "") -> None:
    taken = select(USERS.c.id).where(USERS.c.name_key == name_key(name), USERS.c.id != but)
    if tx.execute(taken).first() is not None:
        raise ConflictError(f"there is a user called {name!r} already", place=Place(field="name"))


def _refuse_foreign(asker: Identity, home: str) -> None:
    if asker.home not in {ALL_TENANTS, home}:
        raise DeniedError(f"you administrate the tenant {asker.home!r} only")


def _administrators() -> Any:
    return select(USERS.c.id).where(
        USERS.c.role == Role.ADMIN, USERS.c.home == ALL_TENANTS, USERS.c.is_disabled.is_(False)
    )


def _keep_an_administrator(tx: Connection, leaving: User) -> None:
    """Refuse to lose the last administrator; locks the others, so that two cannot remove each other at once."""
    remaining = set(tx.execute(_administrators().order_by(USERS.c.id).with_for_update()).scalars())
    if remaining == {leaving.id}:
        raise ConflictError("this is the last administrator", hint="make somebody else administrator first")
