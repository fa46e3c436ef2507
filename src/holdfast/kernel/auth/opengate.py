"""The gate of `--auth off`: everybody is an administrator, so only pages of our own origin may change anything.

The app refuses to start with it on anything but loopback.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.kernel.auth.guard import PermissionBook
from holdfast.kernel.auth.identity import ANONYMOUS, Identity
from holdfast.kernel.auth.requests import read_tenant, refuse_foreign_origin
from holdfast.kernel.ids import DEFAULT_TENANT

if TYPE_CHECKING:
    from fastapi.requests import HTTPConnection


class OpenGate:
    """Lets everybody in as the anonymous administrator."""

    def __init__(self) -> None:
        self.book = PermissionBook()

    async def admit(self, request: HTTPConnection, permission: str) -> Identity:  # noqa: ARG002 - a gate's signature
        """Give the anonymous administrator, in the tenant that the request names."""
        refuse_foreign_origin(request)
        return ANONYMOUS.within(read_tenant(request) or DEFAULT_TENANT)
