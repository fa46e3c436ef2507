"""The cache in front of the products, as the catalog sees it, and its form in this process's memory.

`redis_cache` is the form that processes share. A cache that fails is a cache that misses: the caller never sees it,
the metric and `/readyz` do.
"""

import time
from collections import OrderedDict
from typing import Protocol

from prometheus_client import Counter

MEMORY_ENTRIES = 1000
lookups = Counter("shop_cache_lookups", "Lookups by outcome: hit, miss, error", ["outcome"])


class Cache(Protocol):
    """Bytes by key, for a while."""

    async def get(self, key: str) -> bytes | None:
        """Return what was put, or None."""

    async def put(self, key: str, value: bytes, ttl_s: int) -> None:
        """Keep `value` for `ttl_s` seconds."""

    async def drop(self, key: str) -> None:
        """Forget."""

    async def ping(self) -> None:
        """Raise when it does not work."""

    async def close(self) -> None:
        """Close connections."""


class MemoryCache:
    """The least recently used entries leave first."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    async def get(self, key: str) -> bytes | None:
        expires_at, value = self._entries.get(key, (0.0, b""))
        is_hit = expires_at > time.monotonic()
        lookups.labels("hit" if is_hit else "miss").inc()
        if is_hit:
            self._entries.move_to_end(key)
        return value if is_hit else None

    async def put(self, key: str, value: bytes, ttl_s: int) -> None:
        self._entries[key] = (time.monotonic() + ttl_s, value)
        self._entries.move_to_end(key)
        while len(self._entries) > MEMORY_ENTRIES:
            self._entries.popitem(last=False)

    async def drop(self, key: str) -> None:
        self._entries.pop(key, None)

    async def ping(self) -> None:
        """Memory always works."""

    async def close(self) -> None:
        self._entries.clear()
