"""What every file of samples comes down to: rows, and what is said about families, each with the place behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.arrivals import MetricMetadata
    from holdfast.telemetry.metrics.labels import Labels


class RowExemplar(NamedTuple):
    """An example behind a sample."""

    labels: Labels
    value: float
    ts_ms: int


class Row(NamedTuple):
    """One sample; reading on from `position` gives the next one. `start_ms` is since when it counts, 0 if unknown."""

    labels: Labels
    ts_ms: int
    value: float
    position: int
    metadata: MetricMetadata | None = None
    start_ms: int = 0
    exemplar: RowExemplar | None = None
