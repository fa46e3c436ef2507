"""What the targets of one job say of their families, once for all of them; the store need not hear it at each scrape.

Said again now and then, for what is never said again leaves the store, and when the store did not take it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock
    from holdfast.telemetry.metrics.arrivals import MetricMetadata

AGAIN_S: Final = 3600.0  # the sink writes what it hears again once a day
_MOST: Final = 100_000  # remembered


class Sayings:
    """Remembers what was said, and when."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._said_s: dict[MetricMetadata, float] = {}

    def news(self, metadata: Iterable[MetricMetadata]) -> tuple[MetricMetadata, ...]:
        """Give what is to be said now, and take it for said."""
        now_s = self._clock.monotonic()
        fresh = tuple(one for one in metadata if now_s - self._said_s.get(one, now_s - AGAIN_S) >= AGAIN_S)
        if len(self._said_s) + len(fresh) > _MOST:
            self._said_s.clear()
        self._said_s.update(dict.fromkeys(fresh, now_s))
        return fresh

    def take_back(self, metadata: Iterable[MetricMetadata]) -> None:
        """Take it that the store has not heard this."""
        for one in metadata:
            self._said_s.pop(one, None)
