"""Calls, errors and durations of services, operations and edges, counted from stored spans.

What many spans would take too long to count is counted from a share of the traces, and scaled; the share is told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from holdfast.telemetry.traces.spans import SpanKind
from holdfast.telemetry.traces.tables import SLOT_NS

if TYPE_CHECKING:
    import pyarrow as pa

    from holdfast.kernel.ids import TenantId
    from holdfast.store import Store

MOST_SPANS: Final = 1_000_000  # that one question counts; more are a share of the traces
_WHERE: Final = (
    "tenant = {tenant:String} AND slot BETWEEN {first:Int32} AND {last:Int32}"
    " AND start_ns >= {start:Int64} AND start_ns < {end:Int64}"
    " AND expires_at > {counted:UInt32}"
)
_SHARE: Final = " AND cityHash64(trace_id) % {one_of:UInt32} = 0"
# FINAL makes one of a span that came twice: the engine merges parts in their order, which is a sixth of a DISTINCT.
_SPANS: Final = f"(SELECT {{columns}} FROM trace_spans FINAL WHERE {_WHERE}{_SHARE})"  # noqa: S608 -- constants
_TIMES: Final = "toUInt64(greatest(round(weight), 1))"  # that a span stands for, as digests take it
_RED: Final = (
    "sum(weight) AS calls, sumIf(weight, status = 2) AS errors,"
    f" quantilesTDigestWeighted(0.5, 0.95, 0.99)(duration_ns, {_TIMES}) AS durations"
)
_COUNT: Final = f"SELECT count() AS spans FROM trace_spans WHERE {_WHERE}"  # noqa: S608 -- constants
_NODES: Final = (
    "SELECT service AS name, sum(weight) AS spans, sumIf(weight, is_entry) AS calls,"  # noqa: S608 -- constants
    " sumIf(weight, is_entry AND status = 2) AS errors,"
    f" quantilesTDigestWeightedIf(0.5, 0.95, 0.99)(duration_ns, {_TIMES}, is_entry) AS durations"
    " FROM (SELECT *, kind IN (2, 5) OR parent_id = toFixedString('', 8) AS is_entry FROM "
    + _SPANS.replace("{columns}", "parent_id, service, kind, status, duration_ns, weight")
    + ") GROUP BY service ORDER BY service"
)
_OPERATIONS: Final = (
    f"SELECT name, kind, {_RED} FROM "  # noqa: S608 -- constants
    + _SPANS.replace("{columns}", "name, kind, status, duration_ns, weight").replace(
        "WHERE", "WHERE service = {service:String} AND"
    )
    + " GROUP BY name, kind ORDER BY calls DESC, name, kind"
)
_DIRECT: Final = (
    f"SELECT upper.service AS source, lower.service AS target, {_RED.replace('status', 'lower.status')},"  # noqa: S608 -- constants
    " max(lower.how) AS protocol"
    f" FROM {{lower}} AS lower INNER JOIN {{upper}} AS upper"
    " ON lower.trace_id = upper.trace_id AND lower.parent_id = upper.span_id"
    " WHERE upper.service != lower.service"
    " AND (upper.kind NOT IN (3, 4) OR lower.kind IN (0, 2, 5)) AND lower.topic = ''"
    " GROUP BY source, target ORDER BY source, target"
)
_HOW: Final = (
    "multiIf(attributes['messaging.system'] != '', attributes['messaging.system'], attributes['rpc.system'] != '',"
    " attributes['rpc.system'], attributes['http.request.method'] != '' OR attributes['http.method'] != '', 'http', '')"
    " AS how"
)
_PEER: Final = (
    "multiIf(attributes['peer.service'] != '', attributes['peer.service'], attributes['server.address'] != '',"
    " attributes['server.address'], attributes['net.peer.name']) AS peer"
)
_TOPIC: Final = "if(kind IN (4, 5), attributes['messaging.destination.name'], '') AS topic"
_DATABASE: Final = (
    "if(attributes['db.system.name'] != '', attributes['db.system.name'], attributes['db.system']) AS engine,"
    " multiIf(engine = '' OR kind != 3, '', attributes['db.namespace'] != '', concat(engine, '/',"
    " attributes['db.namespace']), attributes['db.name'] != '', concat(engine, '/', attributes['db.name']), engine)"
    " AS base"
)
_THROUGH: Final = (
    f"SELECT service, kind, topic, base, max(how) AS protocol, {_RED} FROM "  # noqa: S608 -- constants
    + _SPANS.replace(
        "{columns}", f"trace_id, span_id, service, kind, status, duration_ns, weight, {_TOPIC}, {_DATABASE}, {_HOW}"
    )
    + " WHERE topic != '' OR base != '' GROUP BY service, kind, topic, base ORDER BY service, kind, topic, base"
)
_UNANSWERED: Final = (
    f"SELECT service, peer, max(how) AS protocol, {_RED} FROM "  # noqa: S608 -- constants
    + _SPANS.replace(
        "{columns}", f"trace_id, span_id, service, kind, status, duration_ns, weight, {_PEER}, {_DATABASE}, {_HOW}"
    )
    + " AS upper LEFT ANTI JOIN "
    + _SPANS.replace("{columns}", "trace_id, parent_id AS span_id, kind IN (2, 5) AS is_answer")
    + " AS lower ON upper.trace_id = lower.trace_id AND upper.span_id = lower.span_id AND lower.is_answer"
    " WHERE kind = 3 AND peer != '' AND base = '' GROUP BY service, peer ORDER BY service, peer LIMIT 500"
)

Connection = Literal["call", "database", "to_topic", "from_topic", "external"]


@dataclass(frozen=True, slots=True)
class Rates:
    """What came of calls: how many, how many failed, how long they took (ms)."""

    calls: float
    errors: float
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


@dataclass(frozen=True, slots=True)
class ServiceRates:
    """A service with its spans, and the calls that came into it."""

    name: str
    spans: float
    rates: Rates


@dataclass(frozen=True, slots=True)
class OperationRates:
    """A name of spans, their kind, and what came of them."""

    name: str
    kind: SpanKind
    rates: Rates


@dataclass(frozen=True, slots=True)
class Edge:
    """Calls from one to another; a topic stands between those who send to it and those who take from it.

    An `external` target sends no spans: it is named by its callers. `protocol` is `http`, a system of RPC or a bus.
    """

    source: str
    target: str
    connection: Connection
    rates: Rates
    protocol: str = ""

    def idle(self) -> Edge:
        """Give it without calls."""
        return replace(self, rates=Rates(0.0, 0.0, None, None, None))

    @property
    def things(self) -> list[str]:
        """Give the ends that are no services."""
        is_source = self.connection == "from_topic"
        return [] if self.connection == "call" else [self.source if is_source else self.target]


@dataclass(frozen=True, slots=True)
class ServiceMap:
    """Who calls whom; of `share` of the traces (1 for all), scaled to all."""

    services: list[ServiceRates]
    edges: list[Edge]
    share: float


class TraceStatistics:
    """Counts spans of every tenant."""

    def __init__(
        self, store: Store, *, most_spans: int = MOST_SPANS, counted_after_s: Callable[[], int] = lambda: 0
    ) -> None:
        """Count rows that expire after `counted_after_s`: tail sampling says which ones are not judged or were kept."""
        self._store = store
        self._most_spans = most_spans
        self._counted_after_s = counted_after_s

    async def services(self, tenant: TenantId, start_ns: int, end_ns: int) -> list[ServiceRates]:
        """Give the services with spans in a time, by name."""
        return await self._services(tenant, await self._bounds(tenant, start_ns, end_ns))

    async def operations(self, tenant: TenantId, service: str, start_ns: int, end_ns: int) -> list[OperationRates]:
        """Give the operations of a service in a time, those with the most calls first."""
        bounds = await self._bounds(tenant, start_ns, end_ns)
        table = await self._ask(_OPERATIONS, {**bounds, "service": service}, tenant=tenant)
        scale = bounds["one_of"]
        return [OperationRates(row["name"], SpanKind(row["kind"]), _rates(row, scale)) for row in table.to_pylist()]

    async def map(self, tenant: TenantId, start_ns: int, end_ns: int) -> ServiceMap:
        """Give the services and the edges between them, databases and topics of a time."""
        bounds = await self._bounds(tenant, start_ns, end_ns)
        lower = _SPANS.replace(
            "{columns}", f"trace_id, span_id, parent_id, kind, status, duration_ns, weight, service, {_TOPIC}, {_HOW}"
        )
        upper = _SPANS.replace("{columns}", "trace_id, span_id, kind, service")
        sql = _DIRECT.replace("{lower}", lower).replace("{upper}", upper)
        direct = await self._ask(sql, bounds, tenant=tenant)
        through = await self._ask(_THROUGH, bounds, tenant=tenant)
        scale = bounds["one_of"]
        unanswered = await self._ask(_UNANSWERED, bounds, tenant=tenant)
        services = await self._services(tenant, bounds)
        edges = [_call(row, scale) for row in direct.to_pylist()]
        known = {service.name for service in services}
        edges += [_external(row, scale) for row in unanswered.to_pylist() if row["peer"] not in known]
        edges += [_edge_through(row, scale) for row in through.to_pylist()]
        return ServiceMap(services, edges, 1 / scale)

    async def _services(self, tenant: TenantId, bounds: dict[str, int]) -> list[ServiceRates]:
        table = await self._ask(_NODES, bounds, tenant=tenant)
        scale = bounds["one_of"]
        return [ServiceRates(row["name"], row["spans"] * scale, _rates(row, scale)) for row in table.to_pylist()]

    async def _ask(self, sql: str, bounds: dict[str, Any], *, tenant: TenantId) -> pa.Table:
        """Ask about all spans or a share of the traces; ids of traces cost as much to read as all else."""
        return await self._store.query(sql if bounds["one_of"] > 1 else sql.replace(_SHARE, ""), bounds, tenant=tenant)

    async def _bounds(self, tenant: TenantId, start_ns: int, end_ns: int) -> dict[str, int]:
        bounds = {
            "first": start_ns // SLOT_NS,
            "last": (end_ns - 1) // SLOT_NS,
            "start": start_ns,
            "end": end_ns,
            "counted": self._counted_after_s(),
        }
        table = await self._store.query(_COUNT, bounds, tenant=tenant)
        spans: int = table.column("spans")[0].as_py()
        return {**bounds, "one_of": -(-spans // self._most_spans) or 1}


def _rates(row: dict[str, Any], scale: int) -> Rates:
    durations = [ns / 1e6 for ns in row["durations"]] if row["calls"] > 0 else [None, None, None]
    return Rates(row["calls"] * scale, row["errors"] * scale, *durations)


def _call(row: dict[str, Any], scale: int) -> Edge:
    return Edge(row["source"], row["target"], "call", _rates(row, scale), row["protocol"])


def _external(row: dict[str, Any], scale: int) -> Edge:
    return Edge(row["service"], row["peer"], "external", _rates(row, scale), row["protocol"])


def _edge_through(row: dict[str, Any], scale: int) -> Edge:
    rates, service = _rates(row, scale), row["service"]
    if row["base"]:
        return Edge(service, row["base"], "database", rates, row["base"].partition("/")[0])
    if row["kind"] == SpanKind.PRODUCER:
        return Edge(service, row["topic"], "to_topic", rates, row["protocol"])
    return Edge(row["topic"], service, "from_topic", rates, row["protocol"])
