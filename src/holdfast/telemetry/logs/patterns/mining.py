"""Mines what is stored: follows the sink, counts lines by pattern and ten seconds, until `keeping` takes the counts.

A line that is equal to a known one without its digits costs a look into a table; others are masked and clustered, a
bounded share of each batch. What known patterns a tenant had is read from the store before its first line is mined.
"""

from __future__ import annotations

import asyncio
from collections import Counter as Tally
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

import prometheus_client
from prometheus_client import CollectorRegistry

from holdfast.kernel.clock import Clock
from holdfast.telemetry.logs.level_words import Level
from holdfast.telemetry.logs.patterns.clusters import Cluster, ClusterTree
from holdfast.telemetry.logs.patterns.masks import mask, shapes_of
from holdfast.telemetry.logs.patterns.tables import BUCKET_S

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.logs.records import Records
    from holdfast.telemetry.metrics.labels import Labels

LEARNING_S: Final = 600.0  # of a service's first lines no pattern is news
SAMPLE: Final = 500  # letters
_BUCKET_NS: Final = BUCKET_S * 10**9
_LAST_BUCKET: Final = 2**32 // BUCKET_S - 1
_MOST_SHAPES: Final = 20_000  # remembered of one service and level
_MOST_MINES: Final = 2_000  # services and levels of a tenant
_MOST_WAITING: Final = 50  # batches that wait for what the store knows
_MOST_COUNTS: Final = 200_000  # that wait for the store
_MOST_NEWS: Final = 1000
_LEAST_LEARNT: Final = 200
_SHARE_LEARNT: Final = 4


class PatternKey(NamedTuple):
    """Which pattern of whom."""

    service: str
    level: str
    identity: int


class Known(NamedTuple):
    """A pattern as the store remembers it."""

    key: PatternKey
    text: str
    sample: str
    first_s: int


class Finding(NamedTuple):
    """A pattern that was not there before."""

    tenant: TenantId
    key: PatternKey
    cluster: Cluster


@dataclass(slots=True)
class _Mine:
    """The patterns of one service and level."""

    service: str
    level: str
    since_s: float
    tree: ClusterTree
    shapes: dict[bytes, Cluster] = field(default_factory=dict)

    def is_learnt(self, now_s: float) -> bool:
        """Tell whether a new pattern is news; a clock that was set back begins anew, rather than to stay ahead."""
        self.since_s = min(self.since_s, now_s)
        return now_s - self.since_s > LEARNING_S

    def learn(self, shape: bytes, body: str) -> tuple[Cluster, bool]:
        line = body.partition("\n")[0]
        cluster, is_new = self.tree.add(mask(line), line[:SAMPLE])
        if len(self.shapes) >= _MOST_SHAPES:
            self.shapes.clear()
        self.shapes[shape] = cluster
        return cluster, is_new


@dataclass(slots=True)
class TenantPatterns:
    """What is mined of one tenant."""

    mines: dict[tuple[str, str], _Mine] = field(default_factory=dict)
    counts: Tally[tuple[PatternKey, int]] = field(default_factory=Tally)
    clusters: dict[PatternKey, Cluster] = field(default_factory=dict)
    waiting: list[tuple[Records, list[Labels]]] = field(default_factory=list)
    is_loaded: bool = False

    def forget_gone(self) -> None:
        """Give back the memory of patterns that made room for others, once they are as many as the rest."""
        living = {
            PatternKey(mine.service, mine.level, identity)
            for mine in self.mines.values()
            for identity in mine.tree.identities
        }
        if len(self.clusters) > 2 * len(living) + _MOST_NEWS:
            living.update(key for key, _ in self.counts)
            self.clusters = {key: cluster for key, cluster in self.clusters.items() if key in living}


class PatternMiner:
    """Mines the records of every tenant; a `RecordFollower`."""

    def __init__(self, clock: Clock, metrics: CollectorRegistry, *, most: int = 300) -> None:
        """Begin with nothing known.

        Args:
            clock: tells what is new.
            metrics: the registry that the app exposes.
            most: patterns of one service and level at once.
        """
        self._clock = clock
        self._most = most
        self.tenants: dict[TenantId, TenantPatterns] = {}
        self.news: list[Finding] = []
        self.wake = asyncio.Event()
        lines = prometheus_client.Counter(
            "holdfast_logs_pattern_lines", "Log lines by what mining patterns did.", ("outcome",), registry=metrics
        )
        self._mined, self._passed = lines.labels("mined"), lines.labels("passed_over")
        self._active = prometheus_client.Gauge(
            "holdfast_logs_patterns", "Patterns of logs that are known.", ("tenant",), registry=metrics
        )

    def records_stored(self, tenant: TenantId, records: Records, streams: Sequence[Labels]) -> None:
        """Take a batch; if the tenant's patterns are not loaded yet, it waits for them."""
        state = self.tenants.setdefault(tenant, TenantPatterns())
        if state.is_loaded:
            self._mine(tenant, state, records, streams)
            return
        if len(state.waiting) < _MOST_WAITING:
            state.waiting.append((records, list(streams)))
        else:
            self._passed.inc(len(records))
        self.wake.set()

    def load(self, tenant: TenantId, known: Iterable[Known]) -> None:
        """Take what the store knows of a tenant, then mine what waited for it."""
        state = self.tenants.setdefault(tenant, TenantPatterns())
        for each in known:
            mine = self._mine_of(state, each.key.service, each.key.level)
            if mine is not None:
                mine.since_s = min(mine.since_s, each.first_s)
                mine.tree.restore(each.key.identity, each.text, each.sample)
        state.is_loaded = True
        waiting, state.waiting = state.waiting, []
        for records, streams in waiting:
            self._mine(tenant, state, records, streams)

    def _mine(self, tenant: TenantId, state: TenantPatterns, records: Records, streams: Sequence[Labels]) -> None:
        shapes = shapes_of(records.bodies)
        levels = records.levels or [Level.UNKNOWN] * len(records)
        buckets = (records.ts_ns // _BUCKET_NS).clip(0, _LAST_BUCKET).tolist()
        refs = records.refs.tolist()
        mines = {
            pair: self._mine_of(state, _service(streams[pair[0]]), pair[1] or Level.UNKNOWN)
            for pair in set(zip(refs, levels, strict=True))
        }
        left = max(_LEAST_LEARNT, len(shapes) // _SHARE_LEARNT)
        met: Tally[tuple[PatternKey, int]] = Tally()
        bodies = dict(zip(reversed(shapes), reversed(records.bodies), strict=True))  # the first of each shape
        for (ref, level, shape, bucket), count in Tally(zip(refs, levels, shapes, buckets, strict=True)).items():
            mine = mines[ref, level]
            if mine is None:
                continue
            cluster = mine.shapes.get(shape)
            if cluster is None:
                if not left:
                    continue
                left -= 1
                cluster, is_new = mine.learn(shape, bodies[shape])
                key = PatternKey(mine.service, mine.level, cluster.identity)
                state.clusters[key] = cluster
                if is_new and mine.is_learnt(self._clock.now().timestamp()):
                    self._tell(Finding(tenant, key, cluster))
            met[PatternKey(mine.service, mine.level, cluster.identity), bucket] += count
        self._count(tenant, state, met, len(records))

    def _count(self, tenant: TenantId, state: TenantPatterns, met: Tally[tuple[PatternKey, int]], records: int) -> None:
        mined = 0
        for pair, count in met.items():
            if pair in state.counts or len(state.counts) < _MOST_COUNTS:
                state.counts[pair] += count
                mined += count
        self._mined.inc(mined)
        self._passed.inc(records - mined)
        self._active.labels(tenant).set(sum(len(mine.tree) for mine in state.mines.values()))

    def _mine_of(self, state: TenantPatterns, service: str, level: str) -> _Mine | None:
        found = state.mines.get((service, level))
        if found is None and len(state.mines) < _MOST_MINES:
            tree = ClusterTree(f"{service}\0{level}", self._most)
            found = _Mine(service, level, self._clock.now().timestamp(), tree)
            state.mines[service, level] = found
        return found

    def _tell(self, finding: Finding) -> None:
        if len(self.news) < _MOST_NEWS:
            self.news.append(finding)


def _service(labels: Labels) -> str:
    return next((value for name, value in labels if name == "service_name"), "unknown_service")
