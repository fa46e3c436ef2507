"""A server that is away, full, overloaded, or loses its answers. Needs the stand-in, which fails on command."""

from __future__ import annotations

import asyncio
import os
import urllib.request
from urllib.parse import urlsplit

import pytest

from holdfast.kernel.errors import BusyError, StorageFullError, UnavailableError
from holdfast.kernel.ids import DEFAULT_TENANT
from store.samples import SAMPLES, SCHEMA, rows

VALUES = "SELECT value FROM samples WHERE tenant = {tenant:String} ORDER BY value"

pytestmark = pytest.mark.skipif(
    "HOLDFAST_TEST_CLICKHOUSE_URL" in os.environ, reason="a real server does not fail on command"
)


async def fail(url: str, kind: str, count: int = 1) -> None:
    """Make the server's next inserts fail."""
    parts = urlsplit(url)
    place = f"http://{parts.hostname}:{parts.port}/fail?kind={kind}&count={count}"
    await asyncio.to_thread(lambda: urllib.request.urlopen(place, data=b"").close())


async def values(store):
    return (await store.query(VALUES, tenant=DEFAULT_TENANT))["value"].to_pylist()


async def test_an_answer_that_got_lost_does_not_store_the_rows_twice(open_store, server_url):
    store = await open_store(server_url, SCHEMA)
    await fail(server_url, "drop", 2)
    await store.writer(SAMPLES).write(rows([1, 2]), tenant=DEFAULT_TENANT)
    assert await values(store) == [1, 2]


async def test_a_connection_that_breaks_is_tried_again(open_store, server_url):
    store = await open_store(server_url, SCHEMA)
    await fail(server_url, "reset", 2)
    await store.writer(SAMPLES).write(rows([1]), tenant=DEFAULT_TENANT)
    assert await values(store) == [1]


async def test_an_overloaded_server_is_given_up_as_busy(open_store, server_url):
    store = await open_store(server_url, SCHEMA, write_retry=0.3)
    await fail(server_url, "parts", 5)
    with pytest.raises(BusyError, match="Too many parts"):
        await store.writer(SAMPLES).write(rows([1]), tenant=DEFAULT_TENANT)
    await fail(server_url, "clear")


async def test_a_full_server_is_told_and_heals(open_store, server_url):
    store = await open_store(server_url, SCHEMA)
    await fail(server_url, "full")
    with pytest.raises(StorageFullError, match=r"the disk of clickhouse://127\.0\.0\.1:\d+/test_\w+ is full"):
        await store.writer(SAMPLES).write(rows([1]), tenant=DEFAULT_TENANT)
    with pytest.raises(StorageFullError):
        store.writer(SAMPLES).write(rows([1]), tenant=DEFAULT_TENANT)
    store._running.space._next_look_s = 0.0
    await store.writer(SAMPLES).write(rows([2]), tenant=DEFAULT_TENANT)
    assert await values(store) == [2]


async def test_a_server_that_is_not_there_is_named(open_store):
    with pytest.raises(UnavailableError, match=r"clickhouse://127\.0\.0\.1:1/holdfast does not answer"):
        await open_store("clickhouse://user:hunter2@127.0.0.1:1")


async def test_a_wrong_password_is_named_and_not_shown(open_store, server_url):
    parts = urlsplit(server_url)
    with pytest.raises(UnavailableError, match=r"Authentication failed.*user and password") as caught:
        await open_store(f"clickhouse://default:hunter2@{parts.hostname}:{parts.port}/test")
    assert "hunter2" not in str(caught.value)
