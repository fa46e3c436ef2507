"""Keeps new series out when a tenant, a metric or a sender has too many active ones; those that are known go on.

Nothing is remembered per refused series, so that a bomb of millions costs a dict's miss and three comparisons each.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import prometheus_client

from holdfast.kernel.clock import Clock
from holdfast.telemetry.metrics.cardinality.explosions import Explosions
from holdfast.telemetry.metrics.labels import Labels, name_of
from holdfast.telemetry.metrics.settings import OWN_ORIGIN, MetricsSettings
from holdfast.telemetry.metrics.storing import Tally

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId

TENANT_FULL: Final = "series_per_tenant"
METRIC_FULL: Final = "series_per_metric"
ORIGIN_FULL: Final = "series_per_origin"


class SeriesLimits:
    """The admission of new series by the settings' bounds."""

    def __init__(self, settings: MetricsSettings, clock: Clock, metrics: prometheus_client.CollectorRegistry) -> None:
        self._settings = settings
        self._clock = clock
        self.explosions = Explosions()
        self.refusals: dict[TenantId, Counter[str]] = {}
        self._refused = prometheus_client.Counter(
            "holdfast_metrics_series_refused",
            "New series that a limit kept out, each time that one was offered.",
            ("tenant", "reason"),
            registry=metrics,
        )
        self._children: dict[tuple[TenantId, str], prometheus_client.Counter] = {}

    def most(self, tenant: TenantId) -> int:
        """Give how many active series a tenant may have."""
        return self._settings.max_series_of.get(tenant, self._settings.max_series)

    def refusal(self, tenant: TenantId, labels: Labels, origin: str, tally: Tally) -> str:
        """Give the limit that keeps the series out; empty if it may come in."""
        settings = self._settings
        if tally.total < settings.least_limit and tally.total < self.most(tenant):
            return ""
        if origin == OWN_ORIGIN:
            return ""
        if tally.total >= self.most(tenant):
            reason = TENANT_FULL
        elif tally.by_metric.get(name_of(labels), 0) >= settings.max_series_per_metric:
            reason = METRIC_FULL
        elif tally.by_origin.get(origin, 0) >= settings.max_series_per_origin:
            reason = ORIGIN_FULL
        else:
            return ""
        self.refused(tenant, labels, origin, reason)
        return reason

    def refused(self, tenant: TenantId, labels: Labels, origin: str, reason: str) -> None:
        """Count a series that is kept out."""
        child = self._children.get((tenant, reason))
        if child is None:
            child = self._children[tenant, reason] = self._refused.labels(tenant, reason)
            self.refusals.setdefault(tenant, Counter())
        child.inc()
        self.refusals[tenant][reason] += 1
        self.explosions.refused(tenant, labels, origin, reason, self._clock.monotonic())
