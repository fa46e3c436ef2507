"""The in-memory twin of what tells which series there are; stands beside `MemorySource` and reads its lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from holdfast.telemetry.metrics.browsing import Count, FoundExemplar, SeriesStats
from holdfast.telemetry.metrics.labels import name_of

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.metrics.arrivals import MetricMetadata
    from holdfast.telemetry.metrics.browsing import Scope
    from holdfast.telemetry.metrics.labels import Labels
    from holdfast.telemetry.metrics.memory import MemorySource

T = TypeVar("T")


class MemoryBrowser:
    """Answers what there is; implements `SeriesBrowser`."""

    def __init__(self, source: MemorySource) -> None:
        self._source = source

    async def series(self, tenant: TenantId, scope: Scope) -> list[Labels]:
        """Give the label sets."""
        return _bounded(sorted(self._alive(tenant, scope)), scope.limit)

    async def label_names(self, tenant: TenantId, scope: Scope) -> list[str]:
        """Give the names of labels."""
        return _bounded(sorted({name for labels in self._alive(tenant, scope) for name, _ in labels}), scope.limit)

    async def label_values(self, tenant: TenantId, label: str, scope: Scope) -> list[str]:
        """Give the values of one label."""
        alive = self._alive(tenant, scope)
        return _bounded(sorted({value for labels in alive for name, value in labels if name == label}), scope.limit)

    async def metadata(self, tenant: TenantId, family: str = "") -> Sequence[MetricMetadata]:
        """Give what is said of metric families."""
        said = self._source.tenant(tenant).metadata
        return sorted(each for each in said if family in {"", each.family})

    async def exemplars(self, tenant: TenantId, scope: Scope) -> list[tuple[Labels, list[FoundExemplar]]]:
        """Give the exemplars whose time is in the scope."""
        chosen = self._chosen(tenant, scope)
        found: dict[Labels, list[FoundExemplar]] = {}
        for labels, each in sorted(self._source.tenant(tenant).exemplars, key=lambda pair: (pair[0], pair[1].ts_ms)):
            if labels in chosen and scope.start_ms <= each.ts_ms <= scope.end_ms:
                found.setdefault(labels, []).append(FoundExemplar(each.ts_ms, each.value, each.labels))
        return list(found.items())

    async def stats(self, tenant: TenantId, top: int) -> SeriesStats:
        """Count the tenant's series."""
        kept = self._source.tenant(tenant).series
        times = [each.ts_ms for samples in kept.values() for each in samples.between(-(2**62), 2**62)]
        pairs = Counter(pair for labels in kept for pair in labels)
        values: Counter[str] = Counter(name for name, _ in pairs)
        sizes: Counter[str] = Counter()
        for name, value in pairs:
            sizes[name] += len(value.encode())
        return SeriesStats(
            len(kept),
            len(pairs),
            len(times),
            min(times, default=0),
            max(times, default=0),
            _top(Counter(name_of(labels) for labels in kept), top),
            _top(values, top),
            _top(Counter({f"{name}={value}": count for (name, value), count in pairs.items()}), top),
            _top(sizes, top),
        )

    def _chosen(self, tenant: TenantId, scope: Scope) -> set[Labels]:
        kept = self._source.tenant(tenant)
        if not scope.selectors:
            return set(kept.series)
        return {labels for matchers in scope.selectors for labels in kept.matching(matchers)}

    def _alive(self, tenant: TenantId, scope: Scope) -> Iterator[Labels]:
        kept = self._source.tenant(tenant)
        return (
            labels
            for labels in self._chosen(tenant, scope)
            if kept.series[labels].between(scope.start_ms - 1, scope.end_ms)
        )


def _bounded(items: list[T], limit: int) -> list[T]:
    return list(islice(items, limit)) if limit else items


def _top(counts: Counter[str], top: int) -> tuple[Count, ...]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Count(name, value) for name, value in ordered[:top])
