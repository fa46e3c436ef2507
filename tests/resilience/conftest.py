"""The stores that every contract of shared state runs on; an adapter adds its name and how it is made."""

from __future__ import annotations

import pytest

from holdfast.resilience.memory_stores import MemoryBreakerStore, MemoryCacheStore, MemoryLimiterStore

BREAKER_STORES = ["memory"]
LIMITER_STORES = ["memory"]
CACHE_STORES = ["memory"]


@pytest.fixture(params=BREAKER_STORES)
def breaker_store(request, fake_clock):
    """A store of breakers that judges by `fake_clock`."""
    return MemoryBreakerStore(clock=fake_clock)


@pytest.fixture(params=LIMITER_STORES)
def limiter_store(request, fake_clock):
    """A store of rates that judges by `fake_clock`."""
    return MemoryLimiterStore(clock=fake_clock)


@pytest.fixture(params=CACHE_STORES)
def cache_store(request, fake_clock):
    """A store of values that judges by `fake_clock`."""
    return MemoryCacheStore(clock=fake_clock)
