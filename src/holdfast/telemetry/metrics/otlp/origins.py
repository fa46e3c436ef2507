"""Who sends: the labels that a resource and a scope give to each of their series, and `target_info`.

Source: OpenTelemetry's compatibility specification with Prometheus; Prometheus' OTLP receiver.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels, labels_of
from holdfast.telemetry.metrics.otlp.attributes import to_labels, to_text

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
    from opentelemetry.proto.resource.v1.resource_pb2 import Resource

    from holdfast.telemetry.metrics.otlp.options import OtlpOptions

TARGET_INFO: Final = "target_info"
_IDENTIFYING: Final = ("service.namespace", "service.name", "service.instance.id")


@dataclass(frozen=True, slots=True)
class Origin:
    """One resource.

    Attributes:
        labels: of every series of it.
        promoted: of every series of it that does not say the same itself.
        info: of its `target_info`; empty if there is nothing to say.
    """

    labels: dict[str, str]
    promoted: dict[str, str]
    info: Labels = ()

    @property
    def name(self) -> str:
        """Give the sender's name, for limits per sender."""
        return f"otlp:{self.labels.get('job', 'unknown')}/{self.labels.get('instance', '')}"


def read_origin(resource: Resource, options: OtlpOptions) -> Origin:
    """Give the origin that a resource describes."""
    texts = {each.key: to_text(each.value) for each in resource.attributes}
    namespace, service, instance = (texts.get(key, "") for key in _IDENTIFYING)
    identity = {}
    if service:
        identity["job"] = f"{namespace}/{service}" if namespace else service
    if instance:
        identity["instance"] = instance
    style = options.label_style
    promoted = to_labels(options.promoted(resource.attributes), style)
    hidden = () if options.keep_identifying_resource_attributes else _IDENTIFYING
    told = [each for each in resource.attributes if each.key not in hidden]
    if not identity or not told:
        return Origin(identity, promoted)
    info = to_labels(told, style) | identity | {METRIC_NAME: TARGET_INFO}
    return Origin(identity, promoted, labels_of(info))


def scope_labels(scope: InstrumentationScope, schema_url: str, options: OtlpOptions) -> dict[str, str]:
    """Give the labels that a scope adds; one without a name adds none."""
    if not options.promote_scope_metadata or not scope.name:
        return {}
    return to_labels(scope.attributes, options.label_style, prefix="otel_scope_") | {
        "otel_scope_name": scope.name,
        "otel_scope_version": scope.version,
        "otel_scope_schema_url": schema_url,
    }
