"""How OTLP metrics become series: `[otlp_metrics]` in `holdfast.toml`, by Prometheus' names where it has one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final

from pydantic import ConfigDict, Field

from holdfast.kernel.settings import Section
from holdfast.kernel.units import Duration
from holdfast.telemetry.metrics.otlp.naming import Translation


@dataclass(frozen=True, slots=True)
class OtlpMetricsSettings:
    """What OTLP metrics are turned into.

    Attributes:
        translation_strategy: how names are made; the first is Prometheus' default.
        promote_resource_attributes: resource attributes that become labels of every series.
        promote_by_tenant: the same for single tenants, instead of the list for all.
        keep_identifying_resource_attributes: show service.name and its like on `target_info` too.
        scope_labels: give every series `otel_scope_name`, `otel_scope_version` and the scope's attributes.
        delta_streams: delta series whose sums are kept; more are refused.
        delta_idle: how long the sum of a delta series is kept without a new point.
        known_series: series that are remembered by the bytes of their attributes.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    translation_strategy: Translation = Translation.ESCAPED
    promote_resource_attributes: tuple[str, ...] = ()
    promote_by_tenant: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    keep_identifying_resource_attributes: bool = False
    scope_labels: bool = True
    delta_streams: Annotated[int, Field(ge=100)] = 100_000
    delta_idle: Duration = 3600.0
    known_series: Annotated[int, Field(ge=1000)] = 200_000

    def promoted(self, tenant: str) -> tuple[str, ...]:
        """Give the resource attributes that become labels for `tenant`."""
        return self.promote_by_tenant.get(tenant, self.promote_resource_attributes)


SECTION: Final = Section("otlp_metrics", OtlpMetricsSettings)
