"""Counts calls between services: the span of a client and the span of a server below it, which come apart, make one.

A call to a database has no span on the other side, and counts at once. Who calls something that sends no spans is seen
by `peer.service` when nobody has answered in time. Ends wait in dictionaries that are asked for many at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress, repeat
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from holdfast.telemetry.traces.red.ends import End, Ends
from holdfast.telemetry.traces.red.tallies import Tallies, Tally, add_groups
from holdfast.telemetry.traces.spans import NO_PARENT, SpanKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdfast.telemetry.traces.columns import Pairs
    from holdfast.telemetry.traces.settings import SpanMetricsSettings
    from holdfast.telemetry.traces.spans import Spans

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


class Edges:
    """The edges of one tenant."""

    def __init__(self, settings: SpanMetricsSettings) -> None:
        self._settings = settings
        self._clients: Tallies[EdgeKey] = Tallies(settings.max_edges)
        self._servers: Tallies[EdgeKey] = Tallies(settings.max_edges)
        self._failed: dict[EdgeKey, float] = {}
        self._callers: dict[bytes, End] = {}  # that wait, by the ids of the trace and of the caller's span
        self._called: dict[bytes, End] = {}
        self.lost = 0

    @property
    def waiting(self) -> int:
        """How many ends wait for the other one."""
        return len(self._callers) + len(self._called)

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
        rows = np.flatnonzero(np.isin(spans.kinds, _CALLERS))
        if len(rows):
            databases, peers = _databases(spans), spans.attributes.rows_of("peer.service")
            if databases:
                is_database = np.isin(rows, list(databases)) & (spans.kinds[rows] == SpanKind.CLIENT)
                self._count_databases(Ends.of(spans, rows[is_database], databases, until_ms), now_ms)
                rows = rows[~is_database]
            self._take_callers(Ends.of(spans, rows, peers, until_ms), now_ms)
        parents = spans.parent_ids
        below = [row for row in np.flatnonzero(np.isin(spans.kinds, _CALLED)).tolist() if parents[row] != NO_PARENT]
        if below:
            ends = Ends.of(spans, np.array(below, np.intp), {}, until_ms)
            keys = [trace_id + parents[row] for trace_id, row in zip(ends.trace_ids, below, strict=True)]
            self._take_called(ends, keys, now_ms)

    def expire(self, now_ms: int) -> None:
        """Give up waiting for ends that have not come, and forget idle edges."""
        latest_ms = now_ms + int(self._settings.pair_wait * 1000)
        for key in list(_expired(self._called, now_ms, latest_ms)):
            del self._called[key]
        gone = [self._callers.pop(key) for key in list(_expired(self._callers, now_ms, latest_ms))]
        alone = [(ends, row) for ends, row in gone if ends.peers[row] and not ends.messaging[row]]
        keys = [EdgeKey(ends.services[row], ends.peers[row], "virtual_node") for ends, row in alone]
        self._count(keys, alone, alone, now_ms)
        idle_since_ms = now_ms - int(self._settings.forget_idle * 1000)
        for tallies in (self._clients, self._servers):
            tallies.forget(idle_since_ms)
        self._failed = {key: count for key, count in self._failed.items() if key in self._clients.by_key}

    def _count_databases(self, ends: Ends, now_ms: int) -> None:
        listed = [(ends, row) for row in range(len(ends))]
        keys = [EdgeKey(*pair, "database") for pair in zip(ends.services, ends.peers, strict=True)]
        self._count(keys, listed, listed, now_ms)

    def _take_callers(self, ends: Ends, now_ms: int) -> None:
        keys = [trace_id + span_id for trace_id, span_id in zip(ends.trace_ids, ends.span_ids, strict=True)]
        found = list(map(self._called.pop, keys, repeat(None)))
        # A message may be taken by many, so who sends it waits on.
        stay = [other is None or is_message for other, is_message in zip(found, ends.messaging, strict=True)]
        self._wait(self._callers, ends, keys, stay)
        self._meet([((ends, row), other) for row, other in enumerate(found) if other is not None], now_ms)

    def _take_called(self, ends: Ends, keys: Sequence[bytes], now_ms: int) -> None:
        callers = self._callers
        if any(ends.messaging):
            found = [
                callers.get(key) if is_message else callers.pop(key, None)
                for key, is_message in zip(keys, ends.messaging, strict=True)
            ]
        else:
            found = list(map(callers.pop, keys, repeat(None)))
        self._wait(self._called, ends, keys, [other is None for other in found])
        self._meet([(other, (ends, row)) for row, other in enumerate(found) if other is not None], now_ms)

    def _wait(self, waiting: dict[bytes, End], ends: Ends, keys: Sequence[bytes], stay: Sequence[bool]) -> None:
        rows = list(compress(range(len(keys)), stay))
        room = max(self._settings.max_waiting - self.waiting, 0)
        self.lost += max(len(rows) - room, 0)
        waiting.update((keys[row], (ends, row)) for row in rows[:room])

    def _meet(self, pairs: Sequence[tuple[End, End]], now_ms: int) -> None:
        keys, callers, called = [], [], []
        for caller, other in pairs:
            client, server = caller[0].services[caller[1]], other[0].services[other[1]]
            if client != server:
                connection = "messaging_system" if caller[0].messaging[caller[1]] else ""
                keys.append(EdgeKey(client, server, connection))
                callers.append(caller)
                called.append(other)
        self._count(keys, callers, called, now_ms)

    def _count(self, keys: Sequence[EdgeKey], clients: Sequence[End], servers: Sequence[End], now_ms: int) -> None:
        if not keys:
            return
        lasts = {key: place for place, key in enumerate(keys)}
        places = {key: place for place, key in enumerate(lasts)}
        groups = np.array([places[key] for key in keys], np.intp)
        callers = [self._clients.find(key, now_ms) for key in places]
        called = [self._servers.find(key, now_ms) for key in places]
        self.lost += sum(callers[place] is None or called[place] is None for place in groups.tolist())
        for tallies, ends in ((callers, clients), (called, servers)):
            durations = np.array([columns.durations_ns[row] for columns, row in ends], np.int64)
            weights = np.array([columns.weights[row] for columns, row in ends], np.float64)
            add_groups(tallies, groups, durations, weights)
            for tally, last in zip(tallies, lasts.values(), strict=True):
                if tally is not None:
                    columns, row = ends[last]
                    tally.example = columns.example(row)
        for key, (caller, row), (server, below) in zip(keys, clients, servers, strict=True):
            if caller.failed[row] or server.failed[below]:
                self._failed[key] = self._failed.get(key, 0.0) + caller.weights[row]


def _expired(waiting: dict[bytes, End], now_ms: int, latest_ms: int) -> Iterator[bytes]:
    """Give the keys of those that have waited long enough; they stand in the order in which they came.

    One that would wait for longer than any that comes now is of a time before the clock was set back.
    """
    for key, (ends, _) in waiting.items():
        if now_ms < ends.until_ms <= latest_ms:
            return
        yield key


def _databases(spans: Spans) -> dict[int, str]:
    """Give the database that spans ask, by row."""
    pairs = spans.attributes
    engines = _first(pairs, "db.system.name", "db.system")
    names = _first(pairs, "db.namespace", "db.name") if engines else {}
    return {row: f"{engine}/{names[row]}" if row in names else engine for row, engine in engines.items()}


def _first(pairs: Pairs, *names: str) -> dict[int, str]:
    """Give the texts of the first of these names that a span has, by row."""
    found: dict[int, str] = {}
    for name in names:
        found = {row: text for row, text in pairs.rows_of(name).items() if text} | found
    return found
