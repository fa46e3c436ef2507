"""Keeps new series out when a tenant, a metric or a sender has too many active ones; those that are known go on.

Nothing is remembered per refused series. A verdict holds for all new series of one metric from one sender, so that
doors need not ask for each of a flood.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import prometheus_client

from holdfast.kernel.clock import Clock
from holdfast.telemetry.metrics.cardinality.explosions import Explosions
from holdfast.telemetry.metrics.settings import OWN_ORIGIN, MetricsSettings
from holdfast.telemetry.metrics.storing import Tally

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.metrics.arrivals import RefusedSeries

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
            "New series that a limit kept out, once for each time that one was offered.",
            ("tenant", "reason"),
            registry=metrics,
        )
        self._children: dict[tuple[TenantId, str], prometheus_client.Counter] = {}

    def most(self, tenant: TenantId) -> int:
        """Give how many active series a tenant may have."""
        return self._settings.max_series_of.get(tenant, self._settings.max_series)

    @property
    def most_per_metric(self) -> int:
        """Give how many active series one metric may have."""
        return self._settings.max_series_per_metric

    @property
    def most_per_origin(self) -> int:
        """Give how many active series one sender may have."""
        return self._settings.max_series_per_origin

    def refusal(self, tenant: TenantId, metric: str, origin: str, tally: Tally) -> str:
        """Give the limit that keeps new series of a metric from a sender out; empty if one may come in."""
        settings = self._settings
        if tally.total < settings.least_limit and tally.total < self.most(tenant):
            return ""
        if origin == OWN_ORIGIN:
            return ""
        if tally.total >= self.most(tenant):
            return TENANT_FULL
        if tally.by_metric.get(metric, 0) >= settings.max_series_per_metric:
            return METRIC_FULL
        if tally.by_origin.get(origin, 0) >= settings.max_series_per_origin:
            return ORIGIN_FULL
        return ""

    def refused(self, tenant: TenantId, refused: RefusedSeries) -> None:
        """Count series that are kept out."""
        reason = refused.reason
        child = self._children.get((tenant, reason))
        if child is None:
            child = self._children[tenant, reason] = self._refused.labels(tenant, reason)
            self.refusals.setdefault(tenant, Counter())
        child.inc(refused.count)
        self.refusals[tenant][reason] += refused.count
        self.explosions.refused(tenant, refused, self._clock.monotonic())
