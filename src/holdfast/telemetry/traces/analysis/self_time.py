"""How long a span did something itself: its duration without the time in which any child ran."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.telemetry.traces.analysis.tree import Tree


def measure_self_times(tree: Tree) -> list[int]:
    """Give the self time of each span in ns; children that overlap count once, what lies outside the span does not."""
    starts, ends = tree.starts_ns, tree.ends_ns
    found = []
    for row, children in enumerate(tree.children):
        own, covered_until = ends[row] - starts[row], starts[row]
        for start, end in sorted((starts[child], ends[child]) for child in children):
            begins, stops = max(start, covered_until), min(end, ends[row])
            if stops > begins:
                own -= stops - begins
                covered_until = stops
        found.append(own)
    return found
