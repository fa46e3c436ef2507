"""The one client for calls to other people's servers: bounded in time and size, guarded, measured, redacted.

It retries nothing: whoever calls knows whether a second try is safe (`holdfast.resilience`). Probes of `health`, which
time each phase of a connection, have their own client and share only the address policy.
"""

from __future__ import annotations

import asyncio
import errno
import os
import ssl
import time
from contextlib import aclosing
from dataclasses import replace
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Final

import httpcore
import httpx
import orjson

from holdfast import __version__, journal
from holdfast.kernel.errors import BusyError, InvalidError, TimedOutError, UnavailableError
from holdfast.kernel.http.addresses import AddressPolicy
from holdfast.kernel.http.answers import Answer, Call
from holdfast.kernel.http.encodings import ACCEPTED, BoundedDecoder
from holdfast.kernel.http.errors import AnswerTooLargeError, PeerError, PeerStatusError, TooLargeError
from holdfast.kernel.http.metrics import OutboundMetrics
from holdfast.kernel.http.network import GuardedBackend, GuardedTransport, Resolve, resolve
from holdfast.kernel.http.proxies import NO_PROXIES, Proxies
from holdfast.kernel.secrets import MASK

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from prometheus_client import CollectorRegistry

    from holdfast.kernel.http.settings import OutboundSettings
    from holdfast.kernel.secrets import Redactor

CORRELATION_HEADER: Final = "x-correlation-id"
# What another origin may still see of the caller's headers after a redirect; anything else may be a credential.
_HARMLESS: Final = {"accept", "accept-encoding", "accept-language", "content-type", "user-agent", CORRELATION_HEADER}
_REFUSALS: Final = {
    errno.ECONNREFUSED, errno.ECONNRESET, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ETIMEDOUT, errno.EADDRNOTAVAIL,
    errno.EACCES, errno.EPERM,
}  # fmt: skip
_OUTCOMES: Final[tuple[tuple[type[Exception], str], ...]] = (
    (AnswerTooLargeError, "too_large"),
    (TimedOutError, "timeout"),
    (UnavailableError, "error"),
)


class OutboundHttp:
    """Makes outbound calls; one per process, closed at its end. Nothing is opened before the first call.

    A caller with certificates or proxies of its own (`tls`, `proxies`), or who wants HTTP/2 where the other side of
    TLS offers it, keeps another one for them.
    """

    def __init__(
        self,
        settings: OutboundSettings,
        redactor: Redactor,
        *,
        registry: CollectorRegistry | None = None,
        resolve: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
        proxies: Proxies = NO_PROXIES,
        is_http2: bool = False,
    ) -> None:
        self.policy = AddressPolicy.parse(settings.allow)
        self._settings = settings
        self._redactor = redactor
        self._metrics = OutboundMetrics(registry)
        self._resolve = resolve
        self._tls = tls
        self._proxies = proxies
        self._is_http2 = is_http2
        self._client: httpx.AsyncClient | None = None

    async def get(self, url: str, *, purpose: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Fetch `url`; see `send` for the limits and errors."""
        return await self.send(Call("GET", url, purpose, headers or {}))

    async def post_json(
        self, url: str, document: object, *, purpose: str, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Post `document` as JSON; see `send` for the limits and errors."""
        sent = {"content-type": "application/json", **(headers or {})}
        return await self.send(Call("POST", url, purpose, sent, orjson.dumps(document)))

    async def send(self, call: Call) -> Answer:
        """Make one call; any status is an answer.

        Raises:
            InvalidError: the URL is not one of http or https.
            AddressRefusedError: the address, or that of a redirect, may not be reached.
            TimedOutError: no whole answer within the limit.
            AnswerTooLargeError: the answer is larger than the limit.
            UnavailableError, PeerError: nobody answers, or not in HTTP. No message holds a credential.
        """
        started = time.perf_counter()
        outcome = "refused"
        with self._metrics.in_flight.track_inprogress():
            try:
                answer = await self._send_guarded(call, started)
                outcome = f"{answer.status // 100}xx"
            except UnavailableError as error:
                outcome = next(name for kind, name in _OUTCOMES if isinstance(error, kind))
                raise
            finally:
                self._metrics.calls.labels(call.purpose, outcome).inc()
                self._metrics.duration.labels(call.purpose).observe(time.perf_counter() - started)
        return answer

    async def lines(self, call: Call) -> AsyncIterator[bytes]:
        """Give the lines of a long answer as they come, until the other side ends it or falls silent.

        `call.timeout_s` bounds the silence, `call.max_bytes` one line; nothing is decompressed, no redirect followed.

        Raises:
            PeerStatusError, PeerError: the status is not 200; a line is too long.
            InvalidError, AddressRefusedError, UnavailableError: as `send`.
        """
        plain = {"accept-encoding": "identity", **call.headers}
        request = self._build(replace(call, headers=plain))
        silence_s = call.timeout_s if call.timeout_s is not None else self._settings.read_timeout
        bounds = httpx.Timeout(silence_s, connect=self._settings.connect_timeout)
        request.extensions = {**request.extensions, "timeout": bounds.as_dict()}
        limit, where, rest = call.max_bytes or self._settings.max_answer, self._show(request.url), b""
        try:
            response = await self._open().send(request, stream=True, follow_redirects=False)
            async with aclosing(response):
                if response.status_code != 200:
                    raise PeerStatusError(
                        f"{where} answered with status {response.status_code}",
                        status=response.status_code,
                        retry_after=response.headers.get("retry-after"),
                    )
                async for chunk in response.aiter_raw():
                    *whole, rest = (rest + chunk).split(b"\n")
                    for line in whole:
                        yield line
                    if len(rest) > limit:
                        raise AnswerTooLargeError(f"a line of {where} is larger than {limit} bytes")
        except httpcore.TimeoutException as error:
            raise TimedOutError(f"{where} did not answer in time: {_name(error)}") from None
        except httpcore.ProxyError as error:
            raise UnavailableError(f"the proxy does not connect to {where}: {self._explain(error)}") from None
        except httpcore.NetworkError as error:
            raise UnavailableError(f"{where} cannot be reached: {self._explain(error)}") from None
        except (httpcore.ProtocolError, httpx.RemoteProtocolError) as error:
            raise PeerError(f"{where} does not speak HTTP as it should: {self._explain(error)}") from None

    async def aclose(self) -> None:
        """Close every connection; a call after that opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _send_guarded(self, call: Call, started: float) -> Answer:
        request = self._build(call)
        limit_s = call.timeout_s if call.timeout_s is not None else self._settings.total_timeout
        where = self._show(request.url)
        try:
            async with asyncio.timeout(limit_s):  # who asked says so: thousands may be silent at once
                return await self._follow(request, call, started)
        except TimeoutError:
            raise TimedOutError(f"{where} did not answer within {limit_s:g} s") from None
        except httpcore.PoolTimeout:
            limit = self._settings.max_connections
            raise BusyError(
                f"all {limit} outbound connections are in use", hint="raise outbound.max_connections"
            ) from None
        except httpcore.TimeoutException as error:
            raise TimedOutError(f"{where} did not answer in time: {_name(error)}") from None
        except httpcore.ProxyError as error:
            raise UnavailableError(f"the proxy does not connect to {where}: {self._explain(error)}") from None
        except httpcore.NetworkError as error:
            raise UnavailableError(f"{where} cannot be reached: {self._explain(error)}") from None
        except (httpcore.ProtocolError, httpx.RemoteProtocolError) as error:
            raise PeerError(f"{where} does not speak HTTP as it should: {self._explain(error)}") from None

    async def _follow(self, request: httpx.Request, call: Call, started: float) -> Answer:
        client = self._open()
        for _ in range(self._settings.max_redirects + 1):
            response = await client.send(request, stream=True, follow_redirects=False)
            async with aclosing(response):
                following = response.next_request if call.is_following else None
                if following is None:
                    body = await self._read(response, call.max_bytes or self._settings.max_answer)
                    return Answer(
                        response.status_code,
                        _plain(response.headers),
                        body,
                        self._show(request.url),
                        time.perf_counter() - started,
                    )
            request = self._redirect(request, following)
        raise PeerError(f"{call.method} {self._show(request.url)}: more than {self._settings.max_redirects} redirects")

    def _build(self, call: Call) -> httpx.Request:
        try:
            url = httpx.URL(call.url)
        except httpx.InvalidURL:
            raise InvalidError(f"{self._redactor.mask(call.url)!r} is not a URL") from None
        if url.scheme not in {"http", "https"} or not url.host:
            raise InvalidError(f"{self._show(url)!r} is not an http or https URL", hint="begin it with https://")
        headers = {
            "user-agent": f"holdfast/{__version__}",
            "accept": "*/*",
            "accept-encoding": ACCEPTED,
            CORRELATION_HEADER: journal.correlation_id(),
            **{name.lower(): value for name, value in call.headers.items()},
        }
        if any(not (name + value).isascii() or not (name + value).isprintable() for name, value in headers.items()):
            raise InvalidError(f"a header of the call to {self._show(url)} holds control characters or is not ASCII")
        return self._open().build_request(
            call.method,
            url,
            headers={name: value for name, value in headers.items() if value},
            content=call.body or None,
            timeout=httpx.Timeout(self._settings.read_timeout, connect=self._settings.connect_timeout),
        )

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            tls = self._tls or self._standard_tls()
            backend = GuardedBackend(self.policy, self._resolve)
            most = self._settings.max_connections
            transport = GuardedTransport(
                backend, tls, max_connections=most, proxies=self._proxies, is_http2=self._is_http2
            )
            self._client = httpx.AsyncClient(transport=transport, trust_env=False)
            # One client serves every caller: a cookie set for one must not be sent for another.
            self._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        return self._client

    def _standard_tls(self) -> ssl.SSLContext:
        tls = ssl.create_default_context()
        if self._settings.ca_file:
            tls.load_verify_locations(self._settings.ca_file)
        return tls

    async def _read(self, response: httpx.Response, limit: int) -> bytes:
        where = self._show(response.request.url)
        body = bytearray()
        try:
            decoder = BoundedDecoder(response.headers.get("content-encoding", ""), limit)
            async for chunk in response.aiter_raw():
                body += decoder.feed(chunk)
            decoder.finish()
        except TooLargeError:
            raise AnswerTooLargeError(f"the answer of {where} is larger than {limit} bytes") from None
        except InvalidError as error:
            raise PeerError(f"the answer of {where} cannot be read: {error.message}") from None
        return bytes(body)

    def _redirect(self, before: httpx.Request, following: httpx.Request) -> httpx.Request:
        if before.url.scheme == "https" and following.url.scheme == "http":
            where, there = self._show(before.url), self._show(following.url)
            raise PeerError(f"{where} redirects from https to http ({there}): not followed")
        if _origin(before.url) != _origin(following.url):
            for name in list(following.headers):
                if name not in _HARMLESS and name not in {"host", "content-length"}:
                    del following.headers[name]
        following.extensions = before.extensions
        return following

    def _show(self, url: httpx.URL) -> str:
        """Give `url` for people: without credentials and query, and whatever of it is a secret masked."""
        whole = self._redactor.mask(str(url)).replace(f"{MASK}@", "")
        return whole.partition("?")[0].partition("#")[0]

    def _explain(self, error: Exception) -> str:
        return self._redactor.mask(_refusal(error) or str(error)) or _name(error)


def _refusal(error: BaseException | None) -> str:
    """Give what the system said to a connection, such as `connection refused`; others say only that it failed."""
    while error is not None:
        if isinstance(error, BaseExceptionGroup):  # one for each address of the name
            return ", ".join(dict.fromkeys(filter(None, map(_refusal, error.exceptions))))
        if isinstance(error, ssl.SSLError):  # its numbers are OpenSSL's, and its words say it
            return ""
        if isinstance(error, OSError) and error.errno in _REFUSALS:
            return os.strerror(error.errno).lower()
        error = error.__cause__ or error.__context__
    return ""


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _plain(headers: httpx.Headers) -> httpx.Headers:
    plain = httpx.Headers(headers)
    for name in ("content-encoding", "content-length", "transfer-encoding"):
        plain.pop(name, None)
    return plain


def _name(error: Exception) -> str:
    return type(error).__name__
