"""Connections kept for further calls: a pool for each origin, and a bound on the calls of all.

httpcore's own pool looks at all its connections, for each idle one again, whenever a call begins or ends: with 100
targets that was most of what a scrape cost. Here a call looks at the connections of its own origin. What is sent, and
to whom, is decided elsewhere.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import httpcore

from holdfast.resilience import timeout

IDLE_S: Final = 300.0  # as Prometheus; targets are asked once a minute or more often
_MOST_IDLE_POOLS: Final = 5000
_REPEATABLE: Final = {b"GET", b"HEAD"}
_GONE: Final = (httpcore.RemoteProtocolError, httpcore.ReadError, httpcore.WriteError)

Leave = Callable[[], None]
MakePool = Callable[[httpcore.Origin], httpcore.AsyncConnectionPool]


@dataclass(slots=True)
class _Origin:
    """The connections to one origin."""

    pool: httpcore.AsyncConnectionPool
    calls: int = 0
    used_s: float = field(default_factory=time.monotonic)


class Connections:
    """Sends requests over kept connections."""

    def __init__(self, make_pool: MakePool, *, most_calls: int) -> None:
        """Prepare; nothing is opened.

        Args:
            make_pool: makes the pool of an origin.
            most_calls: calls at once, to all origins; more wait.
        """
        self._make_pool = make_pool
        self._turns = asyncio.Semaphore(most_calls)
        self._origins: OrderedDict[tuple[bytes, bytes, int], _Origin] = OrderedDict()

    async def send(self, request: httpcore.Request) -> tuple[httpcore.Response, Leave]:
        """Give the answer, and what must be called once its body is not wanted any more.

        Raises:
            httpcore.PoolTimeout: no turn within the request's `pool` timeout.
            httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError: as httpcore does.
        """
        await self._turn(request.extensions.get("timeout", {}).get("pool"))
        origin = self._origin(request.url.origin)
        origin.calls += 1
        try:
            await self._tidy()
            answer = await self._send(origin, request)
        except BaseException:
            self._left(origin)
            raise
        left = False

        def leave() -> None:
            nonlocal left
            if not left:
                left = True
                self._left(origin)

        return answer, leave

    async def _turn(self, timeout_s: float | None) -> None:
        if timeout_s is None or not self._turns.locked():
            await self._turns.acquire()
            return
        try:
            async with timeout(timeout_s):
                await self._turns.acquire()
        except TimeoutError:
            raise httpcore.PoolTimeout from None

    async def _send(self, origin: _Origin, request: httpcore.Request) -> httpcore.Response:
        was_kept = bool(origin.pool.connections)
        try:
            return await origin.pool.handle_async_request(request)
        except _GONE:
            # The other side may close what it finds idle just when we use it; RFC 9112, 9.3.1 lets such calls be
            # sent again. Targets that are asked as often as they close would else fail now and then.
            if not was_kept or request.method not in _REPEATABLE:
                raise
        return await origin.pool.handle_async_request(request)

    def _origin(self, origin: httpcore.Origin) -> _Origin:
        key = (origin.scheme, origin.host, origin.port)
        found = self._origins.get(key)
        if found is None:
            found = self._origins[key] = _Origin(self._make_pool(origin))
        self._origins.move_to_end(key)
        return found

    def _left(self, origin: _Origin) -> None:
        origin.calls -= 1
        origin.used_s = time.monotonic()
        self._turns.release()

    async def _tidy(self) -> None:
        """Close connections that nobody has used for long, those used longest ago first."""
        before_s = time.monotonic() - IDLE_S
        while self._origins:
            key, oldest = next(iter(self._origins.items()))
            if oldest.calls or (oldest.used_s > before_s and len(self._origins) <= _MOST_IDLE_POOLS):
                return
            del self._origins[key]
            await oldest.pool.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        origins = list(self._origins.values())
        self._origins.clear()
        for origin in origins:
            await origin.pool.aclose()
