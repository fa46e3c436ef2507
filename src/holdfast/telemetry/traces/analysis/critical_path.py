"""The critical path: the chain of work that a trace's duration hangs on. Whatever is off it could take longer for free.

From the root's end backwards: the child that ended last was waited for, before it the one that ended last before that
one began, and so on, in each of them alike; what lies between is the span's own. Source: Zhang et al., CRISP (USENIX
ATC 2022).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from holdfast.telemetry.traces.analysis.tree import Rows, Times, Tree


class Segment(NamedTuple):
    """A piece of the critical path: from `start_ns` to `end_ns` the span of `row` was at work itself."""

    row: int
    start_ns: int
    end_ns: int


@dataclass(frozen=True)
class CriticalPath:
    """The pieces by time, as columns; they cover the root from its start to its end without overlap."""

    rows: Rows
    starts_ns: Times
    ends_ns: Times

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Segment]:
        return map(Segment, self.rows.tolist(), self.starts_ns.tolist(), self.ends_ns.tolist())


def find_critical_path(tree: Tree) -> CriticalPath:
    """Give the critical path."""
    starts, ends, below = tree.starts_ns.tolist(), tree.ends_ns.tolist(), tree.children
    rows: list[int] = []
    begins: list[int] = []
    stops: list[int] = []
    waiting = [(tree.root, starts[tree.root], ends[tree.root])]
    while waiting:
        row, from_ns, until_ns = waiting.pop()
        cursor = until_ns
        if children := below[row]:
            clipped = [(min(ends[child], until_ns), max(starts[child], from_ns), child) for child in children]
            clipped.sort(reverse=True)
            for end, start, child in clipped:
                if start < end <= cursor:
                    if end < cursor:
                        rows.append(row)
                        begins.append(end)
                        stops.append(cursor)
                    waiting.append((child, start, end))
                    cursor = start
        if from_ns < cursor:
            rows.append(row)
            begins.append(from_ns)
            stops.append(cursor)
    columns = [np.array(each, np.int64) for each in (rows, begins, stops)]
    order = np.argsort(columns[1], kind="stable")
    return CriticalPath(*(column[order] for column in columns))
