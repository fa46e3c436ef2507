"""Sections of `prometheus.yml` that are not scraping's, as they are written; what may not stand together is `sections`.

Source: Prometheus 3, config.go. Defaults that nobody asks for here are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from holdfast.telemetry.metrics.scrape.config.clients import ClientConfig, TlsConfig
from holdfast.telemetry.metrics.scrape.config.discoveries import (
    STRICT,
    DnsDiscovery,
    FileDiscovery,
    HttpDiscovery,
    KubernetesDiscovery,
    TargetGroup,
)
from holdfast.telemetry.metrics.scrape.config.rules import RuleShape
from holdfast.telemetry.metrics.scrape.config.scalars import Bytes, Count, Flag, LabelName, Number, Seconds, Whole

_NO_TLS: Final = TlsConfig()


@dataclass(frozen=True, slots=True)
class SigV4Shape:
    """Requests that are signed as AWS asks for."""

    __pydantic_config__ = STRICT

    region: str = ""
    access_key: str = ""
    secret_key: str = ""
    profile: str = ""
    role_arn: str = ""
    external_id: str = ""
    use_fips_sts_endpoint: Flag = False
    service_name: str = ""


@dataclass(frozen=True, slots=True)
class QueueShape:
    """How samples wait to be sent."""

    __pydantic_config__ = STRICT

    capacity: Whole = 10_000
    max_shards: Whole = 50
    min_shards: Whole = 1
    max_samples_per_send: Whole = 2000
    batch_send_deadline: Seconds = 5.0
    min_backoff: Seconds = 0.03
    max_backoff: Seconds = 5.0
    retry_on_http_429: Flag = False
    sample_age_limit: Seconds = 0.0


@dataclass(frozen=True, slots=True)
class MetadataShape:
    """Whether and how often types and helps are sent."""

    __pydantic_config__ = STRICT

    send: Flag = True
    send_interval: Seconds = 60.0
    max_samples_per_send: Whole = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteShape(ClientConfig):
    """What `remote_write` and `remote_read` share."""

    url: str = ""
    remote_timeout: Seconds = 30.0
    headers: Mapping[str, str] = field(default_factory=dict)
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteWriteShape(RemoteShape):
    """One section of `remote_write`."""

    write_relabel_configs: tuple[RuleShape, ...] = ()
    send_exemplars: Flag = False
    send_native_histograms: Flag = False
    round_robin_dns: Flag = False
    protobuf_message: str = "prometheus.WriteRequest"
    queue_config: QueueShape = QueueShape()
    metadata_config: MetadataShape = MetadataShape()
    sigv4: SigV4Shape | None = None
    azuread: Mapping[str, Any] | None = None
    google_iam: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteReadShape(RemoteShape):
    """One section of `remote_read`."""

    chunked_read_limit: Count = 50_000_000
    read_recent: Flag = False
    required_matchers: Mapping[LabelName, str] = field(default_factory=dict)
    filter_external_labels: Flag = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertmanagerShape(ClientConfig):
    """One section of `alertmanagers`, without the discoveries that are not ours."""

    scheme: str = "http"
    path_prefix: str = ""
    timeout: Seconds = 10.0
    api_version: Literal["v1", "v2"] = "v2"
    sigv4: SigV4Shape | None = None
    relabel_configs: tuple[RuleShape, ...] = ()
    static_configs: tuple[TargetGroup, ...] = ()
    file_sd_configs: tuple[FileDiscovery, ...] = ()
    http_sd_configs: tuple[HttpDiscovery, ...] = ()
    dns_sd_configs: tuple[DnsDiscovery, ...] = ()
    kubernetes_sd_configs: tuple[KubernetesDiscovery, ...] = ()
    alert_relabel_configs: tuple[RuleShape, ...] = ()


@dataclass(frozen=True, slots=True)
class RetentionShape:
    """How long samples stay."""

    __pydantic_config__ = STRICT

    time: Seconds = 0.0
    size: Bytes = 0
    percentage: Number = 0.0


@dataclass(frozen=True, slots=True)
class ChunkEncodingShape:
    """How samples are packed."""

    __pydantic_config__ = STRICT

    floats: Literal["xor", "xor2"] = "xor"


@dataclass(frozen=True, slots=True)
class TsdbShape:
    """The store of Prometheus."""

    __pydantic_config__ = STRICT

    out_of_order_time_window: Seconds = 0.0
    stale_series_compaction_threshold: Number = 0.0
    retention: RetentionShape | None = None
    chunk_encoding: ChunkEncodingShape | None = None


@dataclass(frozen=True, slots=True)
class ExemplarsShape:
    """How many exemplars stay."""

    __pydantic_config__ = STRICT

    max_exemplars: Whole = 100_000


@dataclass(frozen=True, slots=True)
class StorageShape:
    """The section `storage`."""

    __pydantic_config__ = STRICT

    tsdb: TsdbShape | None = None
    exemplars: ExemplarsShape | None = None


@dataclass(frozen=True, slots=True)
class TracingShape:
    """The section `tracing`."""

    __pydantic_config__ = STRICT

    client_type: Literal["grpc", "http"] = "grpc"
    endpoint: str = ""
    sampling_fraction: Number = 0.0
    insecure: Flag = False
    tls_config: TlsConfig = _NO_TLS
    headers: Mapping[str, str] = field(default_factory=dict)
    compression: Literal["", "gzip"] = ""
    timeout: Seconds = 0.0


@dataclass(frozen=True, slots=True)
class RuntimeShape:
    """The section `runtime`."""

    __pydantic_config__ = STRICT

    gogc: Whole = 75
