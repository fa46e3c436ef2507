"""HTTP URLs as check files write them and as redirects send them: parsed once, refused early."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import quote, urljoin, urlsplit

from pydantic import AfterValidator

from holdfast.health.probes.network import Endpoint, Family

_PORTS: Final = {"http": 80, "https": 443}
_SAFE: Final = "/?:@!$&'()*+,;=-._~%[]"
_FORBIDDEN: Final = re.compile(r"[\x00-\x20\x7f\\]")


@dataclass(frozen=True, slots=True)
class Url:
    """The parts of an HTTP URL that a request needs."""

    is_tls: bool
    host: str
    port: int
    target: str
    authority: str

    def __str__(self) -> str:
        """Give the URL without its query: queries carry tokens."""
        return f"http{'s' if self.is_tls else ''}://{self.authority}{self.target.partition('?')[0]}"

    @property
    def origin(self) -> tuple[bool, str, int]:
        """What a credential belongs to: scheme, host and port."""
        return (self.is_tls, self.host, self.port)

    def endpoint(self, family: Family) -> Endpoint:
        """Give where to connect."""
        return Endpoint(self.host, self.port, family)

    def join(self, path: str) -> Url:
        """Give the URL of `path` below this one: a base of `/es/` and `_cluster/health` give `/es/_cluster/health`.

        A query of the base is dropped.
        """
        base = self.target.partition("?")[0].rstrip("/")
        return Url(self.is_tls, self.host, self.port, f"{base}/{path.lstrip('/')}", self.authority)

    def follow(self, location: str) -> Url:
        """Give the URL that a `Location` header points to.

        Raises:
            ValueError: it is no HTTP URL.
        """
        base = f"http{'s' if self.is_tls else ''}://{self.authority}{self.target}"
        return parse_url(urljoin(base, location.strip()))


def parse_url(text: str) -> Url:
    """Parse an absolute http or https URL.

    Raises:
        ValueError: it is not one, or it carries credentials.
    """
    if _FORBIDDEN.search(text):
        raise ValueError("a URL has no spaces, control characters or backslashes")
    parts = urlsplit(text)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("expected a URL such as https://example.org/health")
    if "@" in parts.netloc:
        raise ValueError("a URL must not carry credentials: write them under auth")
    host = _ascii_host(parts.hostname)
    port = parts.port or _PORTS[parts.scheme]
    path = quote(parts.path or "/", safe=_SAFE)
    target = f"{path}?{quote(parts.query, safe=_SAFE)}" if parts.query else path
    shown = f"[{host}]" if ":" in host else host
    authority = shown if port == _PORTS[parts.scheme] else f"{shown}:{port}"
    return Url(parts.scheme == "https", host, port, target, authority)


def _ascii_host(host: str) -> str:
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        raise ValueError(f"{host!r} is not a valid host name") from None


def _check(text: str) -> str:
    parse_url(text)
    return text


UrlText = Annotated[str, AfterValidator(_check)]
"""A field that takes an absolute http or https URL without credentials."""
