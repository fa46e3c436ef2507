"""Counts of durations under keys: how many, how long in all, how many in each bucket, and the newest example."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

import numpy as np
import numpy.typing as npt

# Of OpenTelemetry's span metrics connector, in milliseconds.
BOUNDS_MS: Final = (2, 4, 6, 8, 10, 50, 100, 200, 400, 800, 1000, 1400, 2000, 5000, 10_000, 15_000)
_BOUNDS_NS: Final = np.array(BOUNDS_MS, np.int64) * 10**6
BUCKETS: Final = len(BOUNDS_MS) + 1
_NS_PER_MS: Final = 1e6

Key = TypeVar("Key", bound=Hashable)


@dataclass(slots=True)
class Example:
    """A span behind a count."""

    trace_id: str
    span_id: str
    duration_ms: float
    at_ms: int


@dataclass(slots=True)
class Tally:
    """What was counted under one key; `buckets` do not include the ones before them."""

    since_ms: int
    touched_ms: int
    calls: float = 0.0
    sum_ms: float = 0.0
    buckets: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(BUCKETS))
    example: Example | None = None

    def add(self, duration_ms: float, weight: float, bucket: int) -> None:
        """Count one."""
        self.calls += weight
        self.sum_ms += duration_ms * weight
        self.buckets[bucket] += weight


class Tallies(Generic[Key]):
    """Counts by key, of which there are `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.by_key: dict[Key, Tally] = {}

    def find(self, key: Key, now_ms: int) -> Tally | None:
        """Give the count of a key, made if there is room for it."""
        tally = self.by_key.get(key)
        if tally is None:
            if len(self.by_key) >= self._most:
                return None
            tally = self.by_key[key] = Tally(now_ms, now_ms)
        tally.touched_ms = now_ms
        return tally

    def forget(self, idle_since_ms: int) -> None:
        """Drop what got nothing since then."""
        for key in [key for key, tally in self.by_key.items() if tally.touched_ms < idle_since_ms]:
            del self.by_key[key]


def buckets_of(durations_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """Give the place of the bucket of each duration; a bound belongs to its own bucket."""
    return np.searchsorted(_BOUNDS_NS, durations_ns, side="left")


def add_groups(
    tallies: Sequence[Tally | None],
    groups: npt.NDArray[np.intp],
    durations_ns: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64],
) -> float:
    """Count many at once, each under `tallies[group]`; give how many had none."""
    count = len(tallies)
    durations_ms = durations_ns / _NS_PER_MS
    calls = np.bincount(groups, weights, count)
    sums = np.bincount(groups, weights * durations_ms, count)
    places = groups * BUCKETS + buckets_of(durations_ns)
    buckets = np.bincount(places, weights, count * BUCKETS).reshape(count, BUCKETS)
    lost = 0.0
    for place, tally in enumerate(tallies):
        if tally is None:
            lost += float(calls[place])
            continue
        tally.calls += float(calls[place])
        tally.sum_ms += float(sums[place])
        tally.buckets += buckets[place]
    return lost
