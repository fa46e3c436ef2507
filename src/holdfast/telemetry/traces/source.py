"""Where traces come out of the store. Implements `TraceSource`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from holdfast.telemetry.traces.conditions import LAST_NS, slots
from holdfast.telemetry.traces.rows import COLUMNS, read_spans
from holdfast.telemetry.traces.searching import Search
from holdfast.telemetry.traces.selection import Dependency, Operation, TraceSummary
from holdfast.telemetry.traces.spans import SpanKind, Trace
from holdfast.telemetry.traces.tables import SLOT_NS
from holdfast.telemetry.traces.tracing import gather

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.store import Store
    from holdfast.telemetry.traces.selection import TraceSearch
    from holdfast.telemetry.traces.spans import Span

_LONGEST_SLOTS: Final = 24  # a trace that a search finds is read this far around it, in hours
_SLOTS: Final = "tenant = {tenant:String} AND slot BETWEEN {first:Int32} AND {last:Int32}"
_ONE: Final = f"SELECT {COLUMNS} FROM trace_spans WHERE {_SLOTS} AND trace_id IN ({{ids}})"  # noqa: S608 -- declared columns
_SUMMARIES: Final = (
    "SELECT trace_id, min(begun) AS first, max(ended) AS last, count() AS spans, countIf(worst = 2) AS errors,"  # noqa: S608 -- constants
    " argMin((whose, what), (is_below, begun, span_id)) AS root, sumMap([whose], [toUInt64(1)]) AS services"
    " FROM (SELECT trace_id, span_id, kind, min(start_ns) AS begun, max(start_ns + duration_ns) AS ended,"
    " max(status) AS worst, any(toString(service)) AS whose, any(toString(name)) AS what,"
    " any(parent_id != toFixedString('', 8)) AS is_below"
    f" FROM trace_spans WHERE {_SLOTS} AND trace_id IN ({{ids}}) GROUP BY trace_id, span_id, kind) GROUP BY trace_id"
)
_SERVICES: Final = (
    f"SELECT DISTINCT service FROM trace_spans WHERE {_SLOTS}"  # noqa: S608 -- constants
    " AND start_ns >= {start:Int64} AND start_ns < {end:Int64} ORDER BY service"
)
_OPERATIONS: Final = (
    f"SELECT DISTINCT name, kind FROM trace_spans WHERE {_SLOTS}"  # noqa: S608 -- constants
    " AND start_ns >= {start:Int64} AND start_ns < {end:Int64} AND service = {service:String} ORDER BY name, kind"
)
_CALLS: Final = (
    "SELECT parent.service AS parent, child.service AS child, count() AS calls"  # noqa: S608 -- constants
    f" FROM (SELECT DISTINCT trace_id, span_id, parent_id, service FROM trace_spans WHERE {_SLOTS}"
    " AND start_ns >= {start:Int64} AND start_ns < {end:Int64}) AS child"
    f" INNER JOIN (SELECT DISTINCT trace_id, span_id, service FROM trace_spans WHERE {_SLOTS}) AS parent"
    " ON child.trace_id = parent.trace_id AND child.parent_id = parent.span_id"
    " WHERE parent.service != child.service GROUP BY parent, child ORDER BY parent, child"
)


class StoredTraces:
    """Reads traces of every tenant."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def trace(self, tenant: TenantId, trace_id: str, *, start_ns: int = 0, end_ns: int = 0) -> Trace | None:
        """Give a trace by its id; a time in which it began makes it quicker."""
        bounds = slots(start_ns - SLOT_NS, (end_ns or LAST_NS) + _LONGEST_SLOTS * SLOT_NS)
        return (await self._read(tenant, [trace_id], bounds)).get(trace_id)

    async def spans(self, tenant: TenantId, trace_id: str, span_id: str) -> Sequence[Span]:
        """Give the spans of a trace that have an id."""
        sql, values = _with_ids(f"{_ONE} AND span_id = unhex({{span:String}})", [trace_id])
        table = await self._store.query(sql, values | slots(0, LAST_NS) | {"span": span_id}, tenant=tenant)
        found = gather(read_spans(table)).get(trace_id)
        return list(found.spans) if found is not None else ()

    async def traces(self, tenant: TenantId, search: TraceSearch) -> list[Trace]:
        """Give the traces that a search finds, whole."""
        found = await Search(self._store, tenant, search).find()
        if not found:
            return []
        traces = await self._read(tenant, list(found), _around(search))
        return [traces[trace_id] for trace_id in found]

    async def search(self, tenant: TenantId, search: TraceSearch) -> list[TraceSummary]:
        """Give a line for each trace that a search finds; the spans are counted in the store."""
        found = await Search(self._store, tenant, search).find()
        if not found:
            return []
        sql, values = _with_ids(_SUMMARIES, list(found))
        table = await self._store.query(sql, values | _around(search), tenant=tenant)
        lines = {line.trace_id: line for line in (_summary(row, found) for row in table.to_pylist())}
        return [lines[trace_id] for trace_id in found]

    async def services(self, tenant: TenantId, start_ns: int, end_ns: int) -> list[str]:
        """Give the names of services with spans in a time."""
        values = {**slots(start_ns, end_ns), "start": start_ns, "end": end_ns}
        table = await self._store.query(_SERVICES, values, tenant=tenant)
        services: list[str] = table.column("service").to_pylist()
        return services

    async def operations(self, tenant: TenantId, service: str, start_ns: int, end_ns: int) -> list[Operation]:
        """Give the operations of a service in a time."""
        values = {**slots(start_ns, end_ns), "start": start_ns, "end": end_ns, "service": service}
        table = await self._store.query(_OPERATIONS, values, tenant=tenant)
        return [Operation(row["name"], SpanKind(row["kind"])) for row in table.to_pylist()]

    async def dependencies(self, tenant: TenantId, start_ns: int, end_ns: int) -> Sequence[Dependency]:
        """Give who calls whom in a time."""
        values = {**slots(start_ns, end_ns), "start": start_ns, "end": end_ns}
        table = await self._store.query(_CALLS, values, tenant=tenant)
        return [Dependency(row["parent"], row["child"], row["calls"]) for row in table.to_pylist()]

    async def _read(self, tenant: TenantId, ids: Sequence[str], bounds: dict[str, int]) -> dict[str, Trace]:
        sql, values = _with_ids(_ONE, ids)
        table = await self._store.query(sql, values | bounds, tenant=tenant)
        return await asyncio.to_thread(lambda: gather(read_spans(table)))


def _with_ids(sql: str, ids: Sequence[str]) -> tuple[str, dict[str, Any]]:
    places = ", ".join(f"unhex({{id{number}:String}})" for number in range(len(ids)))
    return sql.replace("{ids}", places), {f"id{number}": trace_id for number, trace_id in enumerate(ids)}


def _summary(row: dict[str, Any], found: dict[str, int]) -> TraceSummary:
    trace_id = row["trace_id"].hex()
    root = row["root"]
    service, name = root.values() if isinstance(root, dict) else root
    counts = row["services"]
    names, numbers = counts.values() if isinstance(counts, dict) else counts
    services = dict(sorted(zip(names, numbers, strict=True), key=lambda pair: (-pair[1], pair[0])))
    times = row["first"], row["last"] - row["first"]
    return TraceSummary(trace_id, *times, service, name, row["spans"], row["errors"], services, found[trace_id])


def _around(search: TraceSearch) -> dict[str, int]:
    return slots(search.start_ns - _LONGEST_SLOTS * SLOT_NS, search.end_ns + _LONGEST_SLOTS * SLOT_NS)
