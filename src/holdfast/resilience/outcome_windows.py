"""How many of the last calls failed, and how many were slow: over so many calls, or over so many seconds.

Both take constant memory and constant time per call. They know neither locks nor clocks; `breaker_states` asks them.
"""

from __future__ import annotations

from typing import Final, Protocol

BUCKETS: Final = 10
"""Into so many parts a time window is cut: it covers nine tenths of its seconds at least, all of them at most."""


class OutcomeWindow(Protocol):
    """Counts calls of the recent past."""

    calls: int
    failures: int
    slow: int

    def record(self, now_s: float, *, failed: bool, is_slow: bool) -> None:
        """Count a call, and forget those that are not recent any more."""
        ...

    def clear(self) -> None:
        """Forget all."""
        ...


class CountWindow:
    """The last `size` calls, however long ago; one byte each."""

    __slots__ = ("_next", "_outcomes", "calls", "failures", "size", "slow")

    def __init__(self, size: int) -> None:
        self.size = size
        self.clear()

    def clear(self) -> None:
        """Forget all."""
        self._outcomes = bytearray(self.size)
        self._next = self.calls = self.failures = self.slow = 0

    def record(self, now_s: float, *, failed: bool, is_slow: bool) -> None:  # noqa: ARG002 -- the windows' shape
        """Count a call in the place of the oldest one."""
        place = self._next
        if self.calls < self.size:
            self.calls += 1
        elif gone := self._outcomes[place]:
            self.failures -= gone & 1
            self.slow -= gone >> 1
        self._outcomes[place] = failed | is_slow << 1
        self.failures += failed
        self.slow += is_slow
        self._next = place + 1 if place + 1 < self.size else 0


class TimeWindow:
    """The calls of the last `seconds`, in ten buckets; a clock that goes back counts as standing still."""

    __slots__ = ("_bucket_s", "_buckets", "_last", "calls", "failures", "seconds", "slow")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._bucket_s = seconds / BUCKETS
        self.clear()

    def clear(self) -> None:
        """Forget all."""
        self._buckets = [[0, 0, 0] for _ in range(BUCKETS)]
        self._last = 0
        self.calls = self.failures = self.slow = 0

    def record(self, now_s: float, *, failed: bool, is_slow: bool) -> None:
        """Count a call in the bucket of its time."""
        number = int(now_s // self._bucket_s)
        if number > self._last:
            self._forget_until(number)
        elif number < self._last - BUCKETS:  # set back by more than the window: what is counted is of another time
            self.clear()
            self._last = number
        bucket = self._buckets[self._last % BUCKETS]
        bucket[0] += 1
        bucket[1] += failed
        bucket[2] += is_slow
        self.calls += 1
        self.failures += failed
        self.slow += is_slow

    def _forget_until(self, number: int) -> None:
        for step in range(1, min(number - self._last, BUCKETS) + 1):
            bucket = self._buckets[(self._last + step) % BUCKETS]
            self.calls -= bucket[0]
            self.failures -= bucket[1]
            self.slow -= bucket[2]
            bucket[:] = (0, 0, 0)
        if number - self._last > BUCKETS:
            # Every bucket was emptied; the next one to fill is that of the new number.
            self.calls = self.failures = self.slow = 0
        self._last = number
