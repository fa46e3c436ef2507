"""A page whose series are known: values of the next one, if it is laid out alike, are of the same series in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from holdfast.telemetry.metrics.arrivals import HistogramSample
from holdfast.telemetry.metrics.exposition import PageSample, Protocol, Reading, Template
from holdfast.telemetry.metrics.scrape.ladders import Ladder
from holdfast.telemetry.metrics.scrape.native_limits import within_limits

if TYPE_CHECKING:
    import numpy.typing as npt

    from holdfast.telemetry.metrics.scrape.config import Limits

DROPPED: Final = -2  # what relabelling throws away, and a second sample of one series


class KnownLadder(NamedTuple):
    """A classic histogram that becomes a native one: its reference, and the place of the line of its start."""

    ladder: Ladder
    ref: int
    created: int


@dataclass(frozen=True, slots=True)
class KnownPage:
    """Its template, and what each value of it is.

    `broken` are the classic histograms that contradict themselves, and so stay classic until they do not.
    """

    template: Template
    protocol: Protocol
    timed: npt.NDArray[np.bool_]
    kept: npt.NDArray[np.int64]
    refs: npt.NDArray[np.int64]
    all_refs: npt.NDArray[np.int64]
    created: npt.NDArray[np.int64] | None
    tracked: npt.NDArray[np.int64]
    exposed: int
    repeated: int
    ladders: tuple[KnownLadder, ...] = ()
    ladder_refs: npt.NDArray[np.int64] | None = None
    broken: tuple[Ladder, ...] = ()

    def with_ladders(
        self,
        ladders: Sequence[tuple[Ladder, PageSample]],
        broken: tuple[Ladder, ...],
        ordered: Sequence[PageSample],
        refs: Mapping[bytes, int],
    ) -> KnownPage | None:
        """Give the page with its histograms; None if times of its own say what belongs to one."""
        if any(ladder.ts_ms is not None for ladder in (*(ladder for ladder, _ in ladders), *broken)):
            return None
        places = {sample.line: place for place, sample in enumerate(ordered)}
        ladder_refs = np.full(len(ordered), DROPPED, np.int64)
        found = []
        for ladder, native in ladders:
            ref = refs[native.key]
            if ref == DROPPED:
                continue
            ladder_refs[[place for _, place in ladder.buckets]] = ref
            found.append(KnownLadder(ladder, ref, places.get(ladder.first.created, -1)))
        return replace(self, ladders=tuple(found), ladder_refs=ladder_refs, broken=broken)

    def natives(self, reading: Reading, limits: Limits, now_ms: int) -> tuple[HistogramSample, ...] | None:
        """Give the native histograms of a page that was read; None if one does not become what it became before."""
        if not self.ladders and not self.broken:
            return ()
        values = reading.values.tolist()
        if any(ladder.read(values) is not None for ladder in self.broken):
            return None
        found = []
        for ladder, ref, created in self.ladders:
            histogram = ladder.read(values)
            if histogram is None:
                return None
            start_ms = int(values[created] * 1000) if created >= 0 else 0
            found.append(HistogramSample(ref, now_ms, within_limits(histogram, limits), start_ms))
        return tuple(found)
