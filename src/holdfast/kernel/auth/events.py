"""The event kinds of people and tokens: the audit trail of access."""

from __future__ import annotations

from typing import Final

from holdfast.kernel.events import EventKind

ADMINISTRATOR_CREATED: Final = EventKind(
    "auth.administrator_created", "The first administrator was made by the setup link."
)
LOGIN: Final = EventKind("auth.login", "Somebody logged in.")
LOGIN_FAILED: Final = EventKind("auth.login_failed", "A login was refused: the name or the password is wrong.")
THROTTLED: Final = EventKind("auth.throttled", "Logins of an account or from an address were slowed down.")
LOGOUT: Final = EventKind("auth.logout", "Somebody logged out.")
SESSIONS_ENDED: Final = EventKind("auth.sessions_ended", "All sessions of a user were ended.")
USER_CREATED: Final = EventKind("auth.user_created", "A user was created.")
USER_CHANGED: Final = EventKind("auth.user_changed", "A user's name, role, tenant or state was changed.")
USER_REMOVED: Final = EventKind("auth.user_removed", "A user was removed, with their sessions and tokens.")
PASSWORD_CHANGED: Final = EventKind("auth.password_changed", "A user's password was changed.")
TOKEN_CREATED: Final = EventKind("auth.token_created", "An API token was made.")
TOKEN_REVOKED: Final = EventKind("auth.token_revoked", "An API token was revoked.")

KINDS: Final = (
    ADMINISTRATOR_CREATED,
    LOGIN,
    LOGIN_FAILED,
    THROTTLED,
    LOGOUT,
    SESSIONS_ENDED,
    USER_CREATED,
    USER_CHANGED,
    USER_REMOVED,
    PASSWORD_CHANGED,
    TOKEN_CREATED,
    TOKEN_REVOKED,
)
