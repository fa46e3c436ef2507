"""What sums save: queries over 30 days and a year, out of sums and out of raw samples, and what each takes on disk.

Run it with `python benchmarks/metrics_rollups.py`. The samples are made inside the engine: 30 counters every 15 s for
30 days, 3 for a year, 2 native histograms every 60 s for 30 days. Nothing is remembered between queries, and answers
that differ fail it.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from holdfast.kernel.clock import SystemClock
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.units import format_size
from holdfast.store import Store, StoreSettings
from holdfast.telemetry import SCHEMA, MetricSource
from holdfast.telemetry.metrics import MetricsSettings, Rolling
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.promql import Engine
from holdfast.telemetry.metrics.promql.evaluation.frames import Frame
from holdfast.telemetry.metrics.series import series_id
from holdfast.telemetry.metrics.settings import RollupSettings
from holdfast.telemetry.metrics.tables import HISTOGRAMS, NATIVE_ROLLUPS, POINTS, ROLLUPS, SERIES, SLOT_MS

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
END_MS = (int(datetime.now(UTC).timestamp() * 1000) // DAY_MS - 1) * DAY_MS
CHUNK = 4_000_000


@dataclass(frozen=True, slots=True)
class Metric:
    """Series of one name, sampled at an even pace up to `END_MS`."""

    name: str
    series: int
    days: int
    every_ms: int
    is_native: bool = False

    @property
    def start_ms(self) -> int:
        """The time of the first sample."""
        return END_MS - self.days * DAY_MS + self.every_ms

    @property
    def ids(self) -> list[int]:
        """The ids of the series."""
        named = ({"__name__": self.name, "job": f"j{n % 5}", "instance": f"i{n}"} for n in range(self.series))
        return [series_id(labels_of(labels)) for labels in named]


MONTH = Metric("month_total", 30, 30, 15_000)
YEAR = Metric("year_total", 3, 365, 15_000)
NATIVE = Metric("latency", 2, 30, 60_000, is_native=True)

QUERIES = (
    (30, HOUR_MS, "month_total"),
    (30, HOUR_MS, "rate(month_total[1h])"),
    (30, HOUR_MS, "sum by (job) (rate(month_total[1h]))"),
    (30, HOUR_MS, "max_over_time(month_total[1h])"),
    (30, 10 * 60_000, "sum(rate(month_total[10m]))"),
    (30, HOUR_MS, "histogram_quantile(0.9, sum(rate(latency[1h])))"),
    (365, DAY_MS, "increase(year_total[1d])"),
    (365, DAY_MS, "avg_over_time(year_total[1d])"),
    (365, 6 * HOUR_MS, "sum(rate(year_total[6h]))"),
)

_SERIES = """SELECT {tenant:String} AS tenant, {name:String} AS name, {ids:Array(UInt64)}[number + 1] AS series_id,
    map('instance', concat('i', toString(number)), 'job', concat('j', toString(number % 5))) AS labels,
    fromUnixTimestamp64Milli({first:Int64}, 'UTC') AS first_seen,
    fromUnixTimestamp64Milli({last:Int64}, 'UTC') AS last_seen,
    now('UTC') AS heard_at, now('UTC') + INTERVAL 9 YEAR AS expires_at FROM numbers({count:UInt64})"""
_PLACE = f"""{{tenant:String}} AS tenant, toInt32(intDiv(ts_ms, {SLOT_MS})) AS slot,
    {{ids:Array(UInt64)}}[1 + number % {{count:UInt64}}] AS series_id,
    toInt64(intDiv(number, {{count:UInt64}})) AS tick,
    {{first:Int64}} + tick * {{every:Int64}} AS ts_ms, toInt64(0) AS start_ms,
    now('UTC') + INTERVAL 9 YEAR AS expires_at"""
# A counter that a restart of its process resets each ten days.
_POINTS = f"""SELECT {_PLACE}, toFloat64((tick % 57600) * 10 + cityHash64(number) % 10) AS value
    FROM numbers({{begin:UInt64}}, {{length:UInt64}})"""
_NATIVES = f"""SELECT {_PLACE}, toInt8(3) AS schema, toInt32(-12) AS pos_first, toInt32(0) AS neg_first,
    arrayMap(i -> toFloat64((tick % 28800) * i), range(1, 31)) AS pos_counts,
    arraySum(pos_counts) AS count, count * 0.3 AS sum, 0.001 AS zero_threshold, 0. AS zero_count,
    CAST([], 'Array(Float64)') AS neg_counts, CAST([], 'Array(Float64)') AS custom_values,
    toInt8(0) AS hint
    FROM numbers({{begin:UInt64}}, {{length:UInt64}})"""


async def fill(store: Store, metric: Metric) -> int:
    """Make the samples inside the engine; give their number."""
    span = {"first": metric.start_ms, "last": END_MS, "count": metric.series, "ids": metric.ids}
    await store.derive(SERIES, _SERIES, {"name": metric.name, **span}, tenant=DEFAULT_TENANT)
    total = metric.series * metric.days * DAY_MS // metric.every_ms
    table, select = (HISTOGRAMS, _NATIVES) if metric.is_native else (POINTS, _POINTS)
    chunk = CHUNK // 40 if metric.is_native else CHUNK
    for begin in range(0, total, chunk):
        values = {"every": metric.every_ms, "begin": begin, "length": min(chunk, total - begin), **span}
        await store.derive(table, select, values, tenant=DEFAULT_TENANT)
    return total


async def ask(source: MetricSource, query: str, days: int, step_ms: int) -> tuple[float, Frame]:
    """Give the time in milliseconds, and the answer."""
    begun = time.perf_counter()
    answer = await Engine(source).range(DEFAULT_TENANT, query, END_MS - days * DAY_MS + step_ms, END_MS, step_ms)
    return (time.perf_counter() - begun) * 1000, answer.grid


def check_same(query: str, one: Frame, other: Frame) -> None:
    """Refuse answers that differ."""
    mine, theirs = ({labels: row for row, labels in enumerate(grid.labels)} for grid in (one, other))
    if mine.keys() != theirs.keys():
        raise SystemExit(f"{query}: {len(mine)} series out of sums, {len(theirs)} out of raw samples")
    rows = [theirs[labels] for labels in one.labels]
    if not (one.present == other.present[rows]).all():
        raise SystemExit(f"{query}: points are missing")
    if not np.allclose(one.values[one.present], other.values[rows][one.present], rtol=1e-9):
        raise SystemExit(f"{query}: values differ")


async def main() -> None:
    """Fill, sum up, ask both ways."""
    with tempfile.TemporaryDirectory() as folder:
        settings = StoreSettings(fsync_after_insert=False, query_timeout=120, retention=10 * 365 * 86_400.0)
        async with Store(settings, folder=Path(folder)) as store:
            await store.register(SCHEMA)
            begun = time.perf_counter()
            count = sum([await fill(store, metric) for metric in (MONTH, YEAR, NATIVE)])
            print(f"{count:,} samples made in {time.perf_counter() - begun:.1f} s")
            await measure(store, count)


async def measure(store: Store, count: int) -> None:
    """Sum up, then print sizes and a line per query."""
    always = RollupSettings(least_samples=0)
    sums = MetricSource(store, settings=MetricsSettings(rollups=always))
    raw = MetricSource(store, settings=MetricsSettings(rollups=RollupSettings(least_samples=10**15)))
    begun = time.perf_counter()
    slots = await Rolling(store, sums.rolled, always, SystemClock()).roll(DEFAULT_TENANT)
    took = time.perf_counter() - begun
    print(f"{slots} slots summed up in {took:.1f} s: {count / took / 1e6:.2f} million samples a second")
    for table, keys in (
        (POINTS, ()),
        (ROLLUPS, ("resolution_ms",)),
        (HISTOGRAMS, ()),
        (NATIVE_ROLLUPS, ("resolution_ms",)),
    ):
        for row in (await store.volume.shares(table, ("tenant", *keys))).to_pylist():
            of = f" of {row['resolution_ms'] // 60_000} min" if keys else ""
            print(f"{format_size(round(row['bytes'])):>10}  {table.name}{of}, {row['rows']:,} rows")
    print(f"{'raw ms':>9} {'sums ms':>9} {'ratio':>6}")
    for days, step_ms, query in QUERIES:
        slow, expected = await ask(raw, query, days, step_ms)
        fast, found = await ask(sums, query, days, step_ms)
        check_same(query, found, expected)
        print(f"{slow:9.0f} {fast:9.0f} {slow / fast:6.1f}  {query} over {days} days")


if __name__ == "__main__":
    asyncio.run(main())
