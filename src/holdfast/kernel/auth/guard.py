"""The dependency that stands before every route: who asks, and may they?

A route says `Annotated[Identity, Depends(requires("health.read"))]`; which gate answers is the app's matter. `web`
refuses to start with a route that neither asks for a permission nor says, with `public`, why it does not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextvars import ContextVar
from typing import Final, Protocol

from fastapi import FastAPI
from fastapi.requests import HTTPConnection

from holdfast.kernel.auth.identity import Identity
from holdfast.kernel.errors import DeniedError, HoldfastError
from holdfast.kernel.permissions import Permission

SESSION_COOKIE: Final = "holdfast_session"
PERMISSION_MARK: Final = "holdfast_permission"
PUBLIC_MARK: Final = "holdfast_public"
ADMITTED: Final = "holdfast.admitted"  # a list in the scope of a request, for whoever wants to know who was let in
_ASKING: Final[ContextVar[Identity | None]] = ContextVar("holdfast_asking", default=None)

# As OpenAPI describes them. FastAPI's own classes for this would be resolved anew with every request.
SECURITY_SCHEMES: Final[dict[str, dict[str, str]]] = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": SESSION_COOKIE,
        "description": "The console's session. Changing requests also send X-CSRF-Token, as GET /session gives it.",
    },
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "hf_",
        "description": "An API token: hf_<id>_<secret>.",
    },
}


def guards(route: object) -> tuple[set[str], bool]:
    """Give the permissions that a FastAPI route asks for, and whether it says that it is public."""
    calls = [each.call for each in route.dependant.dependencies]  # type: ignore[attr-defined]  # APIRoute has it
    asked = {mark for call in calls if (mark := getattr(call, PERMISSION_MARK, None))}
    return asked, any(hasattr(call, PUBLIC_MARK) for call in calls)


class PermissionBook:
    """What the rooms' permissions ask for; complete before the first request."""

    def __init__(self) -> None:
        self._declared: dict[str, Permission] = {}

    def declare(self, permissions: Iterable[Permission]) -> None:
        """Add permissions."""
        self._declared |= {permission.name: permission for permission in permissions}

    def names(self) -> list[str]:
        """Give all names."""
        return sorted(self._declared)

    def held_by(self, identity: Identity) -> list[str]:
        """Give the names of those that `identity` holds."""
        return sorted(name for name, permission in self._declared.items() if identity.holds(permission))

    def check(self, identity: Identity, name: str) -> None:
        """Refuse who does not hold the permission.

        Raises:
            DeniedError: the message says what is missing.
        """
        asked = self._declared[name]
        if not identity.holds(asked):
            missing = f"the scope {name}" if identity.role.covers(asked.role) else f"the role {asked.role}"
            raise DeniedError(f"this needs {missing}", hint=asked.summary)


class Gate(Protocol):
    """Knows who is behind a request and what they may do."""

    book: PermissionBook

    async def admit(self, request: HTTPConnection, permission: str) -> Identity:
        """Give who asks, if they hold `permission`.

        Raises:
            UnauthenticatedError: nobody we know.
            DeniedError: somebody who may not, or a request that another site forged.
        """
        ...


def requires(permission: str) -> Callable[..., Awaitable[Identity]]:
    """Build the dependency that lets only holders of `permission` in, and gives their identity."""

    async def admit(request: HTTPConnection) -> Identity:
        gate: Gate = request.app.state.gate
        identity = await gate.admit(request, permission)
        _ASKING.set(identity)
        told: list[Identity] | None = request.scope.get(ADMITTED)
        if told is not None:
            told.append(identity)
        return identity

    setattr(admit, PERMISSION_MARK, permission)
    return admit


def asking() -> Identity | None:
    """Give who asks, within the request that `requires` has let in; None where no request is being answered."""
    return _ASKING.get()


def asks(permission: str) -> Callable[..., Awaitable[Identity | HoldfastError]]:
    """Build the dependency that gives the identity of a holder of `permission`, or why it lets nobody in.

    For routes that answer a refusal in the words of their protocol, such as a WebSocket before it is opened.
    """
    admit = requires(permission)

    async def ask(request: HTTPConnection) -> Identity | HoldfastError:
        try:
            return await admit(request)
        except HoldfastError as error:
            return error

    setattr(ask, PERMISSION_MARK, permission)
    return ask


def public(reason: str) -> Callable[[], Awaitable[None]]:
    """Build the dependency that marks a route as open to everybody, and says why it may be."""

    async def admit() -> None:
        """Let everybody in."""

    setattr(admit, PUBLIC_MARK, reason)
    return admit


def install(app: FastAPI, gate: Gate) -> None:
    """Let `gate` answer for every route of `app`."""
    app.state.gate = gate
