"""Watches caches: hits, misses, evictions, size. Those of functools, of holdfast.resilience, and any mapping.

A cache that is gone takes its series with it; watching keeps none alive.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from holdfast.instrument.labels import BoundedLabel
from holdfast.instrument.looks import Looks
from holdfast.instrument.registries import PerRegistry, count_folded

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Metric

K = TypeVar("K")
V = TypeVar("V")
MOST_CACHES: Final = 200


class CacheUse(NamedTuple):
    """What a cache has done and holds; None where it does not know."""

    hits: int | None
    misses: int | None
    evictions: int | None
    size: int
    most: float | None = None


class CacheGauges(Collector):
    """Asks the caches when somebody looks."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.names = BoundedLabel(MOST_CACHES, count_folded(registry, "cache"))
        self._caches: Looks[str] = Looks()
        registry.register(self)

    def add(self, name: str, cache: object, read: Callable[[Any], CacheUse]) -> Callable[[], None]:
        """Show `cache` under `name`; give the function that ends it."""
        return self._caches.add(self.names.admit(name), cache, read)

    def describe(self) -> Iterable[Metric]:
        """Give the families, without samples."""
        return self._families()

    def collect(self) -> Iterable[Metric]:
        """Look at every cache."""
        families = self._families()
        for label, figures in self._caches.figures():
            for family, figure in zip(families, figures, strict=True):
                if figure is not None:
                    family.add_metric([label], figure)
        return families

    @staticmethod
    def _families() -> tuple[Any, ...]:
        of = ["cache"]
        return (
            CounterMetricFamily("cache_hits", "Lookups that found something.", labels=of),
            CounterMetricFamily("cache_misses", "Lookups that found nothing.", labels=of),
            CounterMetricFamily("cache_evictions", "Entries pushed out to make room.", labels=of),
            GaugeMetricFamily("cache_entries", "Entries held.", labels=of),
            GaugeMetricFamily("cache_entries_max", "The most that the cache holds, in its own measure.", labels=of),
        )


_GAUGES: Final = PerRegistry(CacheGauges)


class CountedMapping(MutableMapping[K, V]):
    """Stands before a mapping that serves as a cache, and counts: lookups, and what leaves when something new comes.

    What callers delete themselves is no eviction.
    """

    def __init__(self, kept: MutableMapping[K, V]) -> None:
        self._kept = kept
        self._alone = threading.RLock()
        self.hits = 0
        self.misses = 0
        self.evictions = 0

    @property
    def kept(self) -> MutableMapping[K, V]:
        """The mapping behind it."""
        return self._kept

    def __getitem__(self, key: K) -> V:
        with self._alone:
            try:
                value = self._kept[key]
            except KeyError:
                self.misses += 1
                raise
            self.hits += 1
            return value

    def __setitem__(self, key: K, value: V) -> None:
        with self._alone:
            expected = len(self._kept) + (key not in self._kept)
            self._kept[key] = value
            self.evictions += max(0, expected - len(self._kept))

    def __delitem__(self, key: K) -> None:
        with self._alone:
            del self._kept[key]

    def __contains__(self, key: object) -> bool:
        return key in self._kept

    def __iter__(self) -> Iterator[K]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)


def watch_cache(cache: Any, registry: CollectorRegistry = REGISTRY, *, name: str = "") -> Callable[[], None]:
    """Watch a cache from now on.

    Args:
        cache: a function under `functools.lru_cache` or `cache`, a cache of `holdfast.resilience`, a `CountedMapping`,
            or any mapping (of which only the size is known, and `maxsize`, if it has one).
        registry: where it is shown.
        name: the label `cache`; if empty, the name of the function or of the cache. Several of one name are added up.

    Returns:
        A function that ends it.

    Raises:
        TypeError: it is none of these.
    """
    kinds: tuple[tuple[str, Callable[[Any], CacheUse]], ...] = (
        ("cache_info", _read_functools),
        ("statistics", _read_resilience),
        ("kept", _read_counted),
        ("__len__", _read_mapping),
    )
    for mark, read in kinds:
        if hasattr(cache, mark):
            label = name or getattr(cache, "__qualname__", "") or getattr(cache, "name", "") or type(cache).__name__
            return _GAUGES(registry).add(label, cache, read)
    raise TypeError(f"{cache!r} is no cache that is known here; put a CountedMapping before its mapping")


def _read_functools(cache: Any) -> CacheUse:
    info = cache.cache_info()
    # functools does not count evictions. Once it is full, each miss pushed one out, unless the function raised.
    is_full = info.maxsize is not None and info.currsize >= info.maxsize
    evicted = max(0, info.misses - info.currsize) if is_full else 0
    return CacheUse(info.hits, info.misses, evicted, info.currsize, info.maxsize)


def _read_resilience(cache: Any) -> CacheUse:
    counts = cache.statistics
    return CacheUse(counts.hits + counts.stale_hits, counts.misses, counts.evicted, counts.entries)


def _read_counted(cache: Any) -> CacheUse:
    size = _read_mapping(cache.kept)
    return CacheUse(cache.hits, cache.misses, cache.evictions, size.size, size.most)


def _read_mapping(cache: Any) -> CacheUse:
    return CacheUse(None, None, None, len(cache), getattr(cache, "maxsize", None))
