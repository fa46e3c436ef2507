"""The gate of a server that people log in to: sessions for the console, tokens for programs.

What it has just looked up it believes for a few seconds, so that a busy caller costs no query per request; changes made
in this process count at once, those of another process within that time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CollectorRegistry, Counter
from sqlalchemy import Connection, Row, select, update

from holdfast.kernel.auth import keys
from holdfast.kernel.auth.guard import SESSION_COOKIE, PermissionBook
from holdfast.kernel.auth.identity import Identity, IdentityKind
from holdfast.kernel.auth.people import ALL_TENANTS
from holdfast.kernel.auth.requests import is_reading, read_tenant, read_token, refuse_foreign_origin
from holdfast.kernel.auth.tables import SESSIONS, TOKENS, USERS
from holdfast.kernel.errors import DeniedError, HoldfastError, UnauthenticatedError, UnavailableError
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId
from holdfast.kernel.permissions import Role
from holdfast.kernel.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi.requests import HTTPConnection

    from holdfast.kernel.auth.settings import AuthSettings
    from holdfast.kernel.clock import Clock
    from holdfast.kernel.sql import Database

BELIEVED_S: Final = 5.0
MOST_BELIEVED: Final = 4096
NOTED_EVERY: Final = timedelta(minutes=1)  # how exactly the last use is kept
CSRF_HEADER: Final = "x-csrf-token"


@dataclass(frozen=True, slots=True)
class Proof:
    """Whom a session or a token belongs to, until when, and when it was last seen to be used."""

    identity: Identity
    expires_at: datetime
    used_at: datetime | None


class LockedGate:
    """Admits who holds a session or a token, and the permission."""

    def __init__(self, db: Database, clock: Clock, settings: AuthSettings, registry: CollectorRegistry) -> None:
        self.book = PermissionBook()
        self._db = db
        self._clock = clock
        self._idle = timedelta(seconds=settings.session_idle)
        self._believed: dict[str, tuple[float, Proof]] = {}
        self._refused = Counter(
            "holdfast_auth_refused_total", "Requests refused, by the code of the error.", ("code",), registry=registry
        )

    def forget(self) -> None:
        """Believe nothing any more: people or tokens have changed."""
        self._believed.clear()

    async def admit(self, request: HTTPConnection, permission: str) -> Identity:
        """Give who asks, if they hold `permission`; see `guard.Gate`."""
        try:
            identity = await self._identify(request)
            self.book.check(identity, permission)
        except HoldfastError as error:
            self._refused.labels(error.code).inc()
            raise
        return identity

    async def _identify(self, request: HTTPConnection) -> Identity:
        token, cookie = read_token(request), request.cookies.get(SESSION_COOKIE)
        if token is not None:
            proof = await self._prove(f"t{token}", lambda tx: self._find_token(tx, token))
        elif cookie:
            session = Secret(cookie)
            proof = await self._prove(f"s{cookie}", lambda tx: self._find_session(tx, session))
            refuse_foreign_origin(request)
            # A page cannot give a WebSocket headers; its origin, which was looked at, stands for the token there.
            is_changing = request.scope["type"] == "http" and not is_reading(request)
            if is_changing and not _is_same(request.headers.get(CSRF_HEADER, ""), keys.csrf_token(session)):
                raise DeniedError("the X-CSRF-Token is missing or wrong", hint="GET /api/v1/session gives it")
        else:
            raise UnauthenticatedError("nobody is logged in", hint="log in, or send Authorization: Bearer hf_...")
        return _place(proof.identity, read_tenant(request))

    async def _prove(self, credential: str, find: Callable[[Connection], Proof | None]) -> Proof:
        key = keys.hash_secret(Secret(credential))
        now = self._clock.now()
        until, proof = self._believed.get(key, (0.0, None))
        if proof is None or until < self._clock.monotonic() or proof.expires_at <= now:
            self._believed.pop(key, None)
            proof = await self._db.read(find)
            if proof is None or proof.expires_at <= now:
                raise UnauthenticatedError("the session or token is unknown, revoked or expired", hint="log in again")
            await self._note_use(proof, now)
            self._believe(key, proof)
        return proof

    def _believe(self, key: str, proof: Proof) -> None:
        while len(self._believed) >= MOST_BELIEVED:
            del self._believed[next(iter(self._believed))]
        self._believed[key] = (self._clock.monotonic() + BELIEVED_S, proof)

    async def _note_use(self, proof: Proof, now: datetime) -> None:
        if proof.used_at is not None and now - proof.used_at < NOTED_EVERY:
            return
        identity = proof.identity
        statement = (
            update(TOKENS).where(TOKENS.c.id == identity.id).values(last_used_at=now)
            if identity.kind is IdentityKind.TOKEN
            else update(SESSIONS).where(SESSIONS.c.id == identity.session_id).values(last_seen_at=now)
        )
        try:
            await self._db.write(lambda tx: tx.execute(statement))
        except UnavailableError:
            return  # a full disk or a busy writer must not keep people from reading

    def _find_session(self, tx: Connection, session: Secret) -> Proof | None:
        mine = SESSIONS.c.secret_hash == keys.hash_secret(session)
        columns = (USERS, SESSIONS.c.id.label("session_id"), SESSIONS.c.last_seen_at, SESSIONS.c.expires_at)
        row = tx.execute(select(*columns).join(SESSIONS, SESSIONS.c.user_id == USERS.c.id).where(mine)).one_or_none()
        if row is None or row.is_disabled:
            return None
        identity = Identity(
            id=row.id,
            name=row.name,
            role=Role(row.role),
            user_id=row.id,
            home=row.home,
            session_id=row.session_id,
            expires_at=min(row.expires_at, row.last_seen_at + self._idle),
        )
        return Proof(identity, min(row.expires_at, row.last_seen_at + self._idle), row.last_seen_at)

    @staticmethod
    def _find_token(tx: Connection, text: str) -> Proof | None:
        key = keys.parse_token(text)
        if key is None:
            return None
        owner = (USERS.c.role.label("owner_role"), USERS.c.home.label("owner_home"), USERS.c.is_disabled)
        joined = select(TOKENS, *owner).join(USERS, USERS.c.id == TOKENS.c.user_id)
        row = tx.execute(joined.where(TOKENS.c.id == key.id)).one_or_none()
        if row is None or row.is_disabled or not keys.is_secret(key.secret, row.secret_hash):
            return None
        return Proof(_token_identity(row), row.expires_at, row.last_used_at)


def _token_identity(row: Row[Any]) -> Identity:
    """Give what a token may do today: no more than its owner may."""
    return Identity(
        id=row.id,
        name=row.name,
        role=min(Role(row.role), Role(row.owner_role), key=lambda role: role.rank),
        kind=IdentityKind.TOKEN,
        user_id=row.user_id,
        home=row.home if row.owner_home == ALL_TENANTS else row.owner_home,
        scopes=frozenset(row.scopes),
        expires_at=row.expires_at,
    )


def _place(identity: Identity, asked: TenantId | None) -> Identity:
    """Put the identity into the tenant that the request names, or into its own."""
    if identity.home == ALL_TENANTS:
        return identity.within(asked or DEFAULT_TENANT)
    if asked not in {None, identity.home}:
        raise DeniedError(f"you belong to the tenant {identity.home!r}", hint="leave X-Scope-OrgID out")
    return identity.within(TenantId(identity.home))


def _is_same(given: str, expected: str) -> bool:
    return keys.is_secret(Secret(given), keys.hash_secret(Secret(expected)))
