"""What the catalog answers, kept for a while as the bytes that go out, and fetched once however many ask.

Kept in this process's memory, or in Redis, which processes share (`redis_cache`). A store that fails is one that has
nothing: the caller never sees it, the metric and `/readyz` do.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from prometheus_client import Counter

from holdfast import instrument
from holdfast.resilience import PolicyEvent, StoreAway, cache
from holdfast.resilience.ports import CacheStore

MEMORY_ENTRIES = 1000
PRODUCT_TTL_S = 60.0
PAGE_TTL_S = 5.0
lookups = Counter("shop_cache_lookups", "Lookups by outcome: hit, miss, error", ["outcome"])


class SharedStore(CacheStore, Protocol):
    """A store outside this process."""

    def watch(self) -> None:
        """Show what is asked of it; call it in the event loop that asks."""

    async def ping(self) -> None:
        """Raise when it does not work."""

    async def aclose(self) -> None:
        """Close connections."""


class Bodies:
    """Bodies of one kind, each kept for `ttl_s`; in memory the least recently used leave first."""

    def __init__(self, name: str, ttl_s: float, store: CacheStore | None = None) -> None:
        self._kept = cache(
            name=name,
            ttl_s=ttl_s,
            max_entries=MEMORY_ENTRIES,
            key=str,
            store=store,
            codec=AsTheyAre() if store else None,
        )
        self._kept.add_listener(_count_failure)
        instrument.watch_cache(self._kept)

    async def get(self, key: str, fetch: Callable[[], Awaitable[bytes]]) -> bytes:
        """Return the body of `key`, from `fetch` when it is not there; what `fetch` raises comes through."""
        outcome = "hit"

        async def fetch_and_note() -> bytes:
            nonlocal outcome
            outcome = "miss"
            return await fetch()

        body: bytes = await self._kept.get_or_fetch(key, fetch_and_note)
        lookups.labels(outcome).inc()
        return body

    async def drop(self, key: str) -> None:
        """Forget; what the store cannot forget lives on until its time is over."""
        try:
            await self._kept.invalidate_async(key)
        except (StoreAway, OSError):
            lookups.labels("error").inc()


class CatalogCache:
    """The pages and the products that the catalog has answered lately."""

    def __init__(self, store: SharedStore | None = None) -> None:
        self.pages = Bodies("pages", PAGE_TTL_S, store)
        self.products = Bodies("products", PRODUCT_TTL_S, store)
        self._store = store

    def watch(self) -> None:
        """Show what is asked of a store outside this process; call it in the event loop that asks."""
        if self._store is not None:
            self._store.watch()

    async def ping(self) -> None:
        """Raise when the store does not work; memory always does."""
        if self._store is not None:
            await self._store.ping()

    async def close(self) -> None:
        """Close connections."""
        if self._store is not None:
            await self._store.aclose()


class AsTheyAre:
    """Bytes that need no codec."""

    def encode(self, value: bytes) -> bytes:
        return value

    def decode(self, body: bytes) -> bytes:
        return body


def _count_failure(event: PolicyEvent) -> None:
    if event.what == "store_failed":
        lookups.labels("error").inc()
