"""A store that the first version of the tables made, with samples in it, answers the same after all migrations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from holdfast.kernel.ids import DEFAULT_TENANT, TenantId
from holdfast.kernel.secrets import Secret
from holdfast.store import (
    FLOAT64,
    LABEL,
    LABELS,
    TIME_MS,
    UINT64,
    Column,
    Migration,
    Schema,
    Store,
    StoreSettings,
    Table,
    keep_latest,
    keep_max,
    keep_min,
)
from holdfast.telemetry import SCHEMA, Matcher, MatchOp, MetricSource
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.selection import Selection
from holdfast.telemetry.metrics.series import series_id
from holdfast.telemetry.metrics.tables import HISTOGRAMS, ROLLED, ROLLUPS

# As release 0.1 declared them.
OLD_SERIES = Table(
    "metric_series",
    (
        Column("name", LABEL),
        Column("series_id", UINT64),
        Column("labels", keep_latest(LABELS), "ZSTD"),
        Column("first_seen", keep_min(TIME_MS)),
        Column("last_seen", keep_max(TIME_MS)),
    ),
    order_by=("name", "series_id"),
    time="last_seen",
    stream="metrics",
    engine="AggregatingMergeTree",
    partition_by="",
)
OLD_SAMPLES = Table(
    "metric_samples",
    (
        Column("series_id", UINT64, "Delta(8), ZSTD"),
        Column("ts", TIME_MS, "DoubleDelta, ZSTD"),
        Column("value", FLOAT64, "Delta(8), ZSTD"),
    ),
    order_by=("series_id", "ts"),
    time="ts",
    stream="metrics",
)
FIRST = Schema("telemetry", (OLD_SERIES, OLD_SAMPLES))
OTHER = TenantId("other")
START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=3)
HOSTS, SAMPLES = 7, 5_000
TIMES = [START + timedelta(seconds=15 * number) for number in range(SAMPLES)]


def value_of(host: int, number: int, tenant: TenantId) -> float:
    return host * 1e6 + number + (0.5 if tenant == OTHER else 0.0)


async def write_old(store: Store, tenant: TenantId) -> None:
    ids = [series_id(labels_of({"__name__": "hits", "host": f"h{host}"})) for host in range(HOSTS)]
    series = {
        "name": ["hits"] * HOSTS,
        "series_id": ids,
        "labels": [{"host": f"h{host}"} for host in range(HOSTS)],
        "first_seen": [TIMES[0]] * HOSTS,
        "last_seen": [TIMES[-1]] * HOSTS,
    }
    await store.writer(OLD_SERIES).write(series, tenant=tenant)
    for host, identity in enumerate(ids):
        values = [value_of(host, number, tenant) for number in range(SAMPLES)]
        columns = {"series_id": [identity] * SAMPLES, "ts": TIMES, "value": values}
        await store.writer(OLD_SAMPLES).write(columns, tenant=tenant)


async def is_whole(store: Store, tenant: TenantId) -> None:
    matchers = (Matcher("__name__", MatchOp.EQUAL, "hits"),)
    start_ms, end_ms = round(TIMES[0].timestamp() * 1000) - 1, round(TIMES[-1].timestamp() * 1000)
    (found,) = await MetricSource(store).select(tenant, [Selection(matchers, start_ms, end_ms)])
    hosts = [int(dict(labels)["host"][1:]) for labels in found.labels]
    assert sorted(hosts) == list(range(HOSTS))
    assert np.diff(found.offsets).tolist() == [SAMPLES] * HOSTS
    assert found.ts_ms[:SAMPLES].tolist() == [round(at.timestamp() * 1000) for at in TIMES]
    expected = [value_of(host, number, tenant) for host in hosts for number in range(SAMPLES)]
    assert found.values.tolist() == expected


def settings_of(url: str) -> StoreSettings:
    return StoreSettings(url=Secret(url), linger=0.005, fsync_after_insert=False)


async def rows(store: Store, sql: str) -> list[dict[str, object]]:
    return (await store.query(sql, tenant=DEFAULT_TENANT)).to_pylist()


async def test_samples_of_the_first_tables_are_all_there_after_the_migrations(any_store_url: str):
    async with Store(settings_of(any_store_url)) as old:
        await old.register(FIRST)
        for tenant in (DEFAULT_TENANT, OTHER):
            await write_old(old, tenant)
        sql = "SELECT max(expires_at) AS leaves FROM {table} WHERE tenant = {{tenant:String}}"
        leaves = await rows(old, sql.format(table="metric_samples"))
    for _ in range(2):  # and once more, when there is nothing to do
        async with Store(settings_of(any_store_url)) as lifted:
            await lifted.register(SCHEMA)
            for tenant in (DEFAULT_TENANT, OTHER):
                await is_whole(lifted, tenant)
            assert await rows(lifted, sql.format(table="metric_points")) == leaves
            there = (
                "SELECT count() AS n FROM system.tables WHERE database = currentDatabase() AND name = 'metric_samples'"
            )
            assert await rows(lifted, there + " AND {tenant:String} != ''") == [{"n": 0}]


async def test_a_migration_that_was_cut_off_is_done_again_without_loss(store_url: str):
    copy = SCHEMA.migrations[0]
    half = Schema("telemetry", SCHEMA.tables, (Migration(1, copy.title, (*copy.statements, "SELECT throwIf(1)")),))
    async with Store(settings_of(store_url)) as old:
        await old.register(FIRST)
        await write_old(old, DEFAULT_TENANT)
    async with Store(settings_of(store_url)) as cut:
        with pytest.raises(Exception, match="throwIf"):
            await cut.register(half)
    async with Store(settings_of(store_url)) as lifted:
        await lifted.register(SCHEMA)
        await is_whole(lifted, DEFAULT_TENANT)


async def test_slots_with_native_histograms_are_to_be_summed_up_again(store_url: str):
    before = Schema("telemetry", (HISTOGRAMS, ROLLUPS, ROLLED), SCHEMA.migrations[:2])
    insert = """SELECT {{tenant:String}} AS tenant, {columns}, now() + INTERVAL 9 DAY AS expires_at
        FROM numbers(3)"""
    async with Store(settings_of(store_url)) as old:
        await old.register(before)
        numbered = insert.format(columns="toInt32(number) AS slot, toInt64(100) AS samples")
        await old.derive(ROLLED, numbered, tenant=DEFAULT_TENANT)
        filled = ", ".join(f"defaultValueOfTypeName('{c.kind.sql}') AS {c.name}" for c in HISTOGRAMS.columns[1:])
        await old.derive(HISTOGRAMS, insert.format(columns=f"toInt32(1) AS slot, {filled}"), tenant=DEFAULT_TENANT)
    async with Store(settings_of(store_url)) as lifted:
        await lifted.register(SCHEMA)
        sql = "SELECT slot, samples FROM metric_rolled FINAL WHERE tenant = {tenant:String} ORDER BY slot"
        assert [row["samples"] for row in await rows(lifted, sql)] == [100, 0, 100]
