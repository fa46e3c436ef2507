"""The backends that the contract of locks runs on: memory, SQLite, PostgreSQL by table and by session, Redis."""

from __future__ import annotations

import functools
import uuid

import pytest
from sqlalchemy import create_engine, make_url

from fixtures.databases import fresh_database
from fixtures.services import require_service
from holdfast.resilience.locks import MemoryLocks
from holdfast.resilience.redis import RedisLocks, RedisServer
from holdfast.resilience.sql import AdvisoryLocks, SqlLocks, metadata

TIMED = ["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.service), "redis"]
KINDS = [*TIMED, pytest.param("advisory", marks=pytest.mark.service)]


def open_engine(url):
    return create_engine(make_url(url).set(drivername="postgresql+psycopg"), pool_size=5, max_overflow=20)


@pytest.fixture(scope="module")
def lock_database_url():
    """A PostgreSQL database of these tests; making one takes longer than a test."""
    with fresh_database(require_service("postgres")) as url:
        yield url


@pytest.fixture
async def make_backend(request, tmp_path):
    """Makes a backend of a kind; without a clock it goes by its store's own time."""
    opened = []
    servers = []

    def make(kind, clock=None):
        if kind == "memory":
            return MemoryLocks(clock=clock) if clock else MemoryLocks()
        if kind == "redis":
            server = RedisServer(request.getfixturevalue("redis_url"), prefix=f"test-{uuid.uuid4().hex}")
            servers.append(server)
            return RedisLocks(server, clock=clock)
        if kind == "sqlite":
            engine = create_engine(f"sqlite:///{tmp_path / 'locks.db'}")
        else:
            engine = open_engine(request.getfixturevalue("lock_database_url"))
        backend = (AdvisoryLocks if kind == "advisory" else SqlLocks)(engine, clock=clock, poll_s=0.01)
        backend.create_tables()
        opened.extend([backend.close] if kind == "advisory" else [])
        opened.extend([functools.partial(metadata.drop_all, engine), engine.dispose])
        return backend

    yield make
    for close in opened:
        close()
    for server in servers:
        async for key in server.asynchronous.scan_iter(match=f"{server.prefix}*", count=1000):
            await server.asynchronous.unlink(key)
        await server.aclose()


@pytest.fixture(params=KINDS)
def backend(request, fake_clock, make_backend):
    """Each kind of store, on the fake clock where it has a clock."""
    return make_backend(request.param, fake_clock)


@pytest.fixture(params=TIMED)
def timed_backend(request, fake_clock, make_backend):
    """Each kind of store whose locks have a time, on the fake clock."""
    return make_backend(request.param, fake_clock)


@pytest.fixture(params=KINDS)
def real_backend(request, make_backend):
    """Each kind of store, on its own time."""
    return make_backend(request.param)
