"""Counts as samples of series: a counter, and a classic histogram with an example on the bucket that holds it.

A count that is new begins with zeros just before its first sample, so that `increase` sees what came until then.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.telemetry.metrics.arrivals import REFUSED, Arrival, Exemplar, MetricMetadata
from holdfast.telemetry.metrics.exposition import write_bound
from holdfast.telemetry.metrics.labels import METRIC_NAME, labels_of
from holdfast.telemetry.traces.red.tallies import BOUNDS_MS, BUCKETS

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.arrivals import SeriesBook
    from holdfast.telemetry.traces.red.tallies import Tally

ORIGIN: Final = "traces"
_MS_PER_S: Final = 1000.0


@dataclass(frozen=True, slots=True)
class HistogramName:
    """A histogram: its metric without `_bucket`, and the unit of its bounds in ms."""

    metric: str
    unit_ms: float = 1.0

    @property
    def bounds(self) -> list[str]:
        """Give the bounds as labels."""
        return [write_bound(bound / self.unit_ms) for bound in BOUNDS_MS] + [write_bound(math.inf)]


CALLS: Final = "traces_span_metrics_calls_total"
DURATION: Final = HistogramName("traces_span_metrics_duration_milliseconds")
REQUESTS: Final = "traces_service_graph_request_total"
FAILED: Final = "traces_service_graph_request_failed_total"
CLIENT: Final = HistogramName("traces_service_graph_request_client_seconds", _MS_PER_S)
SERVER: Final = HistogramName("traces_service_graph_request_server_seconds", _MS_PER_S)
METADATA: Final = (
    MetricMetadata("traces_span_metrics_calls", "counter", "Spans, each as many as it stands for."),
    MetricMetadata(DURATION.metric, "histogram", "How long spans took.", "milliseconds"),
    MetricMetadata("traces_service_graph_request", "counter", "Calls from one service to another."),
    MetricMetadata("traces_service_graph_request_failed", "counter", "Calls of which either end failed."),
    MetricMetadata(CLIENT.metric, "histogram", "How long calls took, as the client saw it.", "seconds"),
    MetricMetadata(SERVER.metric, "histogram", "How long calls took, as the server saw it.", "seconds"),
)


@dataclass(slots=True)
class Series:
    """The references of one tenant's series, valid for a generation of its book; and those that were written before."""

    generation: int = 0
    refs: dict[tuple[object, ...], list[int]] = field(default_factory=dict)
    begun: set[tuple[object, ...]] = field(default_factory=set)

    def renew(self, generation: int) -> None:
        """Forget references of another generation."""
        if generation != self.generation:
            self.generation, self.refs = generation, {}

    def clear(self) -> None:
        """Forget all; zeros are written anew."""
        self.refs.clear()
        self.begun.clear()


@dataclass(slots=True)
class Sheet:
    """Samples of one time, as they are gathered."""

    book: SeriesBook
    series: Series
    now_ms: int
    extra: Mapping[str, str]
    refs: list[int] = field(default_factory=list)
    ts_ms: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    starts_ms: list[int] = field(default_factory=list)
    exemplars: list[Exemplar] = field(default_factory=list)

    def counter(self, metric: str, labels: Mapping[str, str], value: float, since_ms: int) -> None:
        """Put a counter."""
        key = (metric, *labels.items())
        refs = self.series.refs.get(key) or self._remember(key, [{**labels, METRIC_NAME: metric}])
        self._put(key, refs, [value], since_ms)

    def histogram(self, name: HistogramName, labels: Mapping[str, str], tally: Tally) -> None:
        """Put a histogram, with its example if it has one that was not written before."""
        key = (name.metric, *labels.items())
        refs = self.series.refs.get(key) or self._remember(key, self._names(name, labels))
        counts = np.cumsum(tally.buckets).tolist()
        self._put(key, refs, [*counts, tally.calls, tally.sum_ms / name.unit_ms], tally.since_ms)
        if (example := tally.example) is not None:
            place = int(np.searchsorted(np.array(BOUNDS_MS), example.duration_ms))
            told = labels_of({"trace_id": example.trace_id, "span_id": example.span_id})
            if refs[place] != REFUSED:
                at_ms = min(example.at_ms, self.now_ms)
                self.exemplars.append(Exemplar(refs[place], at_ms, example.duration_ms / name.unit_ms, told))

    def _names(self, name: HistogramName, labels: Mapping[str, str]) -> list[dict[str, str]]:
        buckets = [{**labels, METRIC_NAME: f"{name.metric}_bucket", "le": bound} for bound in name.bounds]
        assert len(buckets) == BUCKETS
        return [
            *buckets,
            {**labels, METRIC_NAME: f"{name.metric}_count"},
            {**labels, METRIC_NAME: f"{name.metric}_sum"},
        ]

    def _remember(self, key: tuple[object, ...], names: list[dict[str, str]]) -> list[int]:
        found = [self.book.ref(labels_of({**name, **self.extra}), origin=ORIGIN) for name in names]
        self.series.refs[key] = found
        return found

    def _put(self, key: tuple[object, ...], refs: list[int], values: list[float], since_ms: int) -> None:
        is_new = key not in self.series.begun
        for ref, value in zip(refs, values, strict=True):
            if ref == REFUSED:
                continue
            if is_new:
                self._sample(ref, min(since_ms, self.now_ms) - 1, 0.0, since_ms - 1)
            self._sample(ref, self.now_ms, value, since_ms - 1)
        self.series.begun.add(key)

    def _sample(self, ref: int, ts_ms: int, value: float, start_ms: int) -> None:
        self.refs.append(ref)
        self.ts_ms.append(ts_ms)
        self.values.append(value)
        self.starts_ms.append(start_ms)

    def arrival(self, patience_s: float) -> Arrival:
        """Give what was put."""
        return Arrival(
            self.series.generation,
            np.array(self.refs, np.int64),
            np.array(self.ts_ms, np.int64),
            np.array(self.values, np.float64),
            np.array(self.starts_ms, np.int64),
            exemplars=self.exemplars,
            metadata=METADATA,
            patience_s=patience_s,
        )
