"""Whole windows side by side, for functions that need every sample of a window at once; memory stays bounded.

A chunk holds as many windows as fit a few megabytes, each padded to the longest of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools, Floats, Ints
from holdfast.telemetry.metrics.promql.evaluation.windows import Windows

CELLS: Final = 1 << 18  # of a chunk: two megabytes


@dataclass(frozen=True, slots=True)
class Gathered:
    """K windows, each of up to W samples, oldest first.

    Attributes:
        rows: int64, K: the window's series in the block.
        columns: int64, K: the window's step.
        counts: int64, K: how many samples it has; at least one.
        values: float64, K x W; 0.0 where there is none.
        ts_ms: int64, K x W.
        inside: bool, K x W: where there is a sample.
    """

    rows: Ints
    columns: Ints
    counts: Ints
    values: Floats
    ts_ms: Ints
    inside: Bools


def gather(windows: Windows, mask: Bools) -> Iterator[Gathered]:
    """Give the windows where `mask` ((1 or R) x T) holds, in chunks."""
    rows, columns = np.nonzero(np.broadcast_to(mask, (windows.rows, mask.shape[1])))
    if not len(rows):
        return
    shared = np.zeros_like(rows) if windows.is_shared else rows
    counts = windows.counts[shared, columns]
    begins = windows.begin + windows.bases[rows, 0] + windows.lo[shared, columns]
    size = max(1, CELLS // int(counts.max()))
    for at in range(0, len(rows), size):
        part = slice(at, at + size)
        reach = np.arange(int(counts[part].max()))
        inside = reach < counts[part][:, None]
        index = np.where(inside, begins[part][:, None] + reach, begins[part][:, None])
        values = np.where(inside, windows.samples.values.take(index), 0.0)
        yield Gathered(rows[part], columns[part], counts[part], values, windows.samples.ts.take(index), inside)


def fill(windows: Windows, mask: Bools, out: Floats, compute: Callable[[Gathered], Floats]) -> Bools:
    """Fill `out` where `mask` holds with what `compute` makes of the windows; give the mask."""
    for part in gather(windows, mask):
        with np.errstate(all="ignore"):
            out[part.rows, part.columns] = compute(part)
    return mask
