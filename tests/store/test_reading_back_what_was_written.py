"""A room declares a table, writes to it and reads it: the promise that every other test refines."""

from __future__ import annotations

import asyncio

import pytest

from holdfast.kernel.errors import ConflictError, InvalidError
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId
from holdfast.store import Store
from store.samples import SAMPLES, SCHEMA, rows

VALUES = "SELECT value FROM samples WHERE tenant = {tenant:String} ORDER BY value"


async def test_an_acknowledged_row_can_be_read_at_once(store: Store):
    await store.register(SCHEMA)
    await store.writer(SAMPLES).write(rows([1, 2]), tenant=DEFAULT_TENANT)
    table = await store.query(VALUES, tenant=DEFAULT_TENANT)
    assert table["value"].to_pylist() == [1, 2]


async def test_a_tenant_does_not_see_anothers_rows(store: Store):
    await store.register(SCHEMA)
    writer = store.writer(SAMPLES)
    await asyncio.gather(
        writer.write(rows([1]), tenant=TenantId("one")), writer.write(rows([2]), tenant=TenantId("two"))
    )
    assert (await store.query(VALUES, tenant=TenantId("two")))["value"].to_pylist() == [2]


async def test_a_query_that_forgets_the_tenant_is_refused(store: Store):
    with pytest.raises(InvalidError, match="tenant"):
        await store.query("SELECT 1", tenant=DEFAULT_TENANT)


async def test_an_unregistered_table_has_no_writer(store: Store):
    with pytest.raises(ConflictError, match=r"Store\.register"):
        store.writer(SAMPLES)


async def test_a_store_that_is_not_open_says_so(store: Store):
    await store.close()
    with pytest.raises(ConflictError, match="not open"):
        await store.query(VALUES, tenant=DEFAULT_TENANT)
