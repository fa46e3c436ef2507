"""People and tokens: who they are, what they may do, and how they prove it.

Owns users, sessions, API tokens, the first administrator, throttling of logins and the `requires` dependency. Refuses
to know what the permissions mean: rooms declare them.
"""

from holdfast.kernel.auth.direct import Handler, direct
from holdfast.kernel.auth.guard import (
    ADMITTED,
    SECURITY_SCHEMES,
    SESSION_COOKIE,
    Gate,
    PermissionBook,
    asking,
    asks,
    guards,
    install,
    public,
    requires,
)
from holdfast.kernel.auth.identity import ANONYMOUS, COMMAND_LINE, Identity, IdentityKind
from holdfast.kernel.auth.opengate import OpenGate
from holdfast.kernel.auth.settings import SECTION, AuthSettings
from holdfast.kernel.auth.wiring import Auth, wire
from holdfast.kernel.permissions import Permission, Role

__all__ = [
    "ADMITTED",
    "ANONYMOUS",
    "COMMAND_LINE",
    "SECTION",
    "SECURITY_SCHEMES",
    "SESSION_COOKIE",
    "Auth",
    "AuthSettings",
    "Gate",
    "Handler",
    "Identity",
    "IdentityKind",
    "OpenGate",
    "Permission",
    "PermissionBook",
    "Role",
    "asking",
    "asks",
    "direct",
    "guards",
    "install",
    "public",
    "requires",
    "wire",
]
