"""Cached values that processes share through Redis, which removes them when their time is over.

How much it keeps in all is Redis' own bound (`maxmemory`, with an eviction policy of `allkeys-lru` or its like).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError

from holdfast.resilience.ports import StoredValue
from holdfast.resilience.redis.connections import RedisServer, Step, away, heed

if TYPE_CHECKING:
    from holdfast.resilience.clocks import Clock

_TIMES: Final = struct.Struct("!dd")  # until when it is fresh, and until when it is kept
MAX_VALUE_BYTES: Final = 8 * 1024 * 1024
_BATCH: Final = 500

GET: Final = """
local stamp = redis.call('TIME')
return {redis.call('GET', KEYS[1] .. ':cache:' .. ARGV[1]), stamp[1] .. '.' .. string.format('%06d', stamp[2])}
"""

PUT: Final = """
local now = tonumber(ARGV[2])
if now < 0 then
  local stamp = redis.call('TIME')
  now = tonumber(stamp[1]) + tonumber(stamp[2]) / 1000000
end
local times = struct.pack('>dd', now + tonumber(ARGV[3]), now + tonumber(ARGV[4]))
redis.call('SET', KEYS[1] .. ':cache:' .. ARGV[1], times .. ARGV[5], 'PX', math.max(1, math.ceil(ARGV[4] * 1000)))
return 1
"""


class RedisCacheStore:
    """Keeps values of at most `max_value_bytes` in Redis; a larger one is not kept."""

    __slots__ = ("_clock", "_get", "_put", "_server", "max_value_bytes")

    def __init__(
        self, server: RedisServer, *, max_value_bytes: int = MAX_VALUE_BYTES, clock: Clock | None = None
    ) -> None:
        """Go by the time of Redis, or by `clock` in a test."""
        self.max_value_bytes = max_value_bytes
        self._server = server
        self._get = Step(server, GET)
        self._put = Step(server, PUT)
        self._clock = clock

    def get(self, key: str) -> StoredValue | None:
        """Give the value of `key` if there is one, fresh or stale."""
        return self._unpack(self._get.run_sync(key))

    def put(self, key: str, body: bytes, *, fresh_s: float, keep_s: float) -> None:
        """Keep `body`; one that is too large is forgotten instead, and so is the one before it."""
        if len(body) > self.max_value_bytes:
            self.remove(key)
        else:
            self._put.run_sync(key, self._now(), fresh_s, keep_s, body)

    def remove(self, key: str) -> None:
        """Forget `key`."""
        try:
            self._server.plain.unlink(self._place(key))
        except (RedisError, OSError) as error:
            raise away(error) from error

    def clear(self) -> None:
        """Forget every value below this server's prefix, a batch at a time."""
        try:
            for place in self._server.plain.scan_iter(match=self._place("*"), count=_BATCH):
                self._server.plain.unlink(place)
        except (RedisError, OSError) as error:
            raise away(error) from error

    async def get_async(self, key: str) -> StoredValue | None:
        """Do as `get`."""
        return self._unpack(await self._get.run(key))

    async def put_async(self, key: str, body: bytes, *, fresh_s: float, keep_s: float) -> None:
        """Do as `put`."""
        if len(body) > self.max_value_bytes:
            await self.remove_async(key)
        else:
            await self._put.run(key, self._now(), fresh_s, keep_s, body)

    async def remove_async(self, key: str) -> None:
        """Do as `remove`."""
        try:
            await heed(self._server.asynchronous.unlink(self._place(key)))
        except (RedisError, OSError) as error:
            raise away(error) from error

    async def clear_async(self) -> None:
        """Do as `clear`."""
        client = self._server.asynchronous
        try:
            async for place in client.scan_iter(match=self._place("*"), count=_BATCH):
                await heed(client.unlink(place))
        except (RedisError, OSError) as error:
            raise away(error) from error

    def _place(self, key: str) -> str:
        return f"{self._server.prefix}:cache:{key}"

    def _now(self) -> str:
        return repr(self._clock.monotonic()) if self._clock else "-1"

    def _unpack(self, answer: Any) -> StoredValue | None:
        packed, moment = answer
        if not packed:
            return None
        fresh_until_s, over_s = _TIMES.unpack_from(packed)
        now_s = self._clock.monotonic() if self._clock else float(moment)
        return StoredValue(packed[_TIMES.size :], fresh_until_s - now_s) if now_s < over_s else None
