"""Makes an address fit for messages and logs: no credentials, no values of query fields that look secret."""

from __future__ import annotations

import re
from typing import Final

import httpx

MASK: Final = "***"
SECRET_NAME: Final = re.compile(
    r"pass|secret|credential|auth|cookie|(api|access|private|signing)[_-]?key|^key$|(^|[_-])(pwd|jwt|otp|pin|sig|code)"
    r"([_-]|$)|signature|token|session",
    re.IGNORECASE,
)


def redact_url(url: httpx.URL) -> str:
    """Give `url` without credentials, with secrets in its query as `***`."""
    plain = url.copy_with(userinfo=b"", fragment=None, query=None)
    if not url.query:
        return str(plain)
    fields = (f"{name}={MASK if SECRET_NAME.search(name) else value}" for name, value in url.params.multi_items())
    return f"{plain}?{'&'.join(fields)}"


def redact_headers(headers: httpx.Headers) -> dict[str, str]:
    """Give headers for a log: those that look secret as `***`."""
    return {name: MASK if SECRET_NAME.search(name) else value for name, value in headers.items()}
