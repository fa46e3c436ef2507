"""Which proxy carries a call, decided origin by origin as Go's `httpproxy` does, so that one file means the same here.

Says nothing of where the words come from: a section of a file, or the environment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

import httpx

from holdfast.kernel.errors import InvalidError

_VARIABLES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")  # or in small letters
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies of a client; none by default.

    Attributes:
        http: the URL of the proxy for http, credentials in it if it wants them.
        https: the same for https, asked with CONNECT.
        spared: hosts that are called directly, as `NO_PROXY` names them: names with what is below them (`.name`: only
            what is below), addresses, networks, each with a port if it is meant for one; `*` for all.
        spares_loopback: whether this machine is called directly too, as it is wherever hosts can be spared.
        connect_headers: what CONNECT sends besides.
    """

    http: str = ""
    https: str = ""
    spared: str = ""
    spares_loopback: bool = False
    connect_headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of_environment(cls, variables: Mapping[str, str]) -> Proxies:
        """Give the proxies that the usual variables name."""
        http, https, spared = (variables.get(name) or variables.get(name.lower(), "") for name in _VARIABLES)
        return cls(http, https, spared, spares_loopback=True)

    def url(self, scheme: str, host: str, port: int | None = None) -> httpx.URL | None:
        """Give the proxy for an origin, or None if it is called directly.

        Raises:
            InvalidError: what stands there is no URL of http or https; the message does not hold it.
        """
        chosen = self.https if scheme == "https" else self.http
        host = host.strip("[]").lower()
        if not chosen or (self.spares_loopback and _is_loopback(host)):
            return None
        if _is_spared(host, port or _PORTS.get(scheme, 0), self.spared):
            return None
        return proxy_url(chosen)


NO_PROXIES: Final = Proxies()


def proxy_url(text: str) -> httpx.URL:
    """Read the URL of a proxy; `host:port` alone is one of http.

    Raises:
        InvalidError: it is no URL of http or https; the message does not hold it, for it may hold a password.
    """
    try:
        url = httpx.URL(text if "://" in text else f"http://{text}")
    except httpx.InvalidURL:
        raise InvalidError("the URL of the proxy is none", hint="write http://host:port") from None
    if url.scheme not in _PORTS or not url.host:
        hint = "proxies are spoken to by http or https"
        raise InvalidError(f"a proxy cannot be spoken to by {url.scheme!r}", hint=hint)
    return url


def _is_loopback(host: str) -> bool:
    return host == "localhost" or any(address.is_loopback for address in _addresses(host))


def _is_spared(host: str, port: int, spared: str) -> bool:
    words = [word for word in (part.strip().lower() for part in spared.split(",")) if word]
    return "*" in words or any(_matches(word, host, port) for word in words)


def _matches(word: str, host: str, port: int) -> bool:
    own = next(_addresses(host), None)
    if "/" in word:
        try:
            return own is not None and own in ip_network(word, strict=False)
        except ValueError:
            return False
    name, meant = _split_port(word)
    if not name or (meant and meant != str(port)):
        return False
    address = next(_addresses(name), None)
    if address is not None:
        return own == address
    name = name.removeprefix("*") if name.startswith("*.") else name
    return host.endswith(name if name.startswith(".") else f".{name}") or host == name


def _split_port(word: str) -> tuple[str, str]:
    if word.startswith("["):
        name, _, port = word[1:].partition("]")
        return name, port.removeprefix(":")
    if word.count(":") == 1:
        name, _, port = word.partition(":")
        return name, port
    return word, ""


def _addresses(host: str) -> Iterator[IPv4Address | IPv6Address]:
    try:
        yield ip_address(host)
    except ValueError:
        return
