"""The tree of a trace: spans in the order of a waterfall, each with the row of its parent.

A span whose parent has not come stands at the top, and so does the earliest one of a circle. Nothing here corrects
clocks: that is `clock_skew`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, overload

import numpy as np
import numpy.typing as npt

from holdfast.telemetry.traces.spans import NO_PARENT, Spans, Trace, numbers_of

NO_ROW: Final = -1
Rows = npt.NDArray[np.int64]
Times = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Tree:
    """Spans, a parent before its children, children by their start; every sequence has an entry per span.

    Attributes:
        trace_id: of the trace.
        spans: as they were sent.
        parents: row of the parent; `NO_ROW` at the top.
        depths: 0 at the top.
        starts_ns, ends_ns: of each span, on one clock once they are aligned.
        skews_ns: what was added to the start that was sent.
        circles: rows that stand at the top because their ancestors form a circle.
        root: the row of the root; where it is missing, of the earliest span at the top.
    """

    trace_id: str
    spans: Spans
    parents: Rows
    depths: Rows
    starts_ns: Times
    ends_ns: Times
    skews_ns: Times
    circles: Sequence[int]
    root: int

    @property
    def tops(self) -> list[int]:
        """Give the rows at the top."""
        found: list[int] = np.flatnonzero(self.parents == NO_ROW).tolist()
        return found

    @property
    def roots(self) -> list[int]:
        """Give those at the top that name no parent."""
        return [row for row in self.tops if self.spans.parent_ids[row] == NO_PARENT]

    @property
    def children(self) -> Below:
        """Give the rows of each span's children, by their start."""
        return Below(self.parents)


class Below(Sequence[Sequence[int]]):
    """For each place, those that name it as their parent, in order; cut out when asked for, as lists are dear."""

    def __init__(self, parents: Rows) -> None:
        order = np.argsort(parents, kind="stable")
        self._all: list[int] = order.tolist()
        self._ends: list[int] = np.searchsorted(parents[order], np.arange(len(parents) + 1)).tolist()

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, place: int) -> Sequence[int]: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Sequence[int]]: ...
    def __getitem__(self, place: int | slice) -> Sequence[int] | Sequence[Sequence[int]]:
        """Give the children of one place, or of some."""
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        return self._all[self._ends[place] : self._ends[place + 1]]


def grow(trace: Trace) -> Tree:
    """Give the tree of a trace that has spans."""
    ancestors = _find_parents(trace.spans)
    order, depths, circles = _walk(ancestors)
    places = np.array(order, np.intp)
    rows = np.zeros(len(places) + 1, np.int64)
    rows[places] = np.arange(len(places))
    rows[NO_ROW] = NO_ROW
    spans, parents = trace.spans.take(places), rows[ancestors[places]]
    return Tree(
        trace.trace_id,
        spans,
        parents,
        np.array(depths, np.int64),
        spans.starts_ns,
        spans.starts_ns + spans.durations_ns,
        np.zeros(len(places), np.int64),
        sorted(rows[circles].tolist()),
        _root(spans, parents),
    )


def _find_parents(spans: Spans) -> Rows:
    """Give the place of each span's parent; of two halves that share an id (Zipkin), the lower one has the children."""
    ids, wanted = numbers_of(spans.span_ids), numbers_of(spans.parent_ids)
    is_lower = ids == wanted
    found = _look_up(ids, np.flatnonzero(~is_lower), wanted)
    if is_lower.any():
        below = _look_up(ids, np.flatnonzero(is_lower), wanted)
        found = np.where(is_lower | (below == NO_ROW), found, below)
    return np.where(wanted == 0, NO_ROW, found)


def _look_up(ids: npt.NDArray[np.uint64], among: npt.NDArray[np.intp], wanted: npt.NDArray[np.uint64]) -> Rows:
    """Give the first place, of those to look among, at which each wanted id is; `NO_ROW` where it is at none."""
    if not len(among):
        return np.full(len(wanted), NO_ROW, np.int64)
    by_id = among[np.argsort(ids[among], kind="stable")]
    nearest = by_id[np.minimum(np.searchsorted(ids[by_id], wanted), len(by_id) - 1)]
    return np.where(ids[nearest] == wanted, nearest, NO_ROW).astype(np.int64)


def _walk(ancestors: Rows) -> tuple[list[int], list[int], list[int]]:
    """Give all places, parents first, their depths, and those at which a circle was cut open, in `ancestors` too."""
    below = Below(ancestors)
    order: list[int] = []
    depths: list[int] = []
    seen = bytearray(len(below))

    def descend(top: int) -> None:
        waiting, levels = [top], [0]
        while waiting:
            place, depth = waiting.pop(), levels.pop()
            if seen[place]:  # where a circle was cut open
                continue
            seen[place] = 1
            order.append(place)
            depths.append(depth)
            if children := below[place]:
                waiting += children[::-1]
                levels += [depth + 1] * len(children)

    for top in np.flatnonzero(ancestors == NO_ROW).tolist():
        descend(top)
    cut = []
    for place in range(len(below) if len(order) < len(below) else 0):
        if not seen[place]:
            ancestors[place] = NO_ROW
            cut.append(place)
            descend(place)
    return order, depths, cut


def _root(spans: Spans, parents: Rows) -> int:
    tops = np.flatnonzero(parents == NO_ROW).tolist()
    rootless = [row for row in tops if spans.parent_ids[row] == NO_PARENT]
    return min(rootless or tops, key=lambda row: (int(spans.starts_ns[row]), row))
