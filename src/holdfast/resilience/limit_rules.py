"""How many calls a dependency can take at a time, learned from how long they take. Pure: a sample in, a limit out.

After Netflix's concurrency-limits ("Performance Under Load", 2018): the gradient of short over long latency, and the
additive increase with multiplicative decrease that TCP has (Chiu and Jain, 1989). `adaptive` puts calls around it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Sample:
    """What was seen since the limit was last set.

    Attributes:
        latency_s: Mean seconds of the calls that were answered.
        in_flight: The most calls that ran at once.
        has_dropped: Whether a call was given up: timed out, refused by the dependency.
    """

    latency_s: float
    in_flight: int
    has_dropped: bool


class LimitRule(Protocol):
    """Turns the limit and a sample into the next limit."""

    def next_limit(self, limit: float, sample: Sample) -> float:
        """Give the limit to go on with, not yet held within its bounds."""
        ...


class Aimd:
    """One more while all is well and the limit is in use; a part of it when calls are dropped or slow."""

    __slots__ = ("backoff", "latency_s")

    def __init__(self, *, backoff: float = 0.9, latency_s: float | None = None) -> None:
        if not 0 < backoff < 1:
            raise ValueError(f"backoff={backoff} is the part of the limit that is kept: between 0 and 1")
        self.backoff = backoff
        self.latency_s = latency_s

    def next_limit(self, limit: float, sample: Sample) -> float:
        """Step up, or fall."""
        is_slow = self.latency_s is not None and sample.latency_s > self.latency_s
        if sample.has_dropped or is_slow:
            return limit * self.backoff
        return limit + 1 if sample.in_flight * 2 >= limit else limit


class Gradient:
    """Falls as latency rises over its long average by more than `tolerance`; else grows by room for `spare` calls."""

    __slots__ = ("_long_s", "_samples", "backoff", "long_samples", "smoothing", "spare", "tolerance")

    def __init__(
        self,
        *,
        tolerance: float = 1.5,
        smoothing: float = 0.2,
        spare: float = 4.0,
        long_samples: int = 600,
        backoff: float = 0.9,
    ) -> None:
        if tolerance < 1 or not 0 < smoothing <= 1:
            raise ValueError(f"tolerance={tolerance} is at least 1, smoothing={smoothing} a part of 1")
        self.tolerance = tolerance
        self.smoothing = smoothing
        self.spare = spare
        self.long_samples = long_samples
        self.backoff = backoff
        self._long_s = 0.0
        self._samples = 0

    def next_limit(self, limit: float, sample: Sample) -> float:
        """Compare with the long average, and move a part of the way."""
        if sample.has_dropped:
            return limit * self.backoff
        long_s = self._learn(sample.latency_s)
        if sample.in_flight * 2 < limit:  # the callers were the limit: nothing was learned about the dependency
            return limit
        gradient = max(0.5, min(1.0, self.tolerance * long_s / max(sample.latency_s, 1e-9)))
        return limit * (1 - self.smoothing) + (limit * gradient + self.spare) * self.smoothing

    def _learn(self, latency_s: float) -> float:
        self._samples += 1
        self._long_s += (latency_s - self._long_s) / min(self._samples, self.long_samples)
        if self._long_s > 2 * latency_s:  # after a long bad time the average must not hide the next one
            self._long_s *= 0.95
        return self._long_s
