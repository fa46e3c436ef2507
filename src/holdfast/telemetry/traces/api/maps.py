"""What the REST API says of the map: who calls whom, what came of it, and what has changed since an earlier time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

from holdfast.telemetry.traces.api.documents import RatesOut, show_rates, show_time
from holdfast.telemetry.traces.findings import Change, EdgeState
from holdfast.telemetry.traces.statistics import Connection

if TYPE_CHECKING:
    from holdfast.telemetry.traces.findings import Drift, EdgeDrift
    from holdfast.telemetry.traces.statistics import ServiceMap

NodeWord = Literal["service", "database", "messaging", "external"]
_THINGS: Final[dict[Connection, NodeWord]] = {
    "database": "database",
    "to_topic": "messaging",
    "from_topic": "messaging",
    "external": "external",
}
_NS: Final = 10**9


@dataclass(frozen=True, slots=True)
class MapNode:
    """What calls or is called; `rates` are of the calls that came into it, null where nobody measured them."""

    name: str
    type: NodeWord
    spans: float
    rates: RatesOut | None


@dataclass(frozen=True, slots=True)
class MapEdge:
    """Calls from one node to another; with `from_topic` the source is a topic, otherwise it is a service.

    `protocol` is how they call: `http`, a system of RPC, of messaging or of databases; empty if spans do not say.
    `before` are the rates of the earlier time, null where there were no such calls or nothing was compared.
    """

    source: str
    target: str
    connection: Connection
    protocol: str
    rates: RatesOut
    before: RatesOut | None
    changes: list[Change]
    state: EdgeState


@dataclass(frozen=True, slots=True)
class MapOut:
    """Who calls whom. Figures are scaled to all traces where only `share` of them was counted (1: all).

    `before_at` is when the earlier time began, null if none was asked for; without `is_compared` it had no spans.
    """

    nodes: list[MapNode]
    edges: list[MapEdge]
    share: float
    started_at: datetime
    seconds: float
    before_at: datetime | None
    is_compared: bool


def show_map(found: ServiceMap, drift: Drift, time: tuple[int, int], before_ns: int | None) -> MapOut:
    """Show the map; databases, topics and what sends no spans become nodes of their own, gone ones too."""
    nodes = [MapNode(each.name, "service", each.spans, show_rates(each.rates)) for each in found.services]
    known = {(node.name, node.type) for node in nodes}

    def know(name: str, kind: NodeWord) -> None:
        if (name, kind) not in known:
            known.add((name, kind))
            nodes.append(MapNode(name, kind, 0, None))

    for each in drift.edges:
        edge = each.edge
        for name in (edge.source, edge.target):
            know(name, _THINGS[edge.connection] if name in edge.things else "service")
    start_ns, end_ns = time
    return MapOut(
        nodes,
        [_edge(each) for each in drift.edges],
        found.share,
        show_time(start_ns),
        (end_ns - start_ns) / _NS,
        None if before_ns is None else show_time(before_ns),
        drift.is_compared,
    )


def _edge(each: EdgeDrift) -> MapEdge:
    edge = each.edge
    return MapEdge(
        edge.source,
        edge.target,
        edge.connection,
        edge.protocol,
        show_rates(edge.rates),
        None if each.before is None else show_rates(each.before),
        list(each.changes),
        each.state,
    )
