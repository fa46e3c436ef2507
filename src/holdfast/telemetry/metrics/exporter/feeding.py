"""Hands what a file's sources show to the sink after each look, without HTTP; what is gone ends with a stale marker.

The series are those that `/metrics` of `holdfast exporter` would show, with the file's name as `job`.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import numpy as np
from prometheus_client.core import Metric

from holdfast.kernel.errors import BusyError, ConflictError
from holdfast.telemetry.metrics.arrivals import REFUSED, STALE_BITS, Arrival, ArrivalSink, MetricMetadata
from holdfast.telemetry.metrics.exporter.families import describe_sources, source_families
from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels, labels_of

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.metrics.exporter.polling import SourceState

STALE: Final[float] = struct.unpack("<d", struct.pack("<Q", STALE_BITS))[0]
ATTEMPTS: Final = 3


class SinkFeed:
    """The way of one file's samples into the sink."""

    def __init__(self, job: str, sink: ArrivalSink, tenant: TenantId, clock: Clock) -> None:
        self.job = job
        self._sink = sink
        self._tenant = tenant
        self._clock = clock
        self._shown: dict[str, frozenset[Labels]] = {}

    async def feed(self, state: SourceState) -> None:
        """Store what a source shows now.

        Raises:
            HoldfastError: the sink did not take it; the next look's values will do.
        """
        now_s = self._clock.monotonic()
        families = [*source_families([state], now_s), *describe_sources([state], now_s)]
        samples = {labels: value for family in families for labels, value in self._samples(family)}
        gone = self._shown.get(state.source.name, frozenset()) - samples.keys()
        await self._append(state.source.name, samples | dict.fromkeys(gone, STALE), _metadata(families))
        self._shown[state.source.name] = frozenset(samples)

    async def end(self) -> None:
        """End every series: the file is gone, or another one now."""
        for source, shown in list(self._shown.items()):
            await self._append(source, dict.fromkeys(shown, STALE), ())
        self._shown.clear()

    def _samples(self, family: Metric) -> Iterable[tuple[Labels, float]]:
        for sample in family.samples:
            labels = labels_of({**sample.labels, METRIC_NAME: sample.name, "job": self.job})
            # A NaN that a source gives must not look like the marker.
            yield labels, math.nan if math.isnan(sample.value) else float(sample.value)

    async def _append(self, source: str, samples: dict[Labels, float], metadata: tuple[MetricMetadata, ...]) -> None:
        origin = f"exporter:{self.job}/{source}"
        ts_ms = round(self._clock.now().timestamp() * 1000)
        for _ in range(ATTEMPTS):
            book = self._sink.book(self._tenant)
            generation = book.generation
            refs = {book.ref(labels, origin=origin): value for labels, value in samples.items()}
            refs.pop(REFUSED, None)
            arrival = Arrival(
                generation,
                np.fromiter(refs, np.int64, len(refs)),
                np.full(len(refs), ts_ms, np.int64),
                np.fromiter(refs.values(), np.float64, len(refs)),
                metadata=metadata,
            )
            try:
                await self._sink.append(self._tenant, arrival)
            except ConflictError:  # idle series were forgotten just now
                continue
            return
        raise BusyError("the known series changed several times during one look")


def _metadata(families: Iterable[Metric]) -> tuple[MetricMetadata, ...]:
    return tuple(MetricMetadata(it.name, it.type, it.documentation, it.unit) for it in families if it.samples)
