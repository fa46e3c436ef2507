"""Samples of one series as one matrix, so that many windows over it are computed at once.

For series whose histograms all have one layout, which is nearly all of them; `ranges` and `sums` do the rest, window by
window, and say what the results here must equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from holdfast.telemetry.metrics.histograms import Histogram, ResetHint, compact
from holdfast.telemetry.metrics.promql.histograms.sums import Layout, compensated_step, shared_layout

Ints = npt.NDArray[np.int64]
Rows = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

HINTS: Final = tuple(ResetHint)
_PLACES: Final = {hint: place for place, hint in enumerate(HINTS)}
_UNKNOWN, _RESET, _NOT_RESET, _GAUGE = (
    _PLACES[hint] for hint in (ResetHint.UNKNOWN, ResetHint.RESET, ResetHint.NOT_RESET, ResetHint.GAUGE)
)


@dataclass(frozen=True, slots=True)
class Stack:
    """N samples of a series by time.

    Attributes:
        layout: what a row's numbers are; the first is the count, the second the sum of observations.
        rows: N x W.
        hints: N, as numbers: the places of `HINTS`.
        resets: N; where the counter began anew since the sample before, the hints believed.
    """

    layout: Layout
    rows: Rows
    hints: Ints
    resets: Flags

    @classmethod
    def of(cls, histograms: Sequence[Histogram]) -> Self | None:
        """Stack the samples of a series; None if there is none or their layouts differ."""
        layout = shared_layout(histograms) if histograms else None
        if layout is None:
            return None
        rows = layout.rows(histograms)
        hints = np.array([_PLACES[histogram.hint] for histogram in histograms])
        resets = np.zeros(len(rows), np.bool_)
        resets[1:] = layout.falls(rows)
        resets[hints == _NOT_RESET] = False
        resets[hints == _RESET] = True
        return cls(layout, rows, hints, resets)

    @property
    def is_gauge(self) -> Flags:
        """Tell which samples say that they are gauges."""
        return np.asarray(self.hints == _GAUGE)

    def changes(self, first: Ints, last: Ints, *, is_counter: bool) -> Rows:
        """Give by how much each of T windows grew from its first to its last sample, T x W; `rate_of` many times."""
        with np.errstate(all="ignore"):
            if not is_counter or not self.resets.any():
                return np.asarray(self.rows[last] - self.rows[first])
            # What stood before a reset that comes right after it does not matter, be it NaN.
            is_first_void = self.resets[first + 1]
            changes: Rows = self.rows[last] - np.where(is_first_void[:, None], 0.0, self.rows[first])
            places = np.flatnonzero(self.resets)
            begin = np.searchsorted(places, first + is_first_void, side="right")
            sizes = np.searchsorted(places, last, side="right") - begin
            for offset in range(int(sizes.max(initial=0))):
                open_ = np.flatnonzero(sizes > offset)
                changes[open_] += self.rows[places[begin[open_] + offset] - 1]
        return changes

    def sums(self, start: Ints, end: Ints) -> tuple[Rows, Rows]:
        """Give the sum over each of T windows (end excluded, none empty), T x W, and what rounding lost of it."""
        sums, lost = self.rows[start], np.zeros((len(start), self.rows.shape[1]))
        sizes = end - start
        for offset in range(1, int(sizes.max(initial=0))):
            open_ = np.flatnonzero(sizes > offset)
            sums[open_], lost[open_] = compensated_step(sums[open_], lost[open_], self.rows[start[open_] + offset])
        return sums, lost

    def has_gauge(self, start: Ints, end: Ints) -> Flags:
        """Tell which windows (end excluded) hold a gauge."""
        return self._has(_GAUGE, start, end)

    def merged_hints(self, start: Ints, end: Ints) -> tuple[list[ResetHint], Flags]:
        """Give the hint of the sum over each window (end excluded), and where a reset contradicts a continuation."""
        has = [self._has(place, start, end) for place in range(len(HINTS))]
        merged = np.full(len(start), _UNKNOWN)
        for place in (_RESET, _NOT_RESET):
            others = np.logical_or.reduce([there for other, there in enumerate(has) if other != place])
            merged[has[place] & ~others] = place
        merged[has[_GAUGE]] = _GAUGE
        return [HINTS[place] for place in merged.tolist()], np.asarray(has[_RESET] & has[_NOT_RESET])

    def _has(self, place: int, start: Ints, end: Ints) -> Flags:
        seen = np.concatenate(([0], np.cumsum(self.hints == place)))
        return np.asarray(seen[end] > seen[start])

    def histograms(self, rows: Rows, hint: ResetHint = ResetHint.GAUGE) -> list[Histogram]:
        """Give rows as histograms, compacted."""
        return [compact(histogram) for histogram in self.layout.histograms(rows, hint)]
