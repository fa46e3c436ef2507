"""The critical path: the chain of work that a trace's duration hangs on. Whatever is off it could take longer for free.

From the root's end backwards: the child that ended last was waited for, before it the one that ended last before that
one began, and so on, in each of them alike; what lies between is the span's own. Source: Zhang et al., CRISP (USENIX
ATC 2022).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from holdfast.telemetry.traces.analysis.tree import Tree


class Segment(NamedTuple):
    """A piece of the critical path: from `start_ns` to `end_ns` the span of `row` was at work itself."""

    row: int
    start_ns: int
    end_ns: int


def find_critical_path(tree: Tree) -> list[Segment]:
    """Give the pieces by time; they cover the root from its start to its end without overlap."""
    starts, ends = tree.starts_ns, tree.ends_ns
    pieces: list[Segment] = []
    waiting = [(tree.root, starts[tree.root], ends[tree.root])]
    while waiting:
        row, from_ns, until_ns = waiting.pop()
        clipped = [(min(ends[child], until_ns), max(starts[child], from_ns), child) for child in tree.children[row]]
        cursor = until_ns
        for end, start, child in sorted(clipped, reverse=True):
            if start < end <= cursor:
                if end < cursor:
                    pieces.append(Segment(row, end, cursor))
                waiting.append((child, start, end))
                cursor = start
        if from_ns < cursor:
            pieces.append(Segment(row, from_ns, cursor))
    return sorted(pieces, key=lambda piece: piece.start_ns)
