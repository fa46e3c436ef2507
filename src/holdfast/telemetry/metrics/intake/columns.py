"""The columns of one request, grown point by point; doors that see whole objects (OTLP, push, imports) use them.

Remote write has its own, which reads most samples at once.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.telemetry.ledger import service_of
from holdfast.telemetry.metrics.arrivals import REFUSED, STALE_BITS, Arrival, Exemplar, HistogramSample
from holdfast.telemetry.metrics.intake.labels import LabelLimits, LabelsError, admit_labels
from holdfast.telemetry.metrics.intake.refusals import LIMIT, Refusals

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.arrivals import MetricMetadata, SeriesBook
    from holdfast.telemetry.metrics.histograms import Histogram
    from holdfast.telemetry.metrics.labels import Labels

STALE: Final[float] = struct.unpack("<d", struct.pack("<Q", STALE_BITS))[0]  # the NaN that ends a series


@dataclass(slots=True)
class Columns:
    """What a request holds so far; points of a series that is kept out are only counted."""

    refs: list[int] = field(default_factory=list)
    ts_ms: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    starts_ms: list[int] = field(default_factory=list)
    histograms: list[HistogramSample] = field(default_factory=list)
    exemplars: list[Exemplar] = field(default_factory=list)
    metadata: dict[str, MetricMetadata] = field(default_factory=dict)
    refusals: Refusals = field(default_factory=Refusals)

    def __bool__(self) -> bool:
        return bool(self.refs or self.histograms or self.exemplars or self.metadata)

    def enter(self, book: SeriesBook, labels: Labels, limits: LabelLimits, origin: str) -> int:
        """Give the reference of a label set; if it may not enter, what says so of its service: below 0."""
        try:
            ref = book.ref(admit_labels(labels, limits), origin=origin)
        except LabelsError as error:
            self.refusals.tell(str(error))
            return self.refusals.code("labels", service_of(labels))
        return self.refusals.code(LIMIT, service_of(labels)) if ref == REFUSED else ref

    def add(self, ref: int, ts_ms: int, value: float, start_ms: int = 0) -> None:
        """Add a sample."""
        if ref < 0:
            self._keep_out(ref)
            return
        self.refs.append(ref)
        self.ts_ms.append(ts_ms)
        self.values.append(value)
        self.starts_ms.append(start_ms)

    def add_histogram(self, ref: int, ts_ms: int, histogram: Histogram, start_ms: int = 0) -> None:
        """Add a native histogram."""
        if ref < 0:
            self._keep_out(ref)
            return
        self.histograms.append(HistogramSample(ref, ts_ms, histogram, start_ms))

    def add_exemplar(self, ref: int, ts_ms: int, value: float, labels: Labels) -> None:
        """Add an exemplar; one of a series that is kept out goes without a word, as its samples are counted."""
        if ref >= 0:
            self.exemplars.append(Exemplar(ref, ts_ms, value, labels))

    def _keep_out(self, ref: int) -> None:
        self.refusals.add_coded(ref)

    def arrival(self, generation: int) -> Arrival:
        """Give all of it as columns."""
        starts = np.array(self.starts_ms, np.int64) if any(self.starts_ms) else None
        return Arrival(
            generation,
            np.array(self.refs, np.int64),
            np.array(self.ts_ms, np.int64),
            np.array(self.values, np.float64),
            starts_ms=starts,
            histograms=self.histograms,
            exemplars=self.exemplars,
            metadata=tuple(self.metadata.values()),
        )
