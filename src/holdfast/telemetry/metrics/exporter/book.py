"""An exporter's file with every default filled in and every expression compiled. Nothing here reads anything."""

from __future__ import annotations

from dataclasses import dataclass, field

from holdfast.kernel.http import OutboundSettings
from holdfast.telemetry.metrics.exporter.fields import Field
from holdfast.telemetry.metrics.exporter.shapes import ExporterShape, MetricType, OnError, Parse
from holdfast.telemetry.metrics.exporter.sources import Bounds, Content


@dataclass(frozen=True, slots=True)
class Metric:
    """How a metric is made of an item; `name` has no `_total` and no `_info`, as OpenMetrics names families."""

    name: str
    help: str
    type: MetricType
    unit: str
    value: Field | None
    labels: tuple[tuple[str, Field], ...]
    words: dict[str, float]
    scale: float
    parse: Parse
    default: float | None

    @property
    def identity(self) -> tuple[str, str, str]:
        """What must be the same wherever the name stands."""
        return self.type.value, self.unit, self.help


@dataclass(frozen=True, slots=True)
class Source:
    """One source: where it comes from, how often, within which bounds, and what is made of it."""

    name: str
    content: Content
    metrics: tuple[Metric, ...]
    labels: tuple[tuple[str, str], ...]
    every_s: float
    bounds: Bounds
    on_error: OnError
    keep_for_s: float


@dataclass(frozen=True, slots=True)
class ExporterBook:
    """All that a file says; two are the same if they were written the same, `shape` being what was written."""

    sources: tuple[Source, ...] = field(compare=False)
    outbound: OutboundSettings
    parallel: int
    shape: ExporterShape = field(repr=False)
