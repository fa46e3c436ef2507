"""The columns that grow while a request is decoded; at its end they become one arrival.

Samples in the usual layout are only noted by place: `layouts` reads all of them at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.ledger import service_of
from holdfast.telemetry.metrics.arrivals import REFUSED, Arrival
from holdfast.telemetry.metrics.intake import LIMIT, LabelsError, Refusals
from holdfast.telemetry.metrics.remote.layouts import ZERO, Places
from holdfast.telemetry.metrics.remote.wire import MalformedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.telemetry.metrics.arrivals import Exemplar, HistogramSample, MetricMetadata
    from holdfast.telemetry.metrics.intake import Memory
    from holdfast.telemetry.metrics.labels import Labels
    from holdfast.telemetry.metrics.remote.newcomers import Newcomers
    from holdfast.telemetry.metrics.remote.usual import UsualLabels


@dataclass(slots=True)
class Batch:
    """What a request holds so far.

    Attributes:
        admit: gives the label set of pairs, or raises `LabelsError`.
        enter: gives the reference of a label set.
        memory: references by what stands for their labels.
        usual: reads labels in the usual layout.
        newcomers: meets the series that the memory does not hold.
    """

    admit: Callable[[list[tuple[str, str]]], Labels]
    enter: Callable[[Labels], int]
    memory: Memory
    usual: UsualLabels
    newcomers: Newcomers
    full: Places = field(default_factory=Places)
    zeros: Places = field(default_factory=lambda: Places(ZERO))
    refs: list[int] = field(default_factory=list)
    ts_ms: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    starts_ms: list[int] = field(default_factory=list)
    histograms: list[HistogramSample] = field(default_factory=list)
    exemplars: list[Exemplar] = field(default_factory=list)
    metadata: list[MetricMetadata] = field(default_factory=list)
    refusals: Refusals = field(default_factory=Refusals)

    def ref(self, pairs: list[tuple[str, str]]) -> int:
        """Give the reference of the series with these labels; below 0, by its service, if it may not enter."""
        try:
            ref = self.enter(self.admit(pairs))
        except LabelsError as fault:
            return self.refuse_series(str(fault), service_of(pairs))
        return self.refusals.code(LIMIT, service_of(pairs)) if ref == REFUSED else ref

    def refuse_series(self, fault: str, service: str = "") -> int:
        """Give what stands, in the place of a reference, for a series whose labels are wrong."""
        self.refusals.tell(fault)
        return self.refusals.code("labels", service)

    def add(self, ref: int, ts_ms: int, value: float, start_ms: int = 0) -> None:
        """Add a sample in no usual layout."""
        self.refs.append(ref)
        self.ts_ms.append(ts_ms)
        self.values.append(value)
        self.starts_ms.append(start_ms)

    def add_histogram(self, ref: int, read: Callable[[], HistogramSample]) -> None:
        """Add the native histogram that `read` gives; one that contradicts itself is refused."""
        try:
            sample = read()
        except MalformedError:
            raise
        except InvalidError as error:
            self.refusals.add("histogram", 1, error.message)
            return
        if ref >= 0:
            self.histograms.append(sample)
        else:
            self.refusals.add_coded(ref)

    def add_exemplar(self, ref: int, read: Callable[[], Exemplar]) -> None:
        """Add the exemplar that `read` gives; one of a series that is kept out goes without a word.

        Its samples are counted.
        """
        try:
            exemplar = read()
        except MalformedError:
            raise
        except InvalidError as error:
            self.refusals.add("exemplar", 1, error.message)
            return
        if ref >= 0:
            self.exemplars.append(exemplar)

    def arrival(self, data: bytes) -> Arrival:
        """Give all of it as columns.

        Raises:
            LayoutError: a sample is not laid out as it looked; decode again without guessing.
        """
        parts = [places.read(data) for places in (self.full, self.zeros)]
        refs = np.concatenate([*(part[0] for part in parts), np.array(self.refs, np.int64)])
        ts_ms = np.concatenate([*(part[1] for part in parts), np.array(self.ts_ms, np.int64)])
        values = np.concatenate([*(part[2] for part in parts), np.array(self.values, np.float64)])
        starts = None
        if any(self.starts_ms):
            starts = np.zeros(len(refs), np.int64)
            starts[len(refs) - len(self.starts_ms) :] = self.starts_ms
        self.newcomers.count()
        keep = refs >= 0
        if not keep.all():
            for code, count in zip(*np.unique(refs[~keep], return_counts=True), strict=True):
                self.refusals.add_coded(int(code), int(count))
            refs, ts_ms, values = refs[keep], ts_ms[keep], values[keep]
            starts = None if starts is None else starts[keep]
        return Arrival(
            self.memory.generation,
            refs,
            ts_ms,
            values,
            starts_ms=starts,
            histograms=self.histograms,
            exemplars=self.exemplars,
            metadata=self.metadata,
        )
