"""Who we are to the other party: a password, a token, a key, a signature. All work in async and in plain clients.

Secrets stand in no `repr`. Client credentials of OAuth 2 are in `oauth`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import inspect
from typing import TYPE_CHECKING, Any, Final

import httpx

from holdfast.resilience.http.tokens import SharedToken

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator

    from holdfast.resilience.clocks import Clock

__all__ = ["ApiKey", "Basic", "Bearer", "HmacSigning"]


class _Auth(httpx.Auth):
    def __repr__(self) -> str:
        """Name the method only."""
        return f"{type(self).__name__}(***)"


class Basic(_Auth):
    """A name and a password (RFC 7617), in UTF-8."""

    def __init__(self, name: str, password: str) -> None:
        if ":" in name:
            raise ValueError("a name for basic authentication cannot hold a colon (RFC 7617)")
        self._value = "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode("ascii")

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send them with each request."""
        request.headers["Authorization"] = self._value
        yield request


class ApiKey(_Auth):
    """A key in a header, or in a field of the query where the other party knows no better."""

    def __init__(self, key: str, *, header: str = "X-API-Key", query: str = "") -> None:
        self._key = key
        self._header = header
        self._query = query

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send it with each request."""
        if self._query:
            request.url = request.url.copy_set_param(self._query, self._key)
        else:
            request.headers[self._header] = self._key
        yield request


class Bearer(_Auth):
    """A token (RFC 6750), given once or fetched; a fetched one is fetched again, once, when an answer is 401.

    `fetch` may be async where the client is. However many calls wait for a token, one fetches it.
    """

    def __init__(self, token: str = "", *, fetch: Callable[[], str | Awaitable[str]] | None = None) -> None:
        if bool(token) == (fetch is not None):
            raise ValueError("give a token, or a function that fetches one")
        self._fetch = fetch
        self._tokens = SharedToken(token)

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the token; fetch another when it is refused."""
        token = self._get()
        response = yield self._mark(request, token)
        if response.status_code == 401 and self._fetch is not None:
            self._tokens.forget(token)
            yield self._mark(request, self._get())

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send the token; fetch another when it is refused."""
        token = await self._get_async()
        response = yield self._mark(request, token)
        if response.status_code == 401 and self._fetch is not None:
            self._tokens.forget(token)
            yield self._mark(request, await self._get_async())

    @staticmethod
    def _mark(request: httpx.Request, token: str) -> httpx.Request:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    def _get(self) -> str:
        with self._tokens.guard:
            if not self._tokens.value:
                fetched: Any = self._fetch() if self._fetch else ""
                if inspect.isawaitable(fetched):
                    raise TypeError("this client is not async: `fetch` has to give the token itself")
                self._tokens.value = fetched
            return self._tokens.value

    async def _get_async(self) -> str:
        async with self._tokens.async_guard():
            if not self._tokens.value:
                fetched: Any = self._fetch() if self._fetch else ""
                self._tokens.value = await fetched if inspect.isawaitable(fetched) else fetched
            return self._tokens.value


DATE: Final = "X-Date"
DIGEST: Final = "X-Content-SHA256"


class HmacSigning(_Auth):
    """Signs method, path with query, host, time and body with a shared key (HMAC-SHA256, RFC 2104).

    The signed text is these five on lines of their own: `METHOD`, `host`, `path?query`, X-Date, X-Content-SHA256 (hex).
    The other side has to refuse old dates, or a recorded request can be sent again.
    """

    requires_request_body = True

    def __init__(self, key_id: str, secret: str, *, clock: Clock, header: str = "Authorization") -> None:
        self._key_id = key_id
        self._secret = secret.encode()
        self._clock = clock
        self._header = header

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign each attempt anew, so that its date is right."""
        date = self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        digest = hashlib.sha256(request.content).hexdigest()
        host, target = request.url.netloc.decode("ascii"), request.url.raw_path.decode("ascii")
        text = f"{request.method}\n{host}\n{target}\n{date}\n{digest}"
        signature = hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()
        request.headers[DATE] = date
        request.headers[DIGEST] = digest
        request.headers[self._header] = f"HMAC-SHA256 keyId={self._key_id}, signature={signature}"
        yield request
