"""What questions about many traces cost on the embedded engine: latencies, groups, a comparison, the map.

The spans are made in the engine: traces of ten spans over six hours, each span below the one before it; then a trace of
100,000 spans, read and shown as the API does. Prints wall time and the processor's time of the whole process.
Run: python benchmarks/traces_findings.py [SPANS]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import orjson

from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import Store, StoreSettings
from holdfast.telemetry.traces import SCHEMA, StoredTraces, TraceSearch
from holdfast.telemetry.traces.api.whole import show_trace
from holdfast.telemetry.traces.findings import (
    SpanCounts,
    TraceComparison,
    find_failed,
    find_slow,
    map_latency,
    the_rest,
)
from holdfast.telemetry.traces.statistics import TraceStatistics
from holdfast.telemetry.traces.tables import SLOT_NS, SPANS

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
HOURS, PER_TRACE, LONG = 6, 10, 100_000
MAKE = f"""
SELECT {{tenant:String}} AS tenant, toInt32(intDiv(start_ns, {SLOT_NS})) AS slot,
  toFixedString(MD5(toString(intDiv(number, {{per:UInt64}}) + {{salt:UInt64}})), 16) AS trace_id,
  toInt64({{base:Int64}} + intDiv(number, {{per:UInt64}}) * {{step:Int64}} + (number % {{per:UInt64}}) * 1000000)
    AS start_ns,
  reinterpretAsFixedString(number + 1) AS span_id,
  if(number % {{per:UInt64}} = 0, toFixedString('', 8),
     reinterpretAsFixedString(if({{per:UInt64}} = {PER_TRACE}, number, intDiv(number, 100) * 100 + 1))) AS parent_id,
  toInt64(1000000 * pow(10, (cityHash64(number) % 3000) / 1000)) AS duration_ns,
  concat('service-', toString(number % {{per:UInt64}} % {PER_TRACE})) AS service,
  concat('operation-', toString(cityHash64(number, 2) % 20)) AS name,
  toUInt8(2 + number % 2) AS kind, toUInt8(if(cityHash64(number, 3) % 100 = 0, 2, 0)) AS status,
  if(status = 2, concat('no answer in ', toString(number % 900), ' ms'), '') AS status_message,
  map('http.route', concat('/path/', toString(cityHash64(number, 4) % 200)),
      'user.id', toString(cityHash64(number, 5) % 100000)) AS attributes,
  'ss' AS types, '{{"service.name":"x","region":"eu"}}' AS resource, 'bench' AS scope, '' AS events, '' AS links,
  '' AS trace_state, toFloat64(1) AS weight, toDateTime(now() + 864000) AS expires_at
FROM numbers({{count:UInt64}})
"""


async def measure(name: str, ask: Callable[[], Awaitable[object]]) -> None:
    started, busy = time.perf_counter(), time.process_time()
    found = await ask()
    print(f"{name:<52}{time.perf_counter() - started:>8.2f} s{time.process_time() - busy:>8.2f} s   {found}")


async def ask_all(store: Store, base_ns: int, end_ns: int) -> None:
    counts, statistics, source = SpanCounts(store), TraceStatistics(store), StoredTraces(store)
    everything = TraceSearch(base_ns, end_ns)
    one = replace(everything, service="service-3")
    slow = replace(everything, service="service-0", min_ns=900 * 10**6)
    hour = end_ns - SLOT_NS

    async def latency(search: TraceSearch) -> str:
        found = await map_latency(counts, DEFAULT_TENANT, search, 72)
        return f"{len(found.spans)} cells of {found.total:.0f} spans, share {found.share:.2f}"

    async def groups(search: TraceSearch, find: Callable[..., Awaitable[object]]) -> str:
        found = await find(counts, DEFAULT_TENANT, search, 50)
        return f"{len(found.items)} groups, share {found.share:.2f}"  # type: ignore[attr-defined] -- both give groups

    async def compare(most: int) -> str:
        found = await TraceComparison(counts).compare(DEFAULT_TENANT, slow, the_rest(slow), most=most)
        return f"{found.chosen.sampled} of {found.chosen.traces} beside {found.others.sampled} of {found.others.traces}"

    async def service_map(start_ns: int) -> str:
        found = await statistics.map(DEFAULT_TENANT, start_ns, end_ns)
        return f"{len(found.edges)} edges, share {found.share:.2f}"

    async def long_trace() -> str:
        table = await store.query(
            "SELECT hex(trace_id) AS id FROM trace_spans WHERE tenant = {tenant:String}"
            " GROUP BY trace_id HAVING count() > 1000",
            tenant=DEFAULT_TENANT,
        )
        trace = await source.trace(DEFAULT_TENANT, table.column("id")[0].as_py().lower())
        assert trace is not None
        document = await asyncio.to_thread(lambda: orjson.dumps(show_trace(trace), option=orjson.OPT_UTC_Z))
        return f"{len(trace.spans)} spans, {len(document) / 1e6:.1f} MB"

    print(f"{'':<52}{'wall':>10}{'processor':>10}")
    await measure("latencies of a service, six hours", lambda: latency(one))
    await measure("latencies of everything, six hours", lambda: latency(everything))
    await measure("failed spans in groups, six hours", lambda: groups(everything, find_failed))
    await measure("slow spans of a service in groups, six hours", lambda: groups(one, find_slow))
    await measure(
        "slow spans of everything in groups, an hour", lambda: groups(replace(everything, start_ns=hour), find_slow)
    )
    await measure("slow traces against the rest, 1,000 a side", lambda: compare(1000))
    await measure("slow traces against the rest, 5,000 a side", lambda: compare(5000))
    await measure("the map of an hour", lambda: service_map(hour))
    await measure("the map of six hours", lambda: service_map(base_ns))
    await measure("a trace of 100,000 spans, found, read and shown", long_trace)


async def main() -> None:
    with tempfile.TemporaryDirectory(prefix="traces-findings-") as folder:
        store = Store(StoreSettings(fsync_after_insert=False), folder=Path(folder))
        await store.register(SCHEMA)
        async with store:
            end_ns = time.time_ns()
            base_ns = end_ns - HOURS * SLOT_NS
            for count, per, salt in ((COUNT, PER_TRACE, 0), (LONG, LONG, COUNT)):
                values = {"base": base_ns, "count": count, "per": per, "salt": salt}
                values["step"] = HOURS * SLOT_NS // max(count // per, 1)
                await store.derive(SPANS, MAKE, values, tenant=DEFAULT_TENANT)
            await ask_all(store, base_ns, end_ns)


asyncio.run(main())
