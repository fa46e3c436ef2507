"""What metrics write into the event log."""

from __future__ import annotations

from typing import Final

from holdfast.kernel.events import EventKind

SIZE_CUT: Final = EventKind(
    "metrics.size_cut",
    "The oldest samples or sums went, for metrics had grown beyond `metrics.max_size`; `newest_day` says whether "
    "samples less than a day old went.",
)
SIZE_EXCEEDED: Final = EventKind(
    "metrics.size_exceeded",
    "Metrics take more than `metrics.max_size`, and nothing is left that could go.",
)

KINDS: Final = (SIZE_CUT, SIZE_EXCEEDED)
