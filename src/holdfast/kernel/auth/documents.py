"""The JSON bodies of `/session`, `/setup`, `/users` and `/tokens`. Passwords come in as secrets and never go out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from holdfast.kernel.permissions import Role
from holdfast.kernel.secrets import Secret

if TYPE_CHECKING:
    from holdfast.kernel.auth.people import User
    from holdfast.kernel.auth.tokens import Token

Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LoginBody(_Body):
    """Who logs in."""

    name: Name
    password: Secret


class SetupBody(_Body):
    """The first administrator, with the token of the one-time link."""

    token: Secret
    name: Name
    password: Secret


class UserBody(_Body):
    """A new user; `tenant` binds them to one, `*` to all, and without it they belong where their maker does."""

    name: Name
    role: Role
    password: Secret
    tenant: Annotated[str, Field(max_length=150)] | None = None


class UserPatch(_Body):
    """What to change; what is left out stays. Changing the own password asks for the current one."""

    name: Name | None = None
    role: Role | None = None
    disabled: bool | None = None
    password: Secret | None = None
    current_password: Secret | None = None


class TokenBody(_Body):
    """A new token: by default as powerful as its maker, and lasting as long as the settings say."""

    name: Name
    role: Role | None = None
    scopes: Annotated[list[str], Field(max_length=100)] = []
    expires_at: AwareDatetime | None = None


@dataclass(frozen=True, slots=True)
class Somebody:
    """Who is logged in."""

    id: str
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class SessionDocument:
    """The session: who, in which tenant, until when, and what they may do.

    `csrf_token` goes into the header `X-CSRF-Token` of every changing request that the session's cookie is sent with.
    """

    user: Somebody
    tenant: str
    csrf_token: str
    expires_at: datetime | None
    permissions: list[str]


@dataclass(frozen=True, slots=True)
class SetupDocument:
    """Whether the first administrator is still to be made."""

    required: bool


@dataclass(frozen=True, slots=True)
class UserDocument:
    """A user; `tenant` is the one that they are bound to, `*` for all."""

    id: str
    name: str
    role: Role
    tenant: str
    disabled: bool
    created_at: datetime
    last_seen_at: datetime | None

    @classmethod
    def of(cls, user: User) -> UserDocument:
        """Show a user."""
        return cls(user.id, user.name, user.role, user.home, user.is_disabled, user.created_at, user.last_seen_at)


@dataclass(frozen=True, slots=True)
class UserList:
    """All users that the caller may see."""

    items: list[UserDocument]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class TokenDocument:
    """An API token; its secret is shown only when it is made. It can do no more than its maker can."""

    id: str
    name: str
    created_by: str
    role: Role
    tenant: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None

    @classmethod
    def of(cls, token: Token, **more: str) -> Self:
        """Show a token."""
        return cls(
            id=token.id,
            name=token.name,
            created_by=token.owner,
            role=token.role,
            tenant=token.home,
            scopes=list(token.scopes),
            created_at=token.created_at,
            expires_at=token.expires_at,
            last_used_at=token.last_used_at,
            **more,
        )


@dataclass(frozen=True, slots=True)
class TokenList:
    """Tokens, newest first."""

    items: list[TokenDocument]
    next: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTokenDocument(TokenDocument):
    """A token just made. `secret` is the whole of it; nobody can show it again."""

    secret: str
