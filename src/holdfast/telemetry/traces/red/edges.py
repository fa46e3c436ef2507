"""Counts calls between services: the span of a client and the span of a server below it, which come apart, make one.

A call to a database has no span on the other side, and counts at once. Who calls something that sends no spans is seen
by `peer.service` when nobody has answered in time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.telemetry.traces.red.tallies import Example, Tallies, Tally, buckets_of
from holdfast.telemetry.traces.spans import SpanKind, SpanStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.telemetry.traces.settings import SpanMetricsSettings
    from holdfast.telemetry.traces.spans import Spans

_NS_PER_MS: Final = 10**6
_CALLERS: Final = (SpanKind.CLIENT, SpanKind.PRODUCER)
_CALLED: Final = (SpanKind.SERVER, SpanKind.CONSUMER)


class EdgeKey(NamedTuple):
    """Who calls whom; `connection` is empty for a call, else `database`, `messaging_system`, `virtual_node`."""

    client: str
    server: str
    connection: str

    @property
    def labels(self) -> dict[str, str]:
        """Give the labels of its series."""
        return {"client": self.client, "server": self.server, "connection_type": self.connection}


@dataclass(slots=True)
class EdgeTally:
    """Calls over one edge, as their clients and as their servers saw them."""

    client: Tally
    server: Tally
    failed: float = 0.0


@dataclass(frozen=True, slots=True)
class End:
    """One end of a call."""

    service: str
    duration_ns: int
    bucket: int
    is_failed: bool
    weight: float
    example: Example
    peer: str
    is_messaging: bool
    until_ms: int


class Edges:
    """The edges of one tenant."""

    def __init__(self, settings: SpanMetricsSettings) -> None:
        self._settings = settings
        self._clients: Tallies[EdgeKey] = Tallies(settings.max_edges)
        self._servers: Tallies[EdgeKey] = Tallies(settings.max_edges)
        self._failed: dict[EdgeKey, float] = {}
        self._waiting: dict[tuple[bytes, bytes, bool], End] = {}
        self.lost = 0

    @property
    def waiting(self) -> int:
        """How many ends wait for the other one."""
        return len(self._waiting)

    @property
    def by_key(self) -> dict[EdgeKey, EdgeTally]:
        """Give the counts of all edges."""
        return {
            key: EdgeTally(tally, self._servers.by_key[key], self._failed.get(key, 0.0))
            for key, tally in self._clients.by_key.items()
            if key in self._servers.by_key
        }

    def add(self, spans: Spans, now_ms: int) -> None:
        """Take spans."""
        until_ms = now_ms + int(self._settings.pair_wait * 1000)
        buckets = buckets_of(spans.durations_ns).tolist()
        for row, kind in enumerate(spans.kinds.tolist()):
            if kind in _CALLERS:
                attributes = spans.attributes.row(row)
                database = _database(attributes) if kind == SpanKind.CLIENT else ""
                peer = attributes.get("peer.service", "")
                end = _end(spans, row, buckets[row], until_ms, peer)
                if database:
                    self._count(EdgeKey(end.service, database, "database"), end, end, now_ms)
                else:
                    self._meet((spans.trace_ids[row], spans.span_ids[row]), end, now_ms, is_caller=True)
            elif kind in _CALLED and any(spans.parent_ids[row]):
                end = _end(spans, row, buckets[row], until_ms, "")
                self._meet((spans.trace_ids[row], spans.parent_ids[row]), end, now_ms, is_caller=False)

    def expire(self, now_ms: int) -> None:
        """Give up waiting for ends that have not come, and forget idle edges."""
        for key, end in list(self._waiting.items()):  # in the order in which they came
            if end.until_ms > now_ms:
                break
            del self._waiting[key]
            if end.peer and not end.is_messaging:
                self._count(EdgeKey(end.service, end.peer, "virtual_node"), end, end, now_ms)
        idle_since_ms = now_ms - int(self._settings.forget_idle * 1000)
        for tallies in (self._clients, self._servers):
            tallies.forget(idle_since_ms)
        self._failed = {key: count for key, count in self._failed.items() if key in self._clients.by_key}

    def _meet(self, call: tuple[bytes, bytes], end: End, now_ms: int, *, is_caller: bool) -> None:
        other = self._waiting.get((*call, not is_caller))
        if other is None:
            if len(self._waiting) >= self._settings.max_waiting:
                self.lost += 1
                return
            self._waiting[(*call, is_caller)] = end
            return
        if is_caller or not end.is_messaging:
            del self._waiting[(*call, not is_caller)]
        if is_caller and end.is_messaging:  # a message may be taken by many
            self._waiting[(*call, is_caller)] = end
        client, server = (end, other) if is_caller else (other, end)
        if client.service != server.service:
            connection = "messaging_system" if client.is_messaging else ""
            self._count(EdgeKey(client.service, server.service, connection), client, server, now_ms)

    def _count(self, key: EdgeKey, client: End, server: End, now_ms: int) -> None:
        callers, called = self._clients.find(key, now_ms), self._servers.find(key, now_ms)
        if callers is None or called is None:
            self.lost += 1
            return
        for tally, end in ((callers, client), (called, server)):
            tally.add(end.duration_ns / _NS_PER_MS, end.weight, end.bucket)
            tally.example = end.example
        if client.is_failed or server.is_failed:
            self._failed[key] = self._failed.get(key, 0.0) + client.weight


def _end(spans: Spans, row: int, bucket: int, until_ms: int, peer: str) -> End:
    duration_ns = int(spans.durations_ns[row])
    ended_ms = (int(spans.starts_ns[row]) + duration_ns) // _NS_PER_MS
    example = Example(spans.trace_ids[row].hex(), spans.span_ids[row].hex(), duration_ns / _NS_PER_MS, ended_ms)
    return End(
        spans.services[row],
        duration_ns,
        bucket,
        bool(spans.statuses[row] == SpanStatus.ERROR),
        float(spans.weights[row]),
        example,
        peer,
        int(spans.kinds[row]) in (SpanKind.PRODUCER, SpanKind.CONSUMER),
        until_ms,
    )


def _database(attributes: Mapping[str, str]) -> str:
    engine = attributes.get("db.system.name") or attributes.get("db.system", "")
    if not engine:
        return ""
    name = attributes.get("db.namespace") or attributes.get("db.name", "")
    return f"{engine}/{name}" if name else engine
