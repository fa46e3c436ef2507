"""Which series go together in an aggregation, and under which labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels
from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools, Ints

CELLS: Final = 1 << 18  # of a batch: two megabytes


@dataclass(frozen=True, slots=True)
class Groups:
    """G groups of S series.

    Attributes:
        labels: G label sets, in the order in which their first series comes.
        order: int64, S: the series, group after group.
        starts: int64, G: where each group begins in `order`.
    """

    labels: list[Labels]
    order: Ints
    starts: Ints

    @property
    def count(self) -> int:
        """G."""
        return len(self.labels)

    def rows(self) -> list[Ints]:
        """Give the series of each group."""
        return np.split(self.order, self.starts[1:]) if self.count else []

    def batches(self, steps: int) -> Iterator[tuple[Ints, Ints]]:
        """Give groups of the same size side by side: K of them, and their series (size x K).

        Many small groups then cost what a large one does. A batch of more than one group fits a core's cache.
        """
        sizes = np.diff(self.starts, append=len(self.order))
        for size in np.unique(sizes).tolist():
            alike = np.flatnonzero(sizes == size)
            width = max(1, CELLS // (size * max(steps, 1)))
            for at in range(0, len(alike), width):
                numbers = alike[at : at + width]
                yield numbers, self.order[self.starts[numbers] + np.arange(size)[:, None]]

    def any_of(self, flags: Bools) -> Bools:
        """Tell for each group whether any of its series has the flag."""
        return np.logical_or.reduceat(flags[self.order], self.starts) if self.count else np.zeros(0, dtype=np.bool_)


def group(series: Sequence[Labels], names: Sequence[str], *, is_without: bool) -> Groups:
    """Group series by the labels named, or by all but those and the metric's name."""
    chosen = frozenset(names) | {METRIC_NAME} if is_without else frozenset(names)
    if not chosen:
        keys: list[Labels] = [()] * len(series)
    elif is_without:
        keys = [tuple(pair for pair in labels if pair[0] not in chosen) for labels in series]
    else:
        keys = [tuple(pair for pair in labels if pair[0] in chosen) for labels in series]
    numbers: dict[Labels, int] = {}
    of = np.fromiter((numbers.setdefault(key, len(numbers)) for key in keys), dtype=np.int64, count=len(keys))
    order = np.argsort(of, kind="stable")
    sizes = np.bincount(of, minlength=len(numbers))
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1])) if numbers else np.zeros(0, dtype=np.int64)
    return Groups(list(numbers), order, starts.astype(np.int64))
