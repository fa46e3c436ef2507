"""The last step of an outbound call: look the name up, judge every address, connect to one that was judged.

The address that is checked is the address that is connected to, so a name that answers differently the second time
(DNS rebinding) gains nothing. TLS still verifies the name, because httpcore takes it from the URL.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

import httpcore
import httpx

from holdfast.kernel.errors import UnavailableError
from holdfast.kernel.http.connections import IDLE_S, Connections, Leave
from holdfast.kernel.http.errors import AddressRefusedError
from holdfast.kernel.http.proxies import Proxies
from holdfast.resilience import timeout as timeout_of

if TYPE_CHECKING:
    from holdfast.kernel.http.addresses import AddressPolicy

Resolve = Callable[[str, int], Awaitable[list[str]]]

SHORTEST_ATTEMPT_S: Final = 0.25
_MOST_IDLE: Final = 8  # connections to one origin


async def resolve(host: str, port: int) -> list[str]:
    """Give the addresses of `host`, in the system's order of preference, each once."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnavailableError(f"the name {host!r} cannot be resolved: {reason}") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens TCP connections to addresses that the policy lets pass, and nothing else."""

    def __init__(self, policy: AddressPolicy, resolve: Resolve = resolve) -> None:
        self._policy = policy
        self._resolve = resolve
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first judged address that answers; later ones are tried when it does not.

        Raises:
            AddressRefusedError: none of the addresses may be reached.
            UnavailableError: the name does not resolve.
            httpcore.ConnectError, httpcore.ConnectTimeout: nobody answers.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (timeout if timeout is not None else 60.0)
        try:
            async with timeout_of(max(0.001, deadline - loop.time())):
                addresses = await self._resolve(host.strip("[]"), port)
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"looking up {host} took too long") from None
        usable = self._usable(host, addresses)
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for left, address in zip(range(len(usable), 0, -1), usable, strict=True):
            share_s = max(SHORTEST_ATTEMPT_S, (deadline - loop.time()) / left)
            try:
                return _alive(await self._inner.connect_tcp(address, port, share_s, local_address, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def _usable(self, host: str, addresses: list[str]) -> list[str]:
        usable, refusals = [], []
        for address in addresses:
            try:
                self._policy.check(host, address)
            except AddressRefusedError as error:
                refusals.append(error)
            else:
                usable.append(address)
        if refusals and not usable:
            raise refusals[0]
        return usable

    async def sleep(self, seconds: float) -> None:
        """Wait between httpcore's own retries, which are off."""
        await asyncio.sleep(seconds)


def _alive(stream: httpcore.AsyncNetworkStream) -> httpcore.AsyncNetworkStream:
    """Refuse a connection that was reset while it was made: uvloop has no socket of it any more, and anyio asks it."""
    try:
        stream.get_extra_info("server_addr")
    except AttributeError:
        raise httpcore.ConnectError("reset as soon as it was made") from None
    return stream


class GuardedTransport(httpx.AsyncBaseTransport):
    """httpx over httpcore's connections, which are guarded; httpx's own transport cannot be given a backend."""

    def __init__(
        self,
        backend: httpcore.AsyncNetworkBackend,
        tls: ssl.SSLContext,
        *,
        max_connections: int,
        proxies: Proxies,
        is_http2: bool,
    ) -> None:
        def make_pool(origin: httpcore.Origin) -> httpcore.AsyncConnectionPool:
            return httpcore.AsyncConnectionPool(
                ssl_context=tls,
                http2=is_http2,
                proxy=_proxy(proxies, origin, tls),
                max_connections=max_connections,
                max_keepalive_connections=min(_MOST_IDLE, max_connections),
                keepalive_expiry=IDLE_S,
                network_backend=backend,
            )

        self._connections = Connections(make_pool, most_calls=max_connections)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request and give the answer with its body still to be read."""
        assert isinstance(request.stream, httpx.AsyncByteStream)
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        answer, leave = await self._connections.send(
            httpcore.Request(
                request.method,
                url,
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Body(answer.stream, leave), extensions=answer.extensions
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._connections.aclose()


def _proxy(proxies: Proxies, origin: httpcore.Origin, tls: ssl.SSLContext) -> httpcore.Proxy | None:
    scheme = origin.scheme.decode("ascii")
    url = proxies.url(scheme, origin.host.decode("ascii"), origin.port)
    if url is None:
        return None
    return httpcore.Proxy(
        httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=b"/"),
        auth=(url.username, url.password) if url.userinfo else None,
        headers=list(proxies.connect_headers) if scheme == "https" else None,
        ssl_context=tls if url.scheme == "https" else None,
    )


class _Body(httpx.AsyncByteStream):
    def __init__(self, stream: Any, leave: Leave) -> None:
        self._stream = stream
        self._leave = leave

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async with contextlib.aclosing(self._stream) as parts:
            async for part in parts:
                yield part

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            self._leave()
