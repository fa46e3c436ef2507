"""What is remembered of refused series: no label set, only counts and sketches of a bounded number of culprits.

One in `SAMPLED` refused series of a culprit is looked into, so that refusing millions stays cheap. How many it was
refused is exact since it was first remembered; its labels have at least about as many values as told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from holdfast.telemetry.metrics.cardinality.sketch import DistinctSketch
from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.metrics.arrivals import RefusedSeries

SAMPLED: Final = 16
_CULPRITS: Final = 64
_LABELS: Final = 32
_EXAMPLE: Final = 100  # characters


@dataclass(slots=True)
class Culprit:
    """One metric of one sender whose new series are refused."""

    tenant: TenantId
    metric: str
    origin: str
    reason: str
    refused: int = 0
    last_s: float = 0.0
    labels: dict[str, DistinctSketch] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)

    def look(self, labels: Labels) -> None:
        """Take one refused label set."""
        for name, value in labels:
            if name == METRIC_NAME:
                continue
            sketch = self.labels.get(name)
            if sketch is None:
                if len(self.labels) >= _LABELS:
                    continue
                sketch = self.labels[name] = DistinctSketch()
            sketch.add(value)
            self.examples[name] = value[:_EXAMPLE]

    def exploded(self) -> tuple[str, int]:
        """Give the label with the most distinct values among those that were looked into, and about how many."""
        counted = [(sketch.estimate(), name) for name, sketch in self.labels.items()]
        most, name = max(counted, default=(0, ""))
        return name, most


class Explosions:
    """The culprits seen lately."""

    def __init__(self) -> None:
        self._culprits: dict[tuple[TenantId, str, str], Culprit] = {}
        self._passed_over = 0

    def __len__(self) -> int:
        return len(self._culprits)

    def refused(self, tenant: TenantId, refused: RefusedSeries, now_s: float) -> None:
        """Take refused series; looks into the first of each culprit, then into as many as one in `SAMPLED`."""
        key = (tenant, refused.metric, refused.origin)
        culprit = self._culprits.get(key)
        if culprit is None:
            self._passed_over += 1
            if len(self._culprits) >= _CULPRITS:
                if self._passed_over % SAMPLED:  # finding the oldest costs more than all the rest
                    return
                oldest = min(self._culprits.values(), key=lambda one: one.last_s)
                del self._culprits[oldest.tenant, oldest.metric, oldest.origin]
            culprit = self._culprits[key] = Culprit(tenant, refused.metric, refused.origin, refused.reason)
        looked = -(-culprit.refused // SAMPLED)
        culprit.refused += refused.count
        culprit.reason = refused.reason
        culprit.last_s = now_s
        for labels in refused.examples[: -(-culprit.refused // SAMPLED) - looked]:
            culprit.look(labels)

    def of(self, tenant: TenantId) -> list[Culprit]:
        """Give a tenant's culprits, the worst first."""
        own: Iterable[Culprit] = (one for one in self._culprits.values() if one.tenant == tenant)
        return sorted(own, key=lambda one: -one.refused)
