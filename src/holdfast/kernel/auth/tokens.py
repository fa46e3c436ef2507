"""API tokens: hashed, bound to their maker, never more powerful than them, and always with an end."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Row, delete, insert, select

from holdfast.kernel.auth import events as kinds
from holdfast.kernel.auth import keys
from holdfast.kernel.auth.people import ALL_TENANTS
from holdfast.kernel.auth.tables import TOKENS, USERS
from holdfast.kernel.errors import ConflictError, DeniedError, InvalidError, NotFoundError, Place
from holdfast.kernel.events import NewEvent
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId
from holdfast.kernel.permissions import Role
from holdfast.kernel.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.kernel.auth.identity import Identity
    from holdfast.kernel.auth.settings import AuthSettings
    from holdfast.kernel.clock import Clock
    from holdfast.kernel.events import EventLog
    from holdfast.kernel.secrets import Secret
    from holdfast.kernel.sql import Database

MOST_PER_USER: Final = 100


@dataclass(frozen=True, slots=True)
class Token:
    """An API token without its secret."""

    id: str
    name: str
    user_id: str
    owner: str
    role: Role
    home: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What somebody wants a token to be.

    Attributes:
        name: what it is for.
        role: at most the maker's; None for the maker's.
        scopes: the only permissions that it has; empty for all of the role's.
        expires_at: when it ends; None for the setting's usual.
    """

    name: str
    role: Role | None = None
    scopes: tuple[str, ...] = ()
    expires_at: datetime | None = None


class Tokens:
    """All tokens of one database."""

    def __init__(
        self, db: Database, log: EventLog, clock: Clock, settings: AuthSettings, changed: Callable[[], None]
    ) -> None:
        self._changed = changed
        self._db = db
        self._log = log
        self._clock = clock
        self._settings = settings

    async def list(self, asker: Identity, *, is_for_all: bool) -> list[Token]:
        """Give the asker's tokens or, for an administrator, everybody's in their tenants; newest first."""
        query = _tokens().order_by(TOKENS.c.created_at.desc(), TOKENS.c.id)
        if not is_for_all:
            query = query.where(TOKENS.c.user_id == asker.user_id)
        elif asker.home != ALL_TENANTS:
            query = query.where(TOKENS.c.home == asker.home)
        return await self._db.read(lambda tx: [_read(row) for row in tx.execute(query)])

    async def create(self, asker: Identity, request: TokenRequest) -> tuple[Token, Secret]:
        """Make a token; its text is given once and kept nowhere.

        Raises:
            ConflictError: nobody is logged in to own it, or they have too many.
            DeniedError: it would be more powerful than its maker.
            InvalidError: it would last too long.
        """
        if not asker.user_id:
            raise ConflictError("nobody is logged in", hint="tokens are not needed while authentication is off")
        role = request.role or asker.role
        if not asker.role.covers(role) or (asker.scopes and not set(request.scopes or ("*",)) <= asker.scopes):
            raise DeniedError("a token cannot be more powerful than its maker", place=Place(field="role"))
        now = self._clock.now()
        expires_at = request.expires_at or now + timedelta(seconds=self._settings.token_usual)
        if not now < expires_at <= now + timedelta(seconds=self._settings.token_longest):
            longest = format_duration(self._settings.token_longest)
            raise InvalidError(f"a token ends in the future, at most {longest} ahead", place=Place(field="expires_at"))
        key = keys.new_token()
        token = Token(
            id=key.id,
            name=request.name,
            user_id=asker.user_id,
            owner="",
            role=role,
            home=asker.home,
            scopes=tuple(sorted(request.scopes)),
            created_at=now,
            expires_at=expires_at,
            last_used_at=None,
        )
        secret_hash = keys.hash_secret(key.secret)
        return await self._db.write(lambda tx: self._insert(tx, token, secret_hash, asker)), key.whole()

    async def revoke(self, asker: Identity, token_id: str, *, is_for_all: bool) -> None:
        """End a token at once.

        Raises:
            NotFoundError: there is no such token, or it is somebody else's.
        """

        def work(tx: Connection) -> None:
            row = tx.execute(_tokens().where(TOKENS.c.id == token_id)).one_or_none()
            is_seen = row is not None and (row.user_id == asker.user_id or is_for_all)
            if row is None or not is_seen or asker.home not in {ALL_TENANTS, row.home}:
                raise NotFoundError("there is no such token")
            tx.execute(delete(TOKENS).where(TOKENS.c.id == token_id))
            self._log.append(tx, _event(kinds.TOKEN_REVOKED.name, _read(row), asker, {"name": row.name}))

        try:
            await self._db.write(work)
        finally:
            self._changed()

    def _insert(self, tx: Connection, token: Token, secret_hash: str, asker: Identity) -> Token:
        # The lock on the owner makes two at once count each other's token.
        owner = tx.execute(select(USERS.c.name).where(USERS.c.id == token.user_id).with_for_update()).scalar_one()
        owned = tx.execute(select(TOKENS.c.id).where(TOKENS.c.user_id == token.user_id)).all()
        if len(owned) >= MOST_PER_USER:
            raise ConflictError(f"one user has at most {MOST_PER_USER} tokens", hint="revoke one that is not used")
        tx.execute(
            insert(TOKENS).values(
                id=token.id,
                user_id=token.user_id,
                name=token.name,
                secret_hash=secret_hash,
                role=token.role,
                home=token.home,
                scopes=list(token.scopes),
                created_at=token.created_at,
                expires_at=token.expires_at,
            )
        )
        data = {
            "name": token.name,
            "role": token.role,
            "scopes": list(token.scopes),
            "expires_at": token.expires_at.isoformat(),
        }
        self._log.append(tx, _event(kinds.TOKEN_CREATED.name, token, asker, data))
        return dataclasses.replace(token, owner=owner)


def _tokens() -> Any:
    return select(TOKENS, USERS.c.name.label("owner")).join(USERS, USERS.c.id == TOKENS.c.user_id)


def _read(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        user_id=row.user_id,
        owner=row.owner,
        role=Role(row.role),
        home=row.home,
        scopes=tuple(row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
    )


def _event(kind: str, token: Token, asker: Identity, data: dict[str, Any]) -> NewEvent:
    tenant = DEFAULT_TENANT if token.home == ALL_TENANTS else TenantId(token.home)
    return NewEvent(kind, f"token/{token.id}", data, actor=asker.actor, tenant=tenant)
