"""Where the samples of a script lie: in memory, or in the real store; either way they come in as arrivals."""

from __future__ import annotations

import numpy as np

from conformance.promql.running import Samples
from holdfast.kernel.ids import TenantId
from holdfast.telemetry.metrics.arrivals import Arrival, ArrivalSink, HistogramSample
from holdfast.telemetry.metrics.histograms import Histogram


async def put(sink: ArrivalSink, tenant: TenantId, samples: Samples) -> None:
    """Store the samples of a tenant, as one arrival."""
    book = sink.book(tenant)
    floats: list[tuple[int, int, float, int]] = []
    histograms: list[HistogramSample] = []
    for labels, row in samples.items():
        ref = book.ref(labels, origin="conformance")
        for ts_ms, (value, start_ms) in sorted(row.items()):
            if isinstance(value, Histogram):
                histograms.append(HistogramSample(ref, ts_ms, value, start_ms))
            else:
                floats.append((ref, ts_ms, value, start_ms))
    refs, times, values, starts = zip(*floats, strict=True) if floats else ((), (), (), ())
    arrival = Arrival(
        book.generation,
        np.array(refs, np.int64),
        np.array(times, np.int64),
        np.array(values, np.float64),
        np.array(starts, np.int64),
        histograms,
    )
    written = await sink.append(tenant, arrival)
    assert not written.refused
