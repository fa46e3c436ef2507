"""The stores that every contract of shared state runs on; an adapter adds its name and how it is made."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import create_engine, make_url

from fixtures.databases import fresh_database
from fixtures.services import require_service
from holdfast.resilience.memory_stores import MemoryBreakerStore, MemoryCacheStore, MemoryLimiterStore
from holdfast.resilience.redis import RedisBreakerStore, RedisCacheStore, RedisLimiterStore, RedisServer
from holdfast.resilience.sql import SqlBreakerStore, SqlLimiterStore, metadata

REDIS = pytest.param("redis", marks=pytest.mark.service)
POSTGRES = pytest.param("postgres", marks=pytest.mark.service)
BREAKER_STORES = ["memory", "sqlite", POSTGRES, REDIS]
LIMITER_STORES = ["memory", "sqlite", POSTGRES, REDIS]
CACHE_STORES = ["memory", REDIS]


@pytest.fixture(scope="module")
def shared_database_url():
    """A PostgreSQL database of one file of tests; making one takes longer than a test."""
    with fresh_database(require_service("postgres")) as url:
        yield make_url(url).set(drivername="postgresql+psycopg")


async def forget_keys(server):
    """Leave nothing behind: some keys have no expiry, because they only ever grow."""
    async for key in server.asynchronous.scan_iter(match=f"{server.prefix}*", count=1000):
        await server.asynchronous.unlink(key)


@pytest.fixture
async def redis_server(redis_url):
    """A Redis with a prefix of its own."""
    server = RedisServer(redis_url, prefix=f"test-{uuid.uuid4().hex}")
    yield server
    await forget_keys(server)
    await server.aclose()


@pytest.fixture
async def make_store(request, tmp_path, fake_clock):
    """Makes a store of one kind on one of the classes given, all judging by `fake_clock`."""
    engines = []

    def make(memory, sql, redis):
        if request.param == "memory":
            return memory(clock=fake_clock)
        if request.param == "redis":
            return redis(request.getfixturevalue("redis_server"), clock=fake_clock)
        is_sqlite = request.param == "sqlite"
        url = f"sqlite:///{tmp_path / 'shared.db'}" if is_sqlite else request.getfixturevalue("shared_database_url")
        engines.append(create_engine(url))
        metadata.create_all(engines[0])
        return sql(engines[0], clock=fake_clock)

    yield make
    for engine in engines:
        metadata.drop_all(engine)
        engine.dispose()


@pytest.fixture
def breaker_store(make_store):
    """A store of breakers that judges by `fake_clock`."""
    return make_store(MemoryBreakerStore, SqlBreakerStore, RedisBreakerStore)


@pytest.fixture
def limiter_store(make_store):
    """A store of rates that judges by `fake_clock`."""
    return make_store(MemoryLimiterStore, SqlLimiterStore, RedisLimiterStore)


@pytest.fixture
def cache_store(make_store):
    """A store of values that judges by `fake_clock`."""
    return make_store(MemoryCacheStore, None, RedisCacheStore)


def pytest_generate_tests(metafunc):
    """Run a test that asks for a store on every kind of it."""
    for name, kinds in (
        ("breaker_store", BREAKER_STORES),
        ("limiter_store", LIMITER_STORES),
        ("cache_store", CACHE_STORES),
    ):
        if name in metafunc.fixturenames:
            metafunc.parametrize("make_store", kinds, indirect=True)
