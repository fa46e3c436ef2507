"""Who is asking: the plain answer of every gate, safe to pass anywhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from holdfast.kernel.ids import DEFAULT_TENANT, TenantId
from holdfast.kernel.permissions import Permission, Role


class IdentityKind(StrEnum):
    """How somebody proved who they are.

    `anonymous` is everybody while authentication is off; `command` is who may write to the data folder itself.
    """

    USER = "user"
    TOKEN = "token"  # noqa: S105 - the word, not a secret
    ANONYMOUS = "anonymous"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody who may use Holdfast.

    Attributes:
        id: of the user or the token.
        name: as people know it.
        role: what it may do at most.
        tenant: the tenant that this request is about.
        kind: how it proved itself.
        user_id: the person behind it; empty when anonymous.
        home: the tenant that it is bound to; `*` for all.
        scopes: the only permissions that a token has; empty for all of the role's.
        session_id: of a user's session, else empty.
        expires_at: when the session or token ends unless it is used; None when anonymous.
    """

    id: str
    name: str
    role: Role
    tenant: TenantId = DEFAULT_TENANT
    kind: IdentityKind = IdentityKind.USER
    user_id: str = ""
    home: str = "*"
    scopes: frozenset[str] = frozenset()
    session_id: str = ""
    expires_at: datetime | None = None

    @property
    def actor(self) -> str:
        """Give the name under which events record what this identity did."""
        return "anonymous" if self.kind is IdentityKind.ANONYMOUS else f"{self.kind}/{self.id}"

    def within(self, tenant: TenantId) -> Identity:
        """Give the same one, asking about that tenant."""
        return self if tenant == self.tenant else replace(self, tenant=tenant)

    def holds(self, permission: Permission) -> bool:
        """Tell whether it may do that."""
        return self.role.covers(permission.role) and (not self.scopes or permission.name in self.scopes)


COMMAND_LINE = Identity(id="local", name="command line", role=Role.ADMIN, kind=IdentityKind.COMMAND)
ANONYMOUS = Identity(id="anonymous", name="anonymous", role=Role.ADMIN, kind=IdentityKind.ANONYMOUS)
