"""Sources of targets that fail just now: counted, logged, and remembered for who looks at the targets of the job."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from holdfast import journal

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock
    from holdfast.telemetry.metrics.scrape.metrics import ScrapeMetrics

_log = journal.get_logger()


@dataclass(frozen=True, slots=True)
class Failure:
    """One source that fails; `since` is when it began to, `error` what it says now."""

    kind: str
    source: str
    error: str
    since: datetime


class Failures:
    """Those of one job."""

    def __init__(self, metrics: ScrapeMetrics, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock
        self._now: dict[tuple[str, str], Failure] = {}

    def __iter__(self) -> Iterator[Failure]:
        """Give them in the order in which they began."""
        return iter(tuple(self._now.values()))

    def note(self, kind: str, source: str, error: object) -> None:
        """Take it that a source has failed, once more perhaps; what it told before stays true."""
        self._metrics.refreshes.labels(kind).inc()
        _log.warning("scrape.discovery_failed", kind=kind, source=source, error=str(error))
        before = self._now.get((kind, source))
        since = before.since if before else self._clock.now()
        self._now[kind, source] = Failure(kind, source, str(error), since)

    def clear(self, kind: str, source: str) -> None:
        """Take it that a source works, or is gone."""
        self._now.pop((kind, source), None)
