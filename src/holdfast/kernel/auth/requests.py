"""What a request says of its sender: credentials, tenant, origin. Reads headers only; believes nothing yet."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from holdfast.kernel.errors import DeniedError, InvalidError, Place
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId

if TYPE_CHECKING:
    from fastapi.requests import HTTPConnection

TENANT_HEADER: Final = "x-scope-orgid"
_TENANT: Final = TENANT_HEADER.encode()  # as it stands in a scope; `request.headers` takes ten times as long
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
TENANT_PATTERN: Final = re.compile(r"[A-Za-z0-9!._*'()-]{1,150}")  # the rule of Mimir and Loki


def read_tenant(request: HTTPConnection) -> TenantId | None:
    """Give the tenant that the request names, or None.

    Raises:
        InvalidError: the header holds no tenant's name.
    """
    sent = next((value for name, value in request.scope["headers"] if name == _TENANT), None)
    if sent is None:
        return None
    text = sent.decode("latin-1")
    if not is_tenant(text):
        raise InvalidError(
            "X-Scope-OrgID does not hold a tenant's name",
            hint=f"1 to 150 letters, digits or !-_.*'(); leave it out for {DEFAULT_TENANT!r}",
            place=Place(field="header.X-Scope-OrgID"),
        )
    return TenantId(text)


def is_tenant(text: str) -> bool:
    """Tell whether `text` can be a tenant's name."""
    return TENANT_PATTERN.fullmatch(text) is not None and text not in {".", "..", "*"}


def read_token(request: HTTPConnection) -> str | None:
    """Give the API token of the request: a bearer token, or the password of basic authentication."""
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    value = value.strip()
    if kind.lower() == "bearer":
        return value
    if kind.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return value if kind else None


def is_reading(request: HTTPConnection) -> bool:
    """Tell whether it is a request that changes nothing; a WebSocket is not, for browsers open it for any site."""
    return request.scope.get("method") in SAFE_METHODS


def refuse_foreign_origin(request: HTTPConnection) -> None:
    """Refuse a changing request, or a WebSocket, that a browser sent for another site.

    Browsers name the page's origin (RFC 6454) or its relation to us (Fetch Metadata); other programs send neither.

    Raises:
        DeniedError: the request comes from another site.
    """
    if is_reading(request):
        return
    origin = request.headers.get("origin")
    is_own = origin is None or urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()
    site = request.headers.get("sec-fetch-site", "none")
    if not is_own or (origin is None and site not in {"same-origin", "none"}):
        raise DeniedError(
            f"this request was sent by another site ({origin or site})", hint="use the console or an API token"
        )
