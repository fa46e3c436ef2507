"""Which pages of other sites may read answers in a browser (CORS): the headers, and the answer to a preflight.

Cookies are never allowed along, so that a page needs a token of its own; where nobody needs one (authentication is
off), only pages of this machine may read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fastapi import Response

if TYPE_CHECKING:
    from fastapi import Request

ANY: Final = "*"
_LOOPBACK: Final = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")
_HEADERS: Final = {
    "Access-Control-Allow-Headers": "Accept, Authorization, Content-Type, Origin, X-Scope-OrgID",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Expose-Headers": "Date",
    "Vary": "Origin",
}


@dataclass(frozen=True, slots=True)
class Origins:
    """The origins whose pages may read; `*` for all."""

    allowed: tuple[str, ...]
    allows_loopback: bool = True

    def headers_for(self, request: Request) -> dict[str, str]:
        """Give the headers for the page that asks; none if it may not read."""
        sent = next((value for name, value in request.scope["headers"] if name == b"origin"), b"")
        origin = sent.decode("latin-1")
        if not origin or not self._may_read(origin):
            return {}
        return {**_HEADERS, "Access-Control-Allow-Origin": origin}

    def _may_read(self, origin: str) -> bool:
        if ANY in self.allowed or origin in self.allowed:
            return True
        return self.allows_loopback and _LOOPBACK.fullmatch(origin) is not None


async def preflight() -> Response:
    """Answer a browser that asks whether it may ask; the headers are added to every answer."""
    return Response(status_code=204)
