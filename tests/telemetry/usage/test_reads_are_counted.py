"""What queries read of logs is counted by stream and reader, and survives a restart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry

from fixtures.logs import Line, arrival, wanted
from holdfast.kernel.clock import FakeClock
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import Store
from holdfast.telemetry.logs import SCHEMA, LogSink, LogSource
from holdfast.telemetry.logs.keeping import READS_SCHEMA, LogReads, read_labels
from holdfast.telemetry.logs.logql import parse
from holdfast.telemetry.logs.logql.nodes import VectorAggregation
from holdfast.telemetry.logs.querying import LogEngine, Moments

NOW = datetime.now(UTC)  # what is older than its retention is not even stored
NOW_NS = int(NOW.timestamp()) * 10**9


async def test_reads_are_told_by_stream_over_a_restart(store: Store) -> None:
    await store.register(SCHEMA, READS_SCHEMA)
    clock, metrics = FakeClock(NOW), CollectorRegistry()
    reads = LogReads(store, clock, metrics)
    source = LogSource(store, clock=clock, reads=reads)
    sink = LogSink(store, clock=clock, watches=(source.directory,))
    lines = [
        Line(NOW_NS + number, "é" * size, {"service_name": name})
        for number, (name, size) in enumerate([("shop", 3), ("shop", 4), ("mail", 5)])
    ]
    await sink.append(DEFAULT_TENANT, arrival(sink, lines))

    async for _ in source.pages(DEFAULT_TENANT, wanted(())):
        pass
    await source.counts(DEFAULT_TENANT, wanted(()), step_ns=10**9)
    first = await reads.between(DEFAULT_TENANT, NOW.date(), NOW.date())
    again = await LogReads(store, clock).between(DEFAULT_TENANT, NOW.date(), NOW.date())

    assert first == again
    labels = await read_labels(store, DEFAULT_TENANT)
    told = {
        dict(labels[read.stream_id])["service_name"]: (read.reader, read.records, read.bytes, read.queries)
        for read in first
    }
    assert told == {"shop": ("holdfast", 4, 28, 2), "mail": ("holdfast", 2, 20, 2)}
    query = parse('sum by (x) (count_over_time({service_name="mail"} | logfmt [1h]))')
    assert isinstance(query, VectorAggregation)
    await LogEngine(source).numbers(DEFAULT_TENANT, query, Moments(NOW_NS + 10**9, NOW_NS + 10**9))
    more = {read.stream_id: read for read in await reads.between(DEFAULT_TENANT, NOW.date(), NOW.date())}
    assert {dict(labels[key])["service_name"]: read.records for key, read in more.items()} == {"shop": 4, "mail": 3}
    assert metrics.get_sample_value("holdfast_logs_read_bytes_total") == 58
    tomorrow = NOW.date() + timedelta(days=1)
    assert await reads.between(DEFAULT_TENANT, tomorrow, tomorrow) == []
