"""Remembers how long the last calls took, and says what a given share of them stayed below."""

from __future__ import annotations

from typing import Final

KEPT: Final = 256
ENOUGH: Final = 20  # fewer say nothing about a tail
_RENEW_EVERY: Final = 16  # sorting costs 20 us, so not for every call


class Latencies:
    """The last 256 durations, in seconds."""

    __slots__ = ("_count", "_durations_s", "_quantile", "_value_s")

    def __init__(self, quantile: float) -> None:
        self._quantile = quantile
        self._durations_s: list[float] = []
        self._count = 0
        self._value_s: float | None = None

    def add(self, duration_s: float) -> None:
        """Remember one."""
        kept, at = self._durations_s, self._count % KEPT
        if len(kept) < KEPT:
            kept.append(duration_s)
        else:
            kept[at] = duration_s
        self._count += 1
        if len(kept) >= ENOUGH and (self._value_s is None or self._count % _RENEW_EVERY == 0):
            ordered = sorted(kept)
            self._value_s = ordered[min(len(ordered) - 1, int(len(ordered) * self._quantile))]

    @property
    def value_s(self) -> float | None:
        """The quantile, a few calls old; None before there are enough."""
        return self._value_s
