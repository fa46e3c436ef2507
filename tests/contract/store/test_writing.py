"""What an acknowledgement means, on both kinds of store."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from holdfast.kernel.errors import BusyError, ConflictError, LimitError, UnavailableError
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId, new_id
from holdfast.store import Retention
from store.samples import SAMPLES, SCHEMA, rows

VALUES = "SELECT value FROM samples WHERE tenant = {tenant:String} ORDER BY value"
EXPIRY = "SELECT toUnixTimestamp(expires_at) - toUnixTimestamp(ts) AS s FROM samples WHERE tenant = {tenant:String}"


async def values(store, tenant=DEFAULT_TENANT):
    return (await store.query(VALUES, tenant=tenant))["value"].to_pylist()


async def test_an_acknowledged_row_can_be_read_at_once(open_store, any_store_url):
    store = await open_store(any_store_url, SCHEMA)
    await store.writer(SAMPLES).write(rows([1, 2]), tenant=DEFAULT_TENANT)
    assert await values(store) == [1, 2]


async def test_writes_that_come_together_travel_together(open_store, any_store_url):
    store = await open_store(any_store_url, SCHEMA, linger=0.1)
    writer = store.writer(SAMPLES)
    await asyncio.gather(*(writer.write(rows([n]), tenant=TenantId(f"t{n % 3}")) for n in range(30)))
    parts = await store.query(
        "SELECT count() AS n FROM system.parts WHERE table = 'samples' AND database = currentDatabase() AND level = 0 "
        "AND {tenant:String} != ''",
        tenant=DEFAULT_TENANT,
    )
    assert parts["n"].to_pylist() == [1]
    assert await values(store, TenantId("t1")) == list(range(1, 30, 3))


async def test_closing_writes_what_is_queued(open_store, any_store_url):
    store = await open_store(any_store_url, SCHEMA, linger=0.2)
    answers = [store.writer(SAMPLES).write(rows([n]), tenant=DEFAULT_TENANT) for n in range(5)]
    await store.close()
    await asyncio.gather(*answers)
    await store.open()
    assert await values(store) == [0, 1, 2, 3, 4]


async def test_a_closed_writer_refuses(open_store, any_store_url):
    store = await open_store(any_store_url, SCHEMA)
    writer = store.writer(SAMPLES)
    await store.close()
    with pytest.raises(UnavailableError, match="closed"):
        writer.write(rows([1]), tenant=DEFAULT_TENANT)


async def test_a_full_queue_is_told_at_once_and_empties_by_itself(open_store, any_store_url):
    store = await open_store(any_store_url, SCHEMA, queue_rows=10, batch_rows=5, linger=0.2)
    writer = store.writer(SAMPLES)
    accepted = [writer.write(rows([n, n]), tenant=DEFAULT_TENANT) for n in range(5)]
    with pytest.raises(BusyError, match="10 rows wait"):
        writer.write(rows([9]), tenant=DEFAULT_TENANT)
    await asyncio.gather(*accepted)
    await writer.write(rows([9]), tenant=DEFAULT_TENANT)
    assert len(await values(store)) == 11


async def test_a_write_larger_than_the_queue_names_the_setting(open_store, store_url):
    store = await open_store(store_url, SCHEMA, queue_rows=10)
    with pytest.raises(LimitError, match="queue_rows"):
        store.writer(SAMPLES).write(rows(range(11)), tenant=DEFAULT_TENANT)


async def test_the_same_batch_sent_twice_is_stored_once(open_store, any_store_url):
    store = await open_store(any_store_url, SCHEMA)
    running, writer = store._running, store.writer(SAMPLES)
    batch, token = writer._batcher.batch(rows([1, 2]), DEFAULT_TENANT, 3600), new_id()
    for _ in range(3):
        await running.insert(SAMPLES, [batch], token)
    assert await values(store) == [1, 2]


async def test_expiry_follows_the_most_exact_retention(open_store, any_store_url):
    store = await open_store(any_store_url, SCHEMA, retention=3600.0, retention_of={"samples": 7200.0, "two/*": 60.0})
    writer = store.writer(SAMPLES)
    await writer.write(rows([1]), tenant=TenantId("one"))
    await writer.write(rows([1]), tenant=TenantId("two"))
    await writer.write(rows([1]), tenant=TenantId("three"), keep_s=5)
    store.retention = Retention(10.0)
    await writer.write(rows([1]), tenant=TenantId("four"))
    found = {
        name: (await store.query(EXPIRY, tenant=TenantId(name)))["s"].to_pylist()
        for name in ("one", "two", "three", "four")
    }
    assert found == {"one": [7200], "two": [60], "three": [5], "four": [10]}


async def test_rows_that_are_too_old_to_stay_are_dropped(open_store, any_store_url):
    store = await open_store(any_store_url, SCHEMA, retention=3600.0)
    old = datetime.now(UTC) - timedelta(hours=2)
    await store.writer(SAMPLES).write(rows([1], at=old), tenant=DEFAULT_TENANT)
    await store.writer(SAMPLES).write(rows([2]), tenant=DEFAULT_TENANT)
    assert await values(store) == [2]


async def test_old_timestamps_are_imported_where_retention_reaches_them(open_store, any_store_url):
    store = await open_store(any_store_url, SCHEMA, retention=20 * 365 * 86400.0)
    years = [datetime.now(UTC) - timedelta(days=30 * month) for month in range(120)]
    batch = {name: [value[0]] * 120 for name, value in rows([1]).items()} | {"ts": years}
    await store.writer(SAMPLES).write(batch, tenant=DEFAULT_TENANT)
    assert len(await values(store)) == 120


async def test_two_rooms_cannot_own_one_table(open_store, store_url):
    store = await open_store(store_url, SCHEMA)
    with pytest.raises(ConflictError, match="belongs to tests"):
        await store.register(type(SCHEMA)("others", (SAMPLES,)))


async def test_a_cancelled_caller_gives_up_the_answer_not_the_rows(open_store, any_store_url):
    store = await open_store(any_store_url, SCHEMA, linger=0.1)
    store.writer(SAMPLES).write(rows([1]), tenant=DEFAULT_TENANT).cancel()
    await store.writer(SAMPLES).write(rows([2]), tenant=DEFAULT_TENANT)
    assert await values(store) == [1, 2]
