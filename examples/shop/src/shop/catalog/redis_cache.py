"""The cache in Redis: shared by all processes of the catalog, and allowed to be away.

When Redis cannot forget a changed product, its old price lives until the entry expires: a minute at most.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from shop.catalog.cache import lookups
from shop.chassis import Faults

TIMEOUT_S = 0.2
_PREFIX = "shop:catalog:"


class RedisCache:
    """Every call is answered within `TIMEOUT_S` or counts as a miss."""

    def __init__(self, url: str, faults: Faults) -> None:
        self._redis = Redis.from_url(
            url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, max_connections=20
        )
        self._faults = faults
        faults.add_dependency("cache")

    async def get(self, key: str) -> bytes | None:
        value = await self._attempt(self._redis.get, _PREFIX + key)
        if isinstance(value, Exception):
            return None
        lookups.labels("miss" if value is None else "hit").inc()
        return value if isinstance(value, bytes) else None

    async def put(self, key: str, value: bytes, ttl_s: int) -> None:
        await self._attempt(self._redis.set, _PREFIX + key, value, ex=ttl_s)

    async def drop(self, key: str) -> None:
        await self._attempt(self._redis.delete, _PREFIX + key)

    async def ping(self) -> None:
        answer = await self._attempt(self._redis.ping)
        if isinstance(answer, Exception):
            raise answer

    async def close(self) -> None:
        await self._redis.aclose()

    async def _attempt(self, call: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:
        try:
            if self._faults.is_dead("cache"):
                raise ConnectionRefusedError("cut off by `python -m shop break`")
            return await call(*args, **kwargs)
        except (OSError, RedisError) as error:
            lookups.labels("error").inc()
            return error
