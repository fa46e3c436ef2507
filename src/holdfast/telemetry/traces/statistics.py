"""Calls, errors and durations of services, operations and edges, counted from stored spans.

What many spans would take too long to count is counted from a share of the traces, and scaled; the share is told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from holdfast.telemetry.traces.spans import SpanKind
from holdfast.telemetry.traces.tables import SLOT_NS

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.store import Store

MOST_SPANS: Final = 1_000_000  # that one question counts; more are a share of the traces
_WHERE: Final = (
    "tenant = {tenant:String} AND slot BETWEEN {first:Int32} AND {last:Int32}"
    " AND start_ns >= {start:Int64} AND start_ns < {end:Int64}"
    " AND expires_at > {counted:UInt32}"
)
_SHARE: Final = " AND cityHash64(trace_id) % {one_of:UInt32} = 0"
_SPANS: Final = f"(SELECT DISTINCT * FROM (SELECT {{columns}} FROM trace_spans WHERE {_WHERE}{_SHARE}))"  # noqa: S608 -- constants
_RED: Final = (
    "sum(weight) AS calls, sumIf(weight, status = 2) AS errors, quantileTDigest(0.5)(duration_ns) AS p50,"
    " quantileTDigest(0.95)(duration_ns) AS p95"
)
_COUNT: Final = f"SELECT count() AS spans FROM trace_spans WHERE {_WHERE}"  # noqa: S608 -- constants
_NODES: Final = (
    "SELECT service AS name, sum(weight) AS spans, sumIf(weight, is_entry) AS calls,"  # noqa: S608 -- constants
    " sumIf(weight, is_entry AND status = 2) AS errors, quantileTDigestIf(0.5)(duration_ns, is_entry) AS p50,"
    " quantileTDigestIf(0.95)(duration_ns, is_entry) AS p95 FROM (SELECT *, kind IN (2, 5) OR parent_id ="
    " toFixedString('', 8) AS is_entry FROM "
    + _SPANS.replace("{columns}", "trace_id, span_id, parent_id, service, kind, status, duration_ns, weight")
    + ") GROUP BY service ORDER BY service"
)
_OPERATIONS: Final = (
    f"SELECT name, kind, {_RED} FROM "  # noqa: S608 -- constants
    + _SPANS.replace("{columns}", "trace_id, span_id, name, kind, status, duration_ns, weight, service")
    + " WHERE service = {service:String} GROUP BY name, kind ORDER BY calls DESC, name, kind"
)
_DIRECT: Final = (
    f"SELECT upper.service AS source, lower.service AS target, {_RED.replace('status', 'lower.status')}"  # noqa: S608 -- constants
    f" FROM {{lower}} AS lower INNER JOIN {{upper}} AS upper"
    " ON lower.trace_id = upper.trace_id AND lower.parent_id = upper.span_id"
    " WHERE upper.service != lower.service"
    " AND (upper.kind NOT IN (3, 4) OR lower.kind IN (0, 2, 5)) AND lower.topic = ''"
    " GROUP BY source, target ORDER BY source, target"
)
_TOPIC: Final = "if(kind IN (4, 5), attributes['messaging.destination.name'], '') AS topic"
_DATABASE: Final = (
    "if(attributes['db.system.name'] != '', attributes['db.system.name'], attributes['db.system']) AS engine,"
    " multiIf(engine = '' OR kind != 3, '', attributes['db.namespace'] != '', concat(engine, '/',"
    " attributes['db.namespace']), attributes['db.name'] != '', concat(engine, '/', attributes['db.name']), engine)"
    " AS base"
)
_THROUGH: Final = (
    f"SELECT service, kind, topic, base, {_RED} FROM "  # noqa: S608 -- constants
    + _SPANS.replace(
        "{columns}", f"trace_id, span_id, service, kind, status, duration_ns, weight, {_TOPIC}, {_DATABASE}"
    )
    + " WHERE topic != '' OR base != '' GROUP BY service, kind, topic, base ORDER BY service, kind, topic, base"
)


Connection = Literal["call", "database", "to_topic", "from_topic"]


@dataclass(frozen=True, slots=True)
class Rates:
    """What came of calls: how many, how many failed, how long they took (ms)."""

    calls: float
    errors: float
    p50_ms: float | None
    p95_ms: float | None


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
    """Calls from one to another; a topic stands between those who send to it and those who take from it."""

    source: str
    target: str
    connection: Connection
    rates: Rates

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
        table = await self._store.query(_OPERATIONS, {**bounds, "service": service}, tenant=tenant)
        scale = bounds["one_of"]
        return [OperationRates(row["name"], SpanKind(row["kind"]), _rates(row, scale)) for row in table.to_pylist()]

    async def map(self, tenant: TenantId, start_ns: int, end_ns: int) -> ServiceMap:
        """Give the services and the edges between them, databases and topics of a time."""
        bounds = await self._bounds(tenant, start_ns, end_ns)
        lower = _SPANS.replace(
            "{columns}", f"trace_id, span_id, parent_id, kind, status, duration_ns, weight, service, {_TOPIC}"
        )
        upper = _SPANS.replace("{columns}", "trace_id, span_id, kind, service")
        sql = _DIRECT.replace("{lower}", lower).replace("{upper}", upper)
        direct = await self._store.query(sql, bounds, tenant=tenant)
        through = await self._store.query(_THROUGH, bounds, tenant=tenant)
        scale = bounds["one_of"]
        edges = [Edge(row["source"], row["target"], "call", _rates(row, scale)) for row in direct.to_pylist()]
        edges += [_edge_through(row, scale) for row in through.to_pylist()]
        return ServiceMap(await self._services(tenant, bounds), edges, 1 / scale)

    async def _services(self, tenant: TenantId, bounds: dict[str, int]) -> list[ServiceRates]:
        table = await self._store.query(_NODES, bounds, tenant=tenant)
        scale = bounds["one_of"]
        return [ServiceRates(row["name"], row["spans"] * scale, _rates(row, scale)) for row in table.to_pylist()]

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
    has_calls = row["calls"] > 0
    return Rates(
        row["calls"] * scale,
        row["errors"] * scale,
        row["p50"] / 1e6 if has_calls else None,
        row["p95"] / 1e6 if has_calls else None,
    )


def _edge_through(row: dict[str, Any], scale: int) -> Edge:
    rates, service = _rates(row, scale), row["service"]
    if row["base"]:
        return Edge(service, row["base"], "database", rates)
    if row["kind"] == SpanKind.PRODUCER:
        return Edge(service, row["topic"], "to_topic", rates)
    return Edge(row["topic"], service, "from_topic", rates)
