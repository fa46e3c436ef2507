"""Runs Lua scripts on the user's Redis, from async code and from plain code; each script is one atomic step.

Each event loop has its own async client; plain code has one, which threads share. A script may run twice when its
answer is lost on the way, so each is written to bear that.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, Final, TypeVar
from weakref import WeakKeyDictionary

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from holdfast.resilience.errors import StoreAway

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

T = TypeVar("T")

TIMEOUT_S: Final = 5.0
ATTEMPTS_MORE: Final = 1
PREFIX: Final = re.compile(r"[\w.:/-]+")


class RedisServer:
    """One Redis, shared by all adapters of this package; connects when first used.

    All keys begin with `{prefix}`; the braces put them into one slot of a cluster, as scripts need.
    """

    def __init__(self, url: str, *, prefix: str = "holdfast", timeout_s: float = TIMEOUT_S) -> None:
        if not PREFIX.fullmatch(prefix):
            raise ValueError(f"the prefix {prefix!r} may hold letters, digits and any of _ . : / -")
        self.prefix = f"{{{prefix}}}"
        self._url = url
        self._options: dict[str, Any] = {"socket_timeout": timeout_s, "socket_connect_timeout": timeout_s}
        self._plain: redis.Redis | None = None
        self._by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, redis.asyncio.Redis] = WeakKeyDictionary()

    @property
    def plain(self) -> redis.Redis:
        """The client of code without an event loop."""
        if self._plain is None:
            retry = Retry(NoBackoff(), ATTEMPTS_MORE)
            self._plain = redis.Redis.from_url(self._url, retry=retry, **self._options)
        return self._plain

    @property
    def asynchronous(self) -> redis.asyncio.Redis:
        """The client of the running event loop."""
        loop = asyncio.get_running_loop()
        client = self._by_loop.get(loop)
        if client is None:
            retry = AsyncRetry(NoBackoff(), ATTEMPTS_MORE)
            client = self._by_loop[loop] = redis.asyncio.Redis.from_url(self._url, retry=retry, **self._options)
        return client

    async def aclose(self) -> None:
        """Close the connections of the running event loop, and those of plain code."""
        client = self._by_loop.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()
        self.close()

    def close(self) -> None:
        """Close the connections of plain code."""
        if self._plain is not None:
            self._plain.close()
            self._plain = None


class Step:
    """One script, as a step that async code and plain code can take; its only key is the server's prefix."""

    __slots__ = ("_server", "_text")

    def __init__(self, server: RedisServer, text: str) -> None:
        self._server = server
        self._text = text

    async def run(self, *arguments: str | float | bytes) -> Any:
        """Run it.

        Raises:
            StoreAway: Redis does not answer, or refuses.
        """
        client = self._server.asynchronous
        try:
            return await heed(client.register_script(self._text)(keys=[self._server.prefix], args=arguments))
        except (RedisError, OSError) as error:
            raise away(error) from error

    def run_sync(self, *arguments: str | float | bytes) -> Any:
        """Do what `run` does, without an event loop."""
        client = self._server.plain
        try:
            return client.register_script(self._text)(keys=[self._server.prefix], args=arguments)
        except (RedisError, OSError) as error:
            raise away(error) from error


async def heed(call: Awaitable[T]) -> T:
    """Give the answer of `call`, unless this task was cancelled meanwhile.

    The client sends with `asyncio.wait_for`, which before Python 3.12 loses a cancellation that comes as it ends:
    https://github.com/python/cpython/issues/86296.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    answer = await call
    if task is not None and task.cancelling() > before:
        raise asyncio.CancelledError
    return answer


def away(error: Exception) -> StoreAway:
    """Say that Redis cannot be used, and why."""
    return StoreAway(f"Redis does not answer: {type(error).__name__}: {error}")


def decode(words: Sequence[Any]) -> list[str]:
    """Give the strings that a script answered with."""
    return [word.decode() if isinstance(word, bytes) else str(word) for word in words]
