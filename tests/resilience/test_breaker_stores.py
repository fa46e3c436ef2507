"""What every store of breakers does, in memory and shared: one record per name, changed by compare-and-set."""

from __future__ import annotations

import asyncio

import pytest

from holdfast.resilience.memory_stores import MemoryBreakerStore
from holdfast.resilience.ports import BreakerRecord


def opened(version, *, failed_probes=0):
    return BreakerRecord(version=version, state="open", since_s=12.5, wait_s=30.0, failed_probes=failed_probes)


async def test_a_name_never_seen_has_a_closed_record_of_version_nought(breaker_store):
    record, now_s = await breaker_store.read_async("payments")
    assert record == BreakerRecord()
    assert now_s >= 0


async def test_what_was_put_is_read_by_everybody(breaker_store):
    assert await breaker_store.swap_async("payments", 0, opened(1), keep_s=60)
    assert (await breaker_store.read_async("payments"))[0] == opened(1)
    assert (await breaker_store.read_async("orders"))[0].version == 0


async def test_of_two_that_saw_the_same_version_one_loses(breaker_store):
    tries = [breaker_store.swap_async("payments", 0, opened(1, failed_probes=n), keep_s=60) for n in range(5)]
    assert sorted(await asyncio.gather(*tries)) == [False] * 4 + [True]
    assert not await breaker_store.swap_async("payments", 0, opened(1), keep_s=60)
    assert await breaker_store.swap_async("payments", 1, opened(2), keep_s=60)


async def test_a_record_is_forgotten_after_its_time_and_may_then_be_made_anew(breaker_store, fake_clock):
    await breaker_store.swap_async("payments", 0, opened(1), keep_s=60)
    before_s = (await breaker_store.read_async("payments"))[1]
    await fake_clock.advance(61)
    record, now_s = await breaker_store.read_async("payments")
    assert record == BreakerRecord()
    assert now_s - before_s == pytest.approx(61)
    assert await breaker_store.swap_async("payments", 0, opened(1), keep_s=60)


def test_the_plain_verbs_do_the_same(breaker_store):
    assert breaker_store.swap("payments", 0, opened(1), keep_s=60)
    assert not breaker_store.swap("payments", 0, opened(1), keep_s=60)
    assert breaker_store.read("payments")[0] == opened(1)


def test_the_one_in_memory_is_bounded(fake_clock):
    store = MemoryBreakerStore(max_keys=10, clock=fake_clock)
    for number in range(25):
        store.swap(f"host-{number}", 0, opened(1), keep_s=60)
    assert sum(store.read(f"host-{number}")[0].version for number in range(25)) == 10
