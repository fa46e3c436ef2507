"""How long a span did something itself: its duration without the time in which any child ran."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from holdfast.telemetry.traces.analysis.tree import NO_ROW

if TYPE_CHECKING:
    import numpy.typing as npt

    from holdfast.telemetry.traces.analysis.tree import Rows, Times, Tree


def measure_self_times(tree: Tree) -> Times:
    """Give the self time of each span in ns; children that overlap count once, what lies outside the span does not."""
    starts, ends = tree.starts_ns, tree.ends_ns
    rows = np.flatnonzero(tree.parents != NO_ROW)
    rows = rows[np.lexsort((ends[rows], starts[rows], tree.parents[rows]))]
    parents = tree.parents[rows]
    begins, stops = np.maximum(starts[rows], starts[parents]), np.minimum(ends[rows], ends[parents])
    is_first = np.append(True, parents[1:] != parents[:-1])[: len(rows)]
    covered = np.maximum(np.where(is_first, starts[parents], _latest_before(stops, parents)), begins)
    own = (ends - starts).copy()
    np.subtract.at(own, parents, np.maximum(stops - covered, 0))
    return own


def _latest_before(stops: Times, parents: Rows) -> npt.NDArray[np.int64]:
    """Give the latest stop of the rows before each, among those of the same parent; the first of each has none.

    Stops are compared by their place in order, raised for each parent above those of the one before.
    """
    if not len(stops):
        return stops
    different, places = np.unique(stops, return_inverse=True)
    steps = np.cumsum(np.append(0, parents[1:] != parents[:-1])) * len(different)
    latest = np.maximum.accumulate(places + steps) - steps
    return np.append(stops[:1], different[latest[:-1]])
