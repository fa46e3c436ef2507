"""Stores are brought to what rooms declare, once and safely, on both kinds of store."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from holdfast.kernel.errors import ConflictError, InvalidError, StaleSchemaError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import LABEL, STRING, Column, Index, Migration, Schema, Table
from store.samples import SAMPLES, SCHEMA, rows

UNIT = Column("unit", LABEL)
WIDER = replace(SAMPLES, columns=(*SAMPLES.columns, UNIT))
ADD_UNIT = Migration(1, "samples have units", (f"ALTER TABLE samples ADD COLUMN IF NOT EXISTS {UNIT.ddl}",))
SCHEMA_1 = Schema("tests", (WIDER,), (ADD_UNIT,))
RECORD = "SELECT room, version, title FROM holdfast_schema WHERE {tenant:String} != '' ORDER BY version"


async def record(store):
    table = await store.query(RECORD, tenant=DEFAULT_TENANT)
    return [tuple(row.values()) for row in table.to_pylist()]


async def test_a_new_store_gets_the_tables_as_declared_and_no_migration_runs(open_store, any_store_url):
    exploding = replace(ADD_UNIT, statements=("ALTER TABLE samples DROP COLUMN IF EXISTS value",))
    store = await open_store(any_store_url, replace(SCHEMA_1, migrations=(exploding,)))
    assert await record(store) == [("tests", 1, "tables as declared")]


async def test_an_older_store_keeps_its_rows_and_gets_what_is_new(open_store, any_store_url):
    store = await open_store(any_store_url, SCHEMA)
    await store.writer(SAMPLES).write(rows([1]), tenant=DEFAULT_TENANT)
    await store.close()
    newer = await open_store(any_store_url, SCHEMA_1)
    await newer.writer(WIDER).write({**rows([2]), "unit": ["s"]}, tenant=DEFAULT_TENANT)
    sql = "SELECT value, unit FROM samples WHERE tenant = {tenant:String} ORDER BY value"
    assert (await newer.query(sql, tenant=DEFAULT_TENANT)).to_pydict() == {"value": [1, 2], "unit": ["", "s"]}
    assert await record(newer) == [("tests", 0, "tables as declared"), ("tests", 1, "samples have units")]


async def test_opening_again_changes_nothing(open_store, any_store_url):
    for _ in range(3):
        store = await open_store(any_store_url, SCHEMA_1)
        assert len(await record(store)) == 1
        await store.close()


async def test_a_migration_that_was_interrupted_before_its_record_is_run_again(open_store, any_store_url):
    store = await open_store(any_store_url, SCHEMA)
    await store._running._call(store._running._writes, lambda client: client.command(ADD_UNIT.statements[0]))
    await store.close()
    again = await open_store(any_store_url, SCHEMA_1)
    assert len(await record(again)) == 2


async def test_a_store_of_a_newer_holdfast_is_refused_and_left_alone(open_store, any_store_url):
    newer = await open_store(any_store_url, SCHEMA_1)
    await newer.close()
    other = Schema("other", (Table("other_things", (SAMPLES.columns[1],), ("ts",), "ts"),))
    with pytest.raises(StaleSchemaError, match=r"tests have version 1, and this .* up to 0.*newer Holdfast"):
        await open_store(any_store_url, other, SCHEMA)
    store = await open_store(any_store_url, SCHEMA_1)
    tables = "SELECT name FROM system.tables WHERE database = currentDatabase() AND {tenant:String} != ''"
    assert "other_things" not in (await store.query(tables, tenant=DEFAULT_TENANT))["name"].to_pylist()


async def test_a_column_without_its_migration_is_a_fault_of_the_room(open_store, any_store_url):
    store = await open_store(any_store_url, SCHEMA)
    await store.close()
    with pytest.raises(ConflictError, match=r"lacks the column unit.*add a migration 1 to the schema of tests"):
        await open_store(any_store_url, Schema("tests", (WIDER,)))


async def test_two_processes_may_migrate_a_server_at_once(open_store, server_url):
    stores = await asyncio.gather(*(open_store(server_url, SCHEMA_1) for _ in range(3)))
    await asyncio.gather(
        *(store.writer(WIDER).write({**rows([1]), "unit": ["s"]}, tenant=DEFAULT_TENANT) for store in stores)
    )


async def test_durability_follows_the_setting(open_store, any_store_url):
    setting = (
        "SELECT extract(engine_full, 'fsync_after_insert = (\\\\d)') AS f FROM system.tables "
        "WHERE database = currentDatabase() AND name = 'samples' AND {tenant:String} != ''"
    )
    for wanted in (True, False, True):
        store = await open_store(any_store_url, SCHEMA, fsync_after_insert=wanted)
        assert (await store.query(setting, tenant=DEFAULT_TENANT))["f"].to_pylist() == [str(int(wanted))]
        await store.close()


async def test_parts_are_merged_as_the_table_says_now(open_store, any_store_url):
    setting = (
        "SELECT extract(engine_full, 'merge_selector_base = (\\\\d+)') AS b FROM system.tables "
        "WHERE database = currentDatabase() AND name = 'samples' AND {tenant:String} != ''"
    )
    for wanted in (5, 16):
        store = await open_store(any_store_url, Schema("tests", (replace(SAMPLES, merge_base=wanted),)))
        assert (await store.query(setting, tenant=DEFAULT_TENANT))["b"].to_pylist() == [str(wanted)]
        await store.close()


async def test_a_table_may_have_skipping_indexes(open_store, any_store_url):
    indexes = (Index("by_host", "labels['host']", "bloom_filter(0.01)"), Index("by_value", "value", "minmax", 4))
    await open_store(any_store_url, Schema("tests", (replace(SAMPLES, indexes=indexes),)))
    store = await open_store(any_store_url)
    sql = """SELECT name FROM system.data_skipping_indices
        WHERE database = currentDatabase() AND table = 'samples' AND {tenant:String} != '' ORDER BY name"""
    assert (await store.query(sql, tenant=DEFAULT_TENANT))["name"].to_pylist() == ["by_host", "by_value"]


async def test_a_room_may_register_while_the_store_is_open(open_store, any_store_url):
    store = await open_store(any_store_url)
    await store.register(SCHEMA)
    await store.writer(SAMPLES).write(rows([1]), tenant=DEFAULT_TENANT)


def test_a_statement_that_would_fail_the_second_time_is_refused():
    with pytest.raises(InvalidError, match="IF NOT EXISTS"):
        Migration(1, "careless", ("ALTER TABLE samples ADD COLUMN unit String",))


def test_migrations_are_counted_without_gaps():
    with pytest.raises(InvalidError, match=r"numbered \[2\]"):
        Schema("tests", (SAMPLES,), (replace(ADD_UNIT, number=2),))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "Samples; DROP"}, "is no name"),
        ({"order_by": ("nothing",)}, "has no column nothing"),
        ({"time": "nothing"}, "has no column nothing"),
        ({"columns": (*SAMPLES.columns, Column("tenant", STRING))}, "twice"),
    ],
)
def test_a_table_that_cannot_work_is_refused(change, message):
    with pytest.raises(InvalidError, match=message):
        replace(SAMPLES, **change)
