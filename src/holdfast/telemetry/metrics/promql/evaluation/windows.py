"""Windows over samples: for each series and step the first sample and the one after the last, as indices.

Where all series of a block have the same clock there is one row of indices for all of them, and samples are a matrix.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from holdfast.telemetry.metrics.promql.evaluation.arrays import Floats, Ints
from holdfast.telemetry.metrics.promql.evaluation.blocks import Block
from holdfast.telemetry.metrics.promql.evaluation.samples import Samples

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of a block of consecutive series; R rows, T steps.

    Attributes:
        lo: int64, (1 or R) x T: the first sample in the window, counted from the series' own first.
        hi: int64, (1 or R) x T: one after the last.
        ends: int64, T: the right, closed ends in milliseconds.
        range_ms: the length; the left end is open.
        times: int64, T: when it is evaluated, which with `@` or an offset is not where the window ends.
    """

    samples: Samples
    first_row: int
    end_row: int
    is_shared: bool
    lo: Ints
    hi: Ints
    ends: Ints
    range_ms: int
    times: Ints

    @property
    def rows(self) -> int:
        """R."""
        return self.end_row - self.first_row

    @property
    def counts(self) -> Ints:
        """How many samples each window holds, (1 or R) x T."""
        return self.hi - self.lo

    @property
    def begin(self) -> int:
        """Where the block begins in the flat columns."""
        return int(self.samples.offsets[self.first_row])

    @property
    def end(self) -> int:
        """Where the block ends in the flat columns."""
        return int(self.samples.offsets[self.end_row])

    @property
    def bases(self) -> Ints:
        """Where each series begins, counted from the block's first sample, R x 1."""
        return (self.samples.offsets[self.first_row : self.end_row] - self.begin)[:, None]

    @property
    def flat(self) -> Floats:
        """The block's values, one series after the other."""
        return self.samples.values[self.begin : self.end]

    def pick(self, flat: npt.NDArray[Scalar], index: Ints) -> npt.NDArray[Scalar]:
        """Give entries of a column that runs along the block's samples, R x T."""
        if self.is_shared:
            return np.asarray(flat.reshape(self.rows, -1).take(index[0], axis=1, mode="clip"))
        return np.asarray(flat.take(self.bases + index, mode="clip"))

    def at(self, index: Ints) -> Floats:
        """Give the values at these samples, R x T."""
        return self.pick(self.flat, index)

    def clock_at(self, index: Ints) -> Ints:
        """Give the timestamps at these samples, (1 or R) x T."""
        ts = self.samples.ts[self.begin : self.end]
        if self.is_shared:
            clock = ts[: self.samples.offsets[self.first_row + 1] - self.begin]
            return clock.take(index, mode="clip")
        return ts.take(self.bases + index, mode="clip")

    def broadcast(self, per_window: Ints) -> Ints:
        """Give an array of one row for all as one row each."""
        return np.broadcast_to(per_window, (self.rows, per_window.shape[1]))


@dataclass(slots=True)
class Bounds:
    """Finds and remembers the windows of one selector, (end - range, end], for each clock.

    Those of extended selectors reach further, to samples beside the range.
    """

    samples: Samples
    ends: Ints
    range_ms: int
    times: Ints
    reach_left_ms: int = 0
    reach_right_ms: int = 0
    _known: dict[int, tuple[Ints, Ints]] = field(default_factory=dict)

    def windows(self, block: Block) -> Windows:
        """Give the windows of a block of series."""
        samples, first, end = block.local()
        rows = [first] if block.is_shared else range(first, end)
        pairs = [self._pair(samples, row) for row in rows]
        lo, hi = np.stack([pair[0] for pair in pairs]), np.stack([pair[1] for pair in pairs])
        return Windows(samples, first, end, block.is_shared, lo, hi, self.ends, self.range_ms, self.times)

    def of_row(self, row: int) -> Windows:
        """Give the windows of one series."""
        return self.windows(Block(self.samples, slice(row, row + 1), is_shared=False))

    def _pair(self, samples: Samples, row: int) -> tuple[Ints, Ints]:
        clock = int(samples.clocks[row])
        found = self._known.get(clock)
        if found is None:
            ts = samples.ts[samples.offsets[row] : samples.offsets[row + 1]]
            lefts = self.ends - self.range_ms - self.reach_left_ms
            rights = self.ends + self.reach_right_ms
            found = ts.searchsorted(lefts, side="right"), ts.searchsorted(rights, side="right")
            self._known[clock] = found
        return found
