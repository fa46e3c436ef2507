"""What a cache holds in memory: values with their times, bounded by count and weight; those used longest ago go first.

Knows neither loading nor policies; `caches` asks it. Time is passed in.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetimes:
    """How long values live; the arguments of `cache`, which describes them. All in seconds but `jitter`."""

    ttl_s: float
    stale_s: float
    stale_if_error_s: float
    negative_ttl_s: float
    jitter: float

    def __post_init__(self) -> None:
        """Refuse numbers that cannot mean anything."""
        if self.ttl_s <= 0 or self.negative_ttl_s <= 0 or min(self.stale_s, self.stale_if_error_s) < 0:
            raise ValueError(f"the times to live are positive, the stale ones 0 or more: {self}")
        if not 0 <= self.jitter < 1:
            raise ValueError(f"jitter={self.jitter} is the part of a time to live that may be taken off: below 1")


@dataclass(slots=True)
class CacheStatistics:
    """What became of the questions so far."""

    hits: int = 0
    stale_hits: int = 0
    misses: int = 0
    waited: int = 0
    failures: int = 0
    evicted: int = 0
    entries: int = 0


@dataclass(frozen=True, slots=True)
class CachedValue:
    """A value, or the error that stands for its absence.

    Attributes:
        value: What was loaded; None where `error` stands for it.
        error: The error that loading it gave, where such errors are kept.
        fresh_until_s: Until when it is as good as new.
        over_s: When it must not be given to anybody any more.
    """

    value: Any
    error: Exception | None
    fresh_until_s: float
    over_s: float


class ValueTable:
    """At most `max_entries` values of at most `max_weight` together. `evicted` counts those that had to go."""

    __slots__ = ("_lock", "_values", "_weigh", "_weights", "evicted", "max_entries", "max_weight", "weight")

    def __init__(self, *, max_entries: int, max_weight: float | None, weigh: Callable[[Any], float] | None) -> None:
        if max_entries < 1 or (max_weight is not None and max_weight <= 0):
            raise ValueError(f"max_entries={max_entries} and max_weight={max_weight} must be positive")
        if (max_weight is None) is not (weigh is None):
            raise ValueError("max_weight and weigh belong together")
        self.max_entries = max_entries
        self.max_weight = math.inf if max_weight is None else max_weight
        self._weigh = weigh
        self.weight = 0.0
        self.evicted = 0
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, CachedValue] = OrderedDict()
        self._weights: dict[Hashable, float] = {}

    def renew_lock(self) -> None:
        """Start anew in a forked child."""
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Tell how many values there are."""
        return len(self._values)

    def get(self, key: Hashable, now_s: float) -> CachedValue | None:
        """Give the value of `key`, fresh or stale, unless it is over."""
        found = self._values.get(key)
        if found is None:
            return None
        if now_s >= found.over_s:
            self.remove(key)
            return None
        try:
            self._values.move_to_end(key)
        except KeyError:  # another thread removed it since we looked; it was there when we were asked
            return found
        return found

    def put(self, key: Hashable, value: CachedValue) -> None:
        """Keep a value; one that is heavier than all may be together is not kept."""
        weight = self._weigh(value.value) if self._weigh is not None and value.error is None else 0.0
        with self._lock:
            self._remove(key)
            if weight > self.max_weight:
                return
            self._values[key] = value
            if weight:
                self._weights[key] = weight
                self.weight += weight
            while len(self._values) > self.max_entries or self.weight > self.max_weight:
                self._remove(next(iter(self._values)))
                self.evicted += 1

    def remove(self, key: Hashable) -> None:
        """Forget the value of `key`."""
        with self._lock:
            self._remove(key)

    def _remove(self, key: Hashable) -> None:
        if self._values.pop(key, None) is not None:
            self.weight -= self._weights.pop(key, 0.0)
            if not self._weights:
                self.weight = 0.0  # what floats left over

    def remove_where(self, test: Callable[[Hashable], bool]) -> int:
        """Forget all keys that pass `test`; give their number."""
        with self._lock:
            chosen = [key for key in self._values if test(key)]
            for key in chosen:
                self._remove(key)
            return len(chosen)
