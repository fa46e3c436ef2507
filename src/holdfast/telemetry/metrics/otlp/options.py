"""What the `otlp` section of `prometheus.yml` may say, by Prometheus' names and with its defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic import ConfigDict

from holdfast.telemetry.metrics.otlp.naming import LabelStyle, Translation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.proto.common.v1.common_pb2 import KeyValue


@dataclass(frozen=True, slots=True)
class OtlpOptions:
    """What OTLP metrics are turned into.

    Attributes:
        translation_strategy: how names are made; the first is Prometheus' default.
        promote_resource_attributes: resource attributes that become labels of every series.
        promote_all_resource_attributes: all of them become labels, but for those that are ignored.
        ignore_resource_attributes: those that do not, where all others do.
        keep_identifying_resource_attributes: show service.name and its like on `target_info` too.
        convert_histograms_to_nhcb: make histograms with explicit bounds native ones with the same bounds.
        promote_scope_metadata: give every series `otel_scope_name`, `otel_scope_version` and the scope's attributes;
            else what two scopes of one resource call alike is one series.
        label_name_underscore_sanitization: put `key` before labels that begin with one underscore.
        label_name_preserve_multiple_underscores: leave underscores in a row as many as they are.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    translation_strategy: Translation = Translation.ESCAPED
    promote_resource_attributes: tuple[str, ...] = ()
    promote_all_resource_attributes: bool = False
    ignore_resource_attributes: tuple[str, ...] = ()
    keep_identifying_resource_attributes: bool = False
    convert_histograms_to_nhcb: bool = False
    promote_scope_metadata: bool = False
    label_name_underscore_sanitization: bool = True
    label_name_preserve_multiple_underscores: bool = True

    @property
    def label_style(self) -> LabelStyle:
        """Give how attributes become names of labels."""
        return LabelStyle(
            self.translation_strategy,
            self.label_name_underscore_sanitization,
            self.label_name_preserve_multiple_underscores,
        )

    def promoted(self, attributes: Iterable[KeyValue]) -> list[KeyValue]:
        """Give the attributes of a resource that become labels."""
        if self.promote_all_resource_attributes:
            return [each for each in attributes if each.key not in self.ignore_resource_attributes]
        return [each for each in attributes if each.key in self.promote_resource_attributes]
