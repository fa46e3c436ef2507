"""The tree of a trace: spans in the order of a waterfall, each with the row of its parent.

A span whose parent has not come stands at the top, and so does the earliest one of a circle. Nothing here corrects
clocks: that is `clock_skew`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from holdfast.telemetry.traces.spans import Span, Trace

NO_ROW: Final = -1


@dataclass(frozen=True, slots=True)
class Tree:
    """Spans, a parent before its children, children by their start; every sequence has an entry per span.

    Attributes:
        trace_id: of the trace.
        spans: as they were sent.
        parents: row of the parent; `NO_ROW` at the top.
        children: rows of the children.
        depths: 0 at the top.
        starts_ns, ends_ns: of each span, on one clock once they are aligned.
        skews_ns: what was added to the start that was sent.
        circles: rows that stand at the top because their ancestors form a circle.
        root: the row of the root; where it is missing, of the earliest span at the top.
    """

    trace_id: str
    spans: Sequence[Span]
    parents: Sequence[int]
    children: Sequence[Sequence[int]]
    depths: Sequence[int]
    starts_ns: Sequence[int]
    ends_ns: Sequence[int]
    skews_ns: Sequence[int]
    circles: Sequence[int]
    root: int

    @property
    def tops(self) -> list[int]:
        """Give the rows at the top."""
        return [row for row, parent in enumerate(self.parents) if parent == NO_ROW]


def grow(trace: Trace) -> Tree:
    """Give the tree of a trace that has spans."""
    ancestors = _find_parents(trace.spans)
    below: list[list[int]] = [[] for _ in trace.spans]
    tops: list[int] = []
    for place, parent in enumerate(ancestors):
        (tops if parent == NO_ROW else below[parent]).append(place)
    order, circles = _walk(tops, below, ancestors)
    rows = {place: row for row, place in enumerate(order)}
    spans = [trace.spans[place] for place in order]
    parents = [NO_ROW if ancestors[place] == NO_ROW else rows[ancestors[place]] for place in order]
    depths: list[int] = []
    children: list[list[int]] = [[] for _ in spans]
    for row, parent in enumerate(parents):
        depths.append(0 if parent == NO_ROW else depths[parent] + 1)
        if parent != NO_ROW:
            children[parent].append(row)
    return Tree(
        trace.trace_id,
        spans,
        parents,
        children,
        depths,
        [span.start_ns for span in spans],
        [span.end_ns for span in spans],
        [0] * len(spans),
        sorted(rows[place] for place in circles),
        _root(spans, parents),
    )


def _find_parents(spans: Sequence[Span]) -> list[int]:
    """Give the place of each span's parent; of two halves that share an id (Zipkin), the lower one has the children."""
    upper: dict[str, int] = {}
    lower: dict[str, int] = {}
    for place, span in enumerate(spans):
        half = lower if span.parent_id == span.span_id else upper
        half.setdefault(span.span_id, place)
    parents = []
    for place, span in enumerate(spans):
        if span.parent_id == span.span_id:
            parents.append(upper.get(span.span_id, NO_ROW))
        else:
            found = lower.get(span.parent_id, upper.get(span.parent_id, NO_ROW))
            parents.append(NO_ROW if found == place else found)
    return parents


def _walk(tops: list[int], below: Sequence[list[int]], ancestors: list[int]) -> tuple[list[int], list[int]]:
    """Give all places, parents first, and those at which a circle was cut open; cuts it in `ancestors` and `below`."""
    order: list[int] = []
    seen = bytearray(len(below))

    def descend(top: int) -> None:
        waiting = [top]
        while waiting:
            place = waiting.pop()
            seen[place] = 1
            order.append(place)
            waiting.extend(reversed(below[place]))

    for top in tops:
        descend(top)
    circles = []
    for place in range(len(below)):
        if not seen[place]:
            below[ancestors[place]].remove(place)
            ancestors[place] = NO_ROW
            circles.append(place)
            descend(place)
    return order, circles


def _root(spans: Sequence[Span], parents: Sequence[int]) -> int:
    tops = [row for row, parent in enumerate(parents) if parent == NO_ROW]
    rootless = [row for row in tops if not spans[row].parent_id]
    return min(rootless or tops, key=lambda row: (spans[row].start_ns, row))
