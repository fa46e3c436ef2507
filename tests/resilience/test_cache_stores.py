"""What every store of cached values does, in memory and shared: fresh, stale, gone."""

from __future__ import annotations

import pytest

from holdfast.resilience.memory_stores import MemoryCacheStore


async def test_what_was_put_comes_back_with_the_time_that_it_stays_fresh(cache_store, fake_clock):
    await cache_store.put_async("price:7", b"12.50", fresh_s=10, keep_s=60)
    await fake_clock.advance(4)
    found = await cache_store.get_async("price:7")
    assert found.body == b"12.50"
    assert found.fresh_s == pytest.approx(6, abs=0.01)


async def test_a_stale_value_says_since_when(cache_store, fake_clock):
    await cache_store.put_async("price:7", b"12.50", fresh_s=10, keep_s=60)
    await fake_clock.advance(15)
    assert (await cache_store.get_async("price:7")).fresh_s == pytest.approx(-5, abs=0.01)


async def test_a_value_is_gone_after_its_time(cache_store, fake_clock):
    await cache_store.put_async("price:7", b"12.50", fresh_s=10, keep_s=60)
    await fake_clock.advance(60.5)
    assert await cache_store.get_async("price:7") is None


async def test_a_later_value_replaces_the_earlier_one(cache_store):
    await cache_store.put_async("price:7", b"old", fresh_s=1, keep_s=1)
    await cache_store.put_async("price:7", b"new", fresh_s=10, keep_s=20)
    assert (await cache_store.get_async("price:7")).body == b"new"


async def test_any_bytes_under_any_key_come_back_as_they_were(cache_store):
    body = bytes(range(256)) * 100
    await cache_store.put_async("Grüße, 'quoted' %s\n", body, fresh_s=1, keep_s=1)
    assert (await cache_store.get_async("Grüße, 'quoted' %s\n")).body == body


async def test_one_key_or_all_can_be_forgotten(cache_store):
    for key in "abc":
        await cache_store.put_async(key, b"", fresh_s=10, keep_s=10)
    await cache_store.remove_async("a")
    await cache_store.remove_async("never there")
    assert [await cache_store.get_async(key) is None for key in "abc"] == [True, False, False]
    await cache_store.clear_async()
    assert [await cache_store.get_async(key) for key in "abc"] == [None] * 3


def test_the_plain_verbs_do_the_same(cache_store):
    cache_store.put("a", b"1", fresh_s=10, keep_s=10)
    assert cache_store.get("a").body == b"1"
    cache_store.remove("a")
    assert cache_store.get("a") is None
    cache_store.put("a", b"1", fresh_s=10, keep_s=10)
    cache_store.clear()
    assert cache_store.get("a") is None


def test_the_one_in_memory_is_bounded_by_bytes_and_forgets_what_was_used_longest_ago(fake_clock):
    store = MemoryCacheStore(max_bytes=4000, clock=fake_clock)
    for number in range(6):
        store.put(str(number), bytes(700), fresh_s=10, keep_s=10)
        store.get("2")
    assert [store.get(str(number)) is not None for number in range(6)] == [False, False, True, True, True, True]
    assert store.used_bytes <= 4000
    store.put("large", bytes(5000), fresh_s=10, keep_s=10)
    assert store.get("large") is None
