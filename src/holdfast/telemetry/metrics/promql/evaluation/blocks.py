"""Cuts the series of a selector into blocks that fit a core's cache and, where it can be, keep one clock.

Series of one clock that stand apart, as those of many targets do, are brought together block by block.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from holdfast.telemetry.metrics.promql.evaluation.arrays import Ints
from holdfast.telemetry.metrics.promql.evaluation.samples import Samples, take_series

BLOCK_BYTES: Final = 1 << 21  # of a block's samples or grid: a few such arrays stay in the cache
FEW: Final = 8  # below this many series of one clock, a block of its own does not pay


@dataclass(frozen=True, slots=True)
class Block:
    """Some series of a selector: consecutive ones, or those of one clock wherever they stand."""

    samples: Samples
    rows: slice | Ints
    is_shared: bool

    def local(self) -> tuple[Samples, int, int]:
        """Give samples in which the block's series are consecutive, with the first and the end row there."""
        if isinstance(self.rows, slice):
            return self.samples, self.rows.start, self.rows.stop
        return take_series(self.samples, self.rows), 0, len(self.rows)


def cut_blocks(samples: Samples, steps: int) -> Iterator[Block]:
    """Give the blocks of all series; `steps` is how wide the grids are."""
    if not samples.count:
        return
    breaks = np.flatnonzero(np.diff(samples.clocks)) + 1
    order = np.argsort(samples.clocks, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(samples.clocks[order])) + 1)
    if len(breaks) >= 2 * len(groups):
        yield from _by_clock(samples, groups, steps)
        return
    single = 0
    for begin, end in pairwise([0, *breaks.tolist(), samples.count]):
        if end - begin < FEW and len(breaks):
            continue
        yield from _runs(samples, single, begin, steps, is_shared=False)
        yield from _runs(samples, begin, end, steps, is_shared=True)
        single = end
    yield from _runs(samples, single, samples.count, steps, is_shared=False)


def _by_clock(samples: Samples, groups: list[Ints], steps: int) -> Iterator[Block]:
    for group in groups:
        size = _rows_of_block(samples, int(group[0]), steps)
        if len(group) < FEW:
            yield from (Block(samples, slice(row, row + 1), is_shared=True) for row in group.tolist())
            continue
        for at in range(0, len(group), size):
            yield Block(samples, group[at : at + size], is_shared=True)


def _runs(samples: Samples, begin: int, end: int, steps: int, *, is_shared: bool) -> Iterator[Block]:
    while begin < end:
        stop = min(begin + _rows_of_block(samples, begin, steps), end)
        yield Block(samples, slice(begin, stop), is_shared)
        begin = stop


def _rows_of_block(samples: Samples, row: int, steps: int) -> int:
    width = max(steps, int(samples.offsets[row + 1] - samples.offsets[row]), 1)
    return max(1, BLOCK_BYTES // (8 * width))
