"""Where a tenant's series come from, how they grow, which are refused and which nobody uses."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Final, Protocol

from holdfast.kernel.clock import Clock
from holdfast.store import Store
from holdfast.telemetry.metrics.cardinality.counts import (
    CardinalityReport,
    Explosion,
    LabelCount,
    MetricCount,
    OriginCount,
    UnusedMetric,
    UnusedTotal,
)
from holdfast.telemetry.metrics.cardinality.growth import GrowthPoint, Window, growth
from holdfast.telemetry.metrics.cardinality.limits import SeriesLimits
from holdfast.telemetry.metrics.cardinality.makeup import MetricMakeup, makeup
from holdfast.telemetry.metrics.cardinality.usage import Usage
from holdfast.telemetry.metrics.labels import METRIC_NAME

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.metrics.storing import Book

_PAUSE_AFTER: Final = 5_000  # series, so that counting them holds nothing else up
# FINAL makes one row of each series as they lie, without a table of them all: 8 MB for 200,000 series, not 60.
_KEPT: Final = """
    SELECT name, count() AS series, countIf(first >= {hour:Int64}) AS hour, countIf(first >= {day:Int64}) AS day
    FROM (SELECT name, toUnixTimestamp64Milli(first_seen) AS first FROM metric_series FINAL
          WHERE tenant = {tenant:String})
    GROUP BY name ORDER BY series DESC, name"""
_NAME: Final = itemgetter(0)


class MetricUses(Protocol):
    """Somebody who names metrics: rules, dashboards, SLOs."""

    async def metric_names(self, tenant: TenantId) -> set[str]:
        """Give the metrics that are named there."""
        ...


class Books(Protocol):
    """Who knows the active series; the sink is one."""

    @property
    def books(self) -> Mapping[TenantId, Book]:
        """Give the books by tenant."""
        ...


class Cardinality:
    """Makes reports."""

    def __init__(self, store: Store, books: Books, limits: SeriesLimits, usage: Usage, clock: Clock) -> None:
        self._store = store
        self._books = books
        self._limits = limits
        self._usage = usage
        self._clock = clock
        self._uses: list[MetricUses] = []

    def consider(self, uses: MetricUses) -> None:
        """Take somebody whose metrics count as used."""
        self._uses.append(uses)

    async def report(self, tenant: TenantId, top: int = 20) -> CardinalityReport:
        """Report on a tenant, with the `top` ones of each list."""
        book = self._books.books.get(tenant)
        now_ms = int(self._clock.now().timestamp() * 1000)
        table = await self._store.query(_KEPT, {"hour": now_ms - 3_600_000, "day": now_ms - 86_400_000}, tenant=tenant)
        kept = table.to_pylist()
        unused = await self._unused(tenant, kept, book)
        return CardinalityReport(
            active=len(book) if book else 0,
            limit=self._limits.most(tenant),
            metric_limit=self._limits.most_per_metric,
            origin_limit=self._limits.most_per_origin,
            kept=sum(row["series"] for row in kept),
            refused=dict(self._limits.refusals.get(tenant, {})),
            metrics=_metrics(kept, book)[:top],
            labels=(await _labels(book))[:top] if book else (),
            origins=tuple(OriginCount(*pair) for pair in book.tally.by_origin.most_common(top)) if book else (),
            explosions=self._explosions(tenant)[:top],
            unused=unused[:top],
            unused_total=UnusedTotal(len(unused), sum(one.series for one in unused), sum(one.active for one in unused)),
        )

    async def makeup(self, tenant: TenantId, name: str, top: int = 20) -> MetricMakeup:
        """Say who sends a metric's active series, and which labels make them."""
        return await makeup(self._books.books.get(tenant), name, top)

    async def growth(self, tenant: TenantId, window: Window, name: str = "") -> tuple[GrowthPoint, ...]:
        """Count a tenant's series over time, or those of one metric; raises InvalidError for a window that is none."""
        return await growth(self._store, tenant, window, name)

    def _explosions(self, tenant: TenantId) -> tuple[Explosion, ...]:
        found = []
        for culprit in self._limits.explosions.of(tenant):
            label, values = culprit.exploded()
            example = culprit.examples.get(label, "")
            found.append(
                Explosion(culprit.metric, culprit.origin, culprit.reason, culprit.refused, label, values, example)
            )
        return tuple(found)

    async def _unused(
        self, tenant: TenantId, kept: Sequence[Mapping[str, int | str]], book: Book | None
    ) -> tuple[UnusedMetric, ...]:
        used = set(await self._usage.used(tenant))
        for uses in self._uses:
            used |= await uses.metric_names(tenant)
        active = book.tally.by_metric if book else {}
        return tuple(
            UnusedMetric(str(row["name"]), int(row["series"]), active.get(str(row["name"]), 0))
            for row in kept
            if row["name"] and row["name"] not in used
        )


def _metrics(kept: Sequence[Mapping[str, int]], book: Book | None) -> tuple[MetricCount, ...]:
    active = book.tally.by_metric if book else {}
    counts = [
        MetricCount(str(row["name"]), active.get(str(row["name"]), 0), row["series"], row["hour"], row["day"])
        for row in kept
    ]
    return tuple(sorted(counts, key=lambda one: (-max(one.active, one.kept), one.name)))


async def _labels(book: Book) -> tuple[LabelCount, ...]:
    # The book holds each pair once: counting those gathers no values, which a label that explodes has many of.
    pairs, labels, series = book.distinct_pairs(), book.labels, len(book)
    values = await _count_names(pairs[at : at + _PAUSE_AFTER] for at in range(0, len(pairs), _PAUSE_AFTER))
    parts = (labels[at : min(at + _PAUSE_AFTER, series)] for at in range(0, series, _PAUSE_AFTER))
    counts = await _count_names(chain.from_iterable(part) for part in parts)
    found = [LabelCount(name, values[name], count) for name, count in counts.items() if name != METRIC_NAME]
    return tuple(sorted(found, key=lambda one: (-one.values, one.name)))


async def _count_names(parts: Iterable[Iterable[tuple[str, str]]]) -> Counter[str]:
    counted = Counter[str]()
    for part in parts:
        counted.update(map(_NAME, part))
        await asyncio.sleep(0)
    return counted
