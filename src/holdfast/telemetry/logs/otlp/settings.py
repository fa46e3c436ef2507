"""How OTLP logs become streams: `[otlp_logs]` in `holdfast.toml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from pydantic import ConfigDict, Field

from holdfast.kernel.settings import Section

# Source: Grafana Loki's documentation, "Ingesting logs to Loki using OpenTelemetry Collector".
LABEL_ATTRIBUTES: Final = (
    *("service.name", "service.namespace", "service.instance.id", "deployment.environment"),
    *("deployment.environment.name", "cloud.region", "cloud.availability_zone", "k8s.cluster.name"),
    *("k8s.namespace.name", "k8s.pod.name", "k8s.container.name", "container.name", "k8s.replicaset.name"),
    *("k8s.deployment.name", "k8s.statefulset.name", "k8s.daemonset.name", "k8s.cronjob.name", "k8s.job.name"),
)


@dataclass(frozen=True, slots=True)
class OtlpLogsSettings:
    """What OTLP logs are turned into.

    Attributes:
        label_attributes: resource attributes that become labels of streams, by default those of Loki; all others
            become structured metadata.
        drop_attributes: attributes of resources, scopes and records that are not kept at all.
        known_streams: streams that are remembered by the bytes of their resource.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    label_attributes: tuple[str, ...] = LABEL_ATTRIBUTES
    drop_attributes: tuple[str, ...] = ()
    known_streams: Annotated[int, Field(ge=1000)] = 100_000


SECTION: Final = Section("otlp_logs", OtlpLogsSettings)
