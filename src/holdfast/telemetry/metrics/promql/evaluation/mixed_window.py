"""One window of a series that holds histograms, as range functions take it sample by sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from holdfast.telemetry.metrics.histograms import Histogram
from holdfast.telemetry.metrics.promql.evaluation.notes import Notes
from holdfast.telemetry.metrics.promql.nodes import Span

Result = float | Histogram | None


@dataclass(frozen=True, slots=True)
class MixedWindow:
    """Samples in (end - range, end], oldest first; those of extended selectors reach further.

    Attributes:
        ts_ms: when.
        points: a number or a histogram each.
        starts: since when a counter counts, 0 if unknown; None if nothing is known.
        end_ms: the right end of the range.
        range_ms: its length.
        mode: `anchored`, `smoothed` or empty.
        name: the metric's name, for notes.
        count: how many raw samples there are, of which `points` may be some.
    """

    ts_ms: Sequence[int]
    points: Sequence[float | Histogram]
    starts: Sequence[int] | None
    end_ms: int
    range_ms: int
    mode: str
    name: str
    span: Span
    notes: Notes
    count: float

    @property
    def start_ms(self) -> int:
        """The left end of the range."""
        return self.end_ms - self.range_ms

    @property
    def has_floats(self) -> bool:
        """Tell whether there is any number."""
        return any(not isinstance(point, Histogram) for point in self.points)

    @property
    def histograms(self) -> list[Histogram]:
        """The histograms."""
        return [point for point in self.points if isinstance(point, Histogram)]

    @property
    def timed_histograms(self) -> list[tuple[int, Histogram]]:
        """The histograms with their times."""
        pairs = zip(self.ts_ms, self.points, strict=True)
        return [(ts, point) for ts, point in pairs if isinstance(point, Histogram)]

    def trimmed(self) -> MixedWindow | None:
        """Give an extended window without what its selector does not look at; None if nothing is left."""
        if not self.mode:
            return self
        first = max((at for at, ts in enumerate(self.ts_ms) if ts <= self.start_ms), default=0)
        last = len(self.ts_ms) - 1
        if self.mode == "smoothed":
            last = next((at for at, ts in enumerate(self.ts_ms) if ts >= self.end_ms), last)
        first = min(first, last)
        if self.ts_ms[last] <= self.start_ms:
            return None
        part = slice(first, last + 1)
        starts = None if self.starts is None else self.starts[part]
        return replace(self, ts_ms=self.ts_ms[part], points=self.points[part], starts=starts)
