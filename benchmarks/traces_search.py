"""How long a trace by its id and searches take among five million spans, on the embedded engine.

The spans are made in the engine: traces of ten spans of 20 services over six hours. Each question is asked of other
traces every time, through the source that the API uses. Prints the median, the slowest,
and the processor time that it took.
Run: python benchmarks/traces_search.py [SPANS]
"""

from __future__ import annotations

import asyncio
import hashlib
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import Store, StoreSettings
from holdfast.telemetry.traces import SCHEMA, SpanStatus, StoredTraces, TraceSearch
from holdfast.telemetry.traces.statistics import TraceStatistics
from holdfast.telemetry.traces.tables import SLOT_NS, SPANS

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
PER_TRACE = 10
HOURS = 6
ROUNDS = 15
MAKE = f"""
SELECT {{tenant:String}} AS tenant, toInt32(intDiv(start_ns, {SLOT_NS})) AS slot,
  toFixedString(MD5(toString(intDiv(number, {PER_TRACE}))), 16) AS trace_id,
  toInt64({{base:Int64}} + intDiv(number, {PER_TRACE}) * {{step:Int64}} + (number % {PER_TRACE}) * 1000000) AS start_ns,
  reinterpretAsFixedString(number + 1) AS span_id,
  if(number % {PER_TRACE} = 0, toFixedString('', 8), reinterpretAsFixedString(number)) AS parent_id,
  toInt64(1000000 * pow(10, (cityHash64(number) % 3000) / 1000)) AS duration_ns,
  concat('service-', toString(cityHash64(number, 1) % 20)) AS service,
  concat('operation-', toString(cityHash64(number, 2) % 50)) AS name,
  toUInt8(2 + number % 2) AS kind, toUInt8(if(cityHash64(number, 3) % 100 = 0, 2, 0)) AS status, '' AS status_message,
  map('http.route', concat('/path/', toString(cityHash64(number, 4) % 200)),
      'user.id', toString(cityHash64(number, 5) % 100000)) AS attributes,
  'ss' AS types, '{{"service.name":"x"}}' AS resource, 'bench' AS scope, '' AS events, '' AS links, '' AS trace_state,
  toFloat64(1) AS weight, toDateTime(now() + 864000) AS expires_at
FROM numbers({{count:UInt64}})
"""


def trace_of(number: int) -> str:
    return hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()


async def measure(name: str, ask: Callable[[int], Awaitable[int]]) -> None:
    took, busy, found = [], [], 0
    for number in range(ROUNDS):
        started, before = time.perf_counter(), time.process_time()
        found += await ask(number)
        took.append((time.perf_counter() - started) * 1000)
        busy.append((time.process_time() - before) * 1000)
    times = f"{statistics.median(took):>9.1f} ms{max(took):>9.1f} ms{statistics.median(busy):>9.1f} ms"
    print(f"{name:<44}{times}   {found / ROUNDS:.0f} found")


async def main() -> None:
    with tempfile.TemporaryDirectory(prefix="traces-search-") as folder:
        store = Store(StoreSettings(fsync_after_insert=False), folder=Path(folder))
        await store.register(SCHEMA)
        async with store:
            end_ns = time.time_ns()
            base_ns = end_ns - HOURS * SLOT_NS
            step_ns = HOURS * SLOT_NS // (COUNT // PER_TRACE)
            started = time.perf_counter()
            await store.derive(SPANS, MAKE, {"base": base_ns, "step": step_ns, "count": COUNT}, tenant=DEFAULT_TENANT)
            print(f"{COUNT} spans made in {time.perf_counter() - started:.1f} s")
            await rest(store)
            await ask_all(store, base_ns, end_ns)


async def rest(store: Store) -> None:
    """Wait until the engine has merged what it wants to merge."""
    sql = "SELECT count() AS merges FROM system.merges WHERE {tenant:String} != ''"
    calm = 0
    while calm < 10:
        table = await store.query(sql, tenant=DEFAULT_TENANT)
        calm = calm + 1 if table.column("merges")[0].as_py() == 0 else 0
        await asyncio.sleep(0.2)


async def ask_all(store: Store, base_ns: int, end_ns: int) -> None:
    source, counts = StoredTraces(store), TraceStatistics(store)
    traces = COUNT // PER_TRACE

    async def by_id(number: int) -> int:
        trace = await source.trace(DEFAULT_TENANT, trace_of(number * 7919 % traces))
        return len(trace.spans) if trace else 0

    async def search(number: int, start_ns: int, **wanted: object) -> int:
        asked = TraceSearch(start_ns, end_ns, f"service-{number % 20}", **wanted)  # type: ignore[arg-type] -- by name
        return len(await source.search(DEFAULT_TENANT, asked))

    print(f"{'':<44}{'median':>12}{'slowest':>12}{'processor':>12}")
    await measure("trace by id", by_id)
    hour_ns = end_ns - SLOT_NS
    await measure("search an hour: service", lambda n: search(n, hour_ns))
    await measure("search six hours: service", lambda n: search(n, base_ns))
    await measure("search six hours: failed", lambda n: search(n, base_ns, status=SpanStatus.ERROR))
    await measure("search six hours: over 900 ms", lambda n: search(n, base_ns, min_ns=900 * 10**6))
    await measure("search six hours: attribute", lambda n: search(n, base_ns, attributes={"http.route": f"/path/{n}"}))

    await measure(
        "search six hours: rare attribute", lambda n: search(n, base_ns, attributes={"user.id": str(n * 777)})
    )
    await measure("search six hours: nothing there", lambda n: search(n, base_ns, attributes={"user.id": f"no {n}"}))

    async def page(number: int) -> int:
        asked = TraceSearch(base_ns, end_ns, f"service-{number % 20}")
        first = await source.search(DEFAULT_TENANT, asked)
        behind = (first[-1].newest_ns, first[-1].trace_id)
        return len(await source.search(DEFAULT_TENANT, replace(asked, behind=behind)))

    await measure("search six hours: two pages", page)

    async def services(_: int) -> int:
        return len(await counts.services(DEFAULT_TENANT, hour_ns, end_ns))

    await measure("services of an hour with their rates", services)

    async def names(_: int) -> int:
        return len(await source.services(DEFAULT_TENANT, hour_ns, end_ns))

    async def week_of_names(_: int) -> int:
        return len(await source.services(DEFAULT_TENANT, end_ns - 7 * 24 * SLOT_NS, end_ns))

    async def operations(number: int) -> int:
        return len(await source.operations(DEFAULT_TENANT, f"service-{number % 20}", hour_ns, end_ns))

    async def week_of_operations(number: int) -> int:
        return len(await source.operations(DEFAULT_TENANT, f"service-{number % 20}", base_ns, end_ns))

    async def rates_of_operations(number: int) -> int:
        return len(await counts.operations(DEFAULT_TENANT, f"service-{number % 20}", hour_ns, end_ns))

    await measure("operations of a service with their rates", rates_of_operations)
    await measure("names of services, an hour", names)
    await measure("names of services, a week (Jaeger)", week_of_names)
    await measure("names of operations, an hour", operations)
    await measure("names of operations, six hours", week_of_operations)


asyncio.run(main())
