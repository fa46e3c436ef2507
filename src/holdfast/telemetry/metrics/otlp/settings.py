"""How OTLP metrics become series: `[otlp_metrics]` in `holdfast.toml`, by Prometheus' names where it has one.

What the `otlp` section of `prometheus.yml` says instead, for the tenant of that file, is `options`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Annotated, ClassVar, Final

from pydantic import ConfigDict, Field

from holdfast.kernel.settings import Section
from holdfast.kernel.units import Duration
from holdfast.telemetry.metrics.otlp.naming import Translation
from holdfast.telemetry.metrics.otlp.options import OtlpOptions


@dataclass(frozen=True, slots=True)
class OtlpMetricsSettings:
    """What OTLP metrics are turned into.

    Attributes:
        translation_strategy: how names are made; the first is Prometheus' default.
        promote_resource_attributes: resource attributes that become labels of every series.
        promote_by_tenant: the same for single tenants, instead of the list for all.
        promote_all_resource_attributes: all of them become labels, but for those that are ignored.
        ignore_resource_attributes: those that do not, where all others do.
        keep_identifying_resource_attributes: show service.name and its like on `target_info` too.
        convert_histograms_to_nhcb: make histograms with explicit bounds native ones with the same bounds.
        promote_scope_metadata: give every series `otel_scope_name`, `otel_scope_version` and the scope's attributes;
            else what two scopes of one resource call alike is one series.
        label_name_underscore_sanitization: put `key` before labels that begin with one underscore.
        label_name_preserve_multiple_underscores: leave underscores in a row as many as they are.
        delta_streams: delta series whose sums are kept; more are refused.
        delta_idle: how long the sum of a delta series is kept without a new point.
        known_series: series that are remembered by the bytes of their attributes.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    translation_strategy: Translation = Translation.ESCAPED
    promote_resource_attributes: tuple[str, ...] = ()
    promote_by_tenant: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    promote_all_resource_attributes: bool = False
    ignore_resource_attributes: tuple[str, ...] = ()
    keep_identifying_resource_attributes: bool = False
    convert_histograms_to_nhcb: bool = False
    promote_scope_metadata: bool = False
    label_name_underscore_sanitization: bool = True
    label_name_preserve_multiple_underscores: bool = True
    delta_streams: Annotated[int, Field(ge=100)] = 100_000
    delta_idle: Duration = 3600.0
    known_series: Annotated[int, Field(ge=1000)] = 200_000

    def options(self, tenant: str) -> OtlpOptions:
        """Give what holds for `tenant`."""
        found = OtlpOptions(**{each.name: getattr(self, each.name) for each in fields(OtlpOptions)})
        own = self.promote_by_tenant.get(tenant)
        return found if own is None else replace(found, promote_resource_attributes=own)


SECTION: Final = Section("otlp_metrics", OtlpMetricsSettings)
