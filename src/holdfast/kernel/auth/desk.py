"""What the routes of people and tokens work with: the parts of the room, and the session as the API shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.kernel.auth import keys
from holdfast.kernel.auth.documents import SessionDocument, Somebody, UserPatch
from holdfast.kernel.auth.guard import SESSION_COOKIE, Gate
from holdfast.kernel.auth.identity import Identity, IdentityKind
from holdfast.kernel.auth.logins import Logins, Session
from holdfast.kernel.auth.opengate import OpenGate
from holdfast.kernel.auth.people import ALL_TENANTS, People, User, UserChange
from holdfast.kernel.auth.requests import is_tenant
from holdfast.kernel.auth.tokens import Tokens
from holdfast.kernel.decoding import suggest
from holdfast.kernel.errors import ConflictError, DeniedError, InvalidError, Place
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId
from holdfast.kernel.secrets import Secret

if TYPE_CHECKING:
    from fastapi import Request, Response


@dataclass(frozen=True, slots=True)
class Desk:
    """What the routes work with."""

    gate: Gate
    logins: Logins
    people: People
    tokens: Tokens

    def describe(self, identity: Identity, cookie: str) -> SessionDocument:
        """Show who is logged in."""
        is_session = identity.kind is IdentityKind.USER
        return SessionDocument(
            user=Somebody(identity.user_id or identity.id, identity.name, identity.role),
            tenant=identity.tenant,
            csrf_token=keys.csrf_token(Secret(cookie)) if is_session else "",
            expires_at=identity.expires_at,
            permissions=self.gate.book.held_by(identity),
        )

    def enter(self, request: Request, response: Response, session: Session) -> SessionDocument:
        """Hand out the cookie of a fresh session and show it."""
        user, secret = session.user, session.secret.reveal()
        response.set_cookie(
            SESSION_COOKIE,
            secret,
            max_age=round(session.lasts_s),
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        identity = Identity(
            user.id,
            user.name,
            user.role,
            tenant=DEFAULT_TENANT if user.home == ALL_TENANTS else TenantId(user.home),
            user_id=user.id,
            home=user.home,
            expires_at=session.expires_at,
        )
        return self.describe(identity, secret)

    async def change_user(self, identity: Identity, user_id: str, body: UserPatch, address: str) -> User:
        """Change a user; the own password takes the current one, everything else an administrator."""
        is_own_password = body.password is not None and user_id == identity.user_id
        change = UserChange(body.name, body.role, body.disabled)
        if change != UserChange() or not is_own_password:
            self.gate.book.check(identity, "auth.write")
        if is_own_password:
            if identity.kind is IdentityKind.TOKEN:
                raise DeniedError("a token cannot change its owner's password", hint="log in")
            await self.logins.confirm(user_id, body.current_password or Secret(""), address)
        user = await self.people.change(identity, user_id, change)
        if body.password is not None:
            await self.people.set_password(identity, user_id, body.password)
        return user

    @staticmethod
    def check_home(home: str | None) -> None:
        """Refuse to bind a user to what can be no tenant."""
        if home is not None and home != ALL_TENANTS and not is_tenant(home):
            raise InvalidError(f"{home!r} is not a tenant's name", place=Place(field="tenant"))

    def check_scopes(self, scopes: list[str]) -> tuple[str, ...]:
        """Refuse scopes that are no permissions."""
        known = self.gate.book.names()
        for scope in scopes:
            if scope not in known:
                raise InvalidError(
                    f"there is no permission {scope!r}", hint=suggest(scope, known), place=Place(field="scopes")
                )
        return tuple(scopes)

    def refuse_open(self) -> None:
        """Refuse logins where nobody has to log in."""
        if isinstance(self.gate, OpenGate):
            raise ConflictError("authentication is off", hint="start without --auth off to log in")
