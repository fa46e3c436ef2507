"""Joins blocks in which all series have as many samples as each other: whole columns at once, and no index per sample.

So are the samples of targets that are there all the time, which is nearly all that is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from holdfast.telemetry.metrics.reading.blocks import Block, Floats, Ids, Ints, Values


@dataclass(frozen=True, slots=True)
class Even:
    """Columns of samples, the earlier before the later.

    Attributes:
        values: of S series each.
        times: of S series, or one row where all of them keep the same clock.
        clocks: S, equal where the timestamps are.
    """

    values: list[Values]
    times: list[Ints]
    clocks: Ints

    def joined(self, series: int) -> tuple[Ints, Floats]:
        """Give the timestamps and the values, series after series."""
        if not self.values:
            return np.zeros(0, np.int64), np.zeros(0)
        values = np.concatenate(self.values, axis=1, dtype=np.float64)
        times = self.times
        if any(len(part) > 1 for part in times):
            times = [np.broadcast_to(part, (series, part.shape[1])) for part in times]
        whole = np.concatenate(times, axis=1)
        return np.broadcast_to(whole, values.shape).reshape(-1), values.reshape(-1)


def join_even(blocks: Sequence[Block], ids: Ids, start_ms: int, end_ms: int) -> Even | None:
    """Give the samples of `ids` in (start_ms, end_ms]; None where they are not that even."""
    values: list[Values] = []
    times: list[Ints] = []
    clocks = np.zeros(len(ids), np.int64)
    if not len(ids):
        return None
    for block in blocks:
        if not block.width or block.histograms is not None or block.starts_ms is not None:
            return None
        ticks = block.clock_ms.reshape(-1, block.width)
        begin, end = ticks[0].searchsorted((start_ms, end_ms), "right").tolist()
        if len(ticks) > 1 and not (_divides(ticks, begin, start_ms) and _divides(ticks, end, end_ms)):
            return None
        if begin == end:
            continue
        found = block.values.reshape(-1, block.width)[:, begin:end]
        ticks, clock_of = ticks[:, begin:end], block.clock_of
        if len(block.ids) != len(ids) or not (block.ids == ids).all():
            rows = np.minimum(block.ids.searchsorted(ids), len(block.ids) - 1)
            is_there = block.ids[rows] == ids
            if not is_there.all():
                if is_there.any():
                    return None
                continue
            found, clock_of = found.take(rows, axis=0), clock_of[rows]
        if len(ticks) > 1:
            ticks = ticks.take(clock_of, axis=0)
            clocks = combined(clocks, clock_of.astype(np.int64))
        values.append(found)
        times.append(ticks)
    return Even(values, times, clocks)


def _divides(ticks: Ints, place: int, at_ms: int) -> bool:
    """Tell whether of each clock as many ticks lie up to a time."""
    return bool(
        (place == 0 or ticks[:, place - 1].max() <= at_ms)
        and (place == ticks.shape[1] or ticks[:, place].min() > at_ms)
    )


def combined(before: Ints, clock: Ints) -> Ints:
    """Give numbers that are equal where both are."""
    if (clock == clock[0]).all():
        return before
    mixed: Ints = before * (int(clock.max()) + 2) + clock + 1
    if (before == before[0]).all():
        return mixed
    numbers: npt.NDArray[np.intp] = np.unique(mixed, return_inverse=True)[1]
    return numbers.astype(np.int64)
