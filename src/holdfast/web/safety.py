"""Headers that make browsers careful, and the check of the name under which we were called.

JSON goes without those that browsers heed on pages only: each costs a small answer some microseconds.
The host check stops DNS rebinding: a page of another site whose name suddenly points at this machine still sends its
own name in `Host`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from holdfast.kernel.errors import DeniedError
from holdfast.web.asgi import header, send_problem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from holdfast.web.asgi import AsgiApp, Headers, Message, Receive, Scope, Send

LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
API_POLICY: Final = b"default-src 'none'; frame-ancestors 'none'"
_DATA: Final = b"application/json"
_OF_DATA: Final[Headers] = [(b"x-content-type-options", b"nosniff"), (b"cross-origin-resource-policy", b"same-origin")]
_OF_PAGES: Final[Headers] = [
    *_OF_DATA,
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
]
_REMEMBERED: Final = 64  # names that were looked at
_HSTS: Final = (b"strict-transport-security", b"max-age=31536000")


class SafeHeaders:
    """Adds the headers to every answer, which may bring its own rules for caching and content."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request."""
        if scope["type"] not in {"http", "websocket"}:
            return self._app(scope, receive, send)
        is_secure = scope.get("scheme") in {"https", "wss"}

        def send_safely(message: Message) -> Awaitable[None]:
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                message = {**message, "headers": _safe(message.get("headers", []), is_secure=is_secure)}
            return send(message)

        return self._app(scope, receive, send_safely)


def _safe(own: Headers, *, is_secure: bool) -> Headers:
    headers = [*own, *(_OF_DATA if header(own, b"content-type") == _DATA else _OF_PAGES)]
    if header(own, b"content-security-policy") is None:
        headers.append((b"content-security-policy", API_POLICY))
    if header(own, b"cache-control") is None:
        headers.append((b"cache-control", b"no-store"))
    if is_secure:
        headers.append(_HSTS)
    return headers


class KnownHosts:
    """Answers only to the given names; with none given, to every name."""

    def __init__(self, app: AsgiApp, names: Iterable[str]) -> None:
        self._app = app
        self._names = frozenset(name.lower() for name in names)
        self._knows = lru_cache(_REMEMBERED)(self._judge)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request."""
        is_asking = scope["type"] in {"http", "websocket"}
        if is_asking and self._names and not self._knows(header(scope["headers"], b"host") or b""):
            error = DeniedError(
                "this server does not answer to the name in the Host header",
                hint="use localhost, or add the name to server.allowed_hosts",
            )
            return send_problem(send, error)
        return self._app(scope, receive, send)

    def _judge(self, sent: bytes) -> bool:
        host = sent.decode("latin-1").lower()
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        return name.rstrip(".") in self._names or name.endswith(".localhost")


def hosts_to_answer(listen_host: str, allowed: Iterable[str]) -> frozenset[str]:
    """Give the names to answer to: on loopback its own and the allowed ones, elsewhere the allowed ones or all."""
    names = frozenset(allowed)
    return names | LOOPBACK_NAMES if is_loopback(listen_host) else names


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach a server that listens on `host`."""
    return host.startswith("127.") or host in {"localhost", "::1", "[::1]"}
