"""A guard for any labelled metric: at most so many label sets, the rest share one whose values are all "other".

For a bound per label, and for labels from a function's arguments, see `business`.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, Generic, TypeVar, cast

from prometheus_client import REGISTRY

from holdfast.instrument.labels import OTHER, writable
from holdfast.instrument.registries import count_folded

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary

M = TypeVar("M", bound="Counter | Gauge | Histogram | Summary")
MOST_LABEL_SETS: Final = 1000


class Bounded(Generic[M]):
    """Stands before a metric and hands out its children: `orders.labels("card").inc()`.

    A gauge of which parts may leave should be told so with `forget`, or its places are taken for ever.
    """

    def __init__(self, metric: M, *, most: int = MOST_LABEL_SETS, registry: CollectorRegistry = REGISTRY) -> None:
        names: tuple[str, ...] = metric._labelnames  # noqa: SLF001 -- the library has no other place for them
        if not names:
            raise ValueError(f"{metric!r} has no labels; there is nothing to bound")
        self.most = most
        self.folded = 0
        self._metric = metric
        self._names = names
        self._children: dict[tuple[str, ...], M] = {}
        self._alone = threading.Lock()
        self._tell = count_folded(registry, str(metric._name))  # noqa: SLF001 -- same
        self._others: M | None = None

    def labels(self, *values: object, **by_name: object) -> M:
        """Give the child of these label values, or the one that all share for whom there is no place."""
        if by_name:
            if values or set(by_name) != set(self._names):
                raise ValueError(f"give all of {', '.join(self._names)}, by position or by name")
            values = tuple(by_name[name] for name in self._names)
        key = tuple(str(value) for value in values)
        child = self._children.get(key)
        return child if child is not None else self._admit(key)

    def forget(self, *values: object) -> None:
        """Take a label set out of the metric; its place is free again."""
        key = tuple(writable(str(value)) for value in values)
        with self._alone:
            if self._children.pop(key, None) is not None:
                self._metric.remove(*key)

    def _admit(self, key: tuple[str, ...]) -> M:
        key = tuple(map(writable, key))
        with self._alone:
            if key in self._children or len(self._children) < self.most:
                return self._children.setdefault(key, cast("M", self._metric.labels(*key)))
            self.folded += 1
            if self._others is None:
                self._others = cast("M", self._metric.labels(*[OTHER] * len(self._names)))
            others = self._others
        self._tell()
        return others


def bounded(metric: M, *, most: int = MOST_LABEL_SETS, registry: CollectorRegistry = REGISTRY) -> Bounded[M]:
    """Put a guard before a metric, such as `Counter("orders", "Orders.", ["channel"])`.

    Args:
        metric: one with labels; those that it has already are not counted.
        most: label sets, besides the shared one.
        registry: where `instrument_label_values_folded_total` tells how often something had no place.
    """
    return Bounded(metric, most=most, registry=registry)
