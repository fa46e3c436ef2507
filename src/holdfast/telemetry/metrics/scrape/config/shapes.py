"""`prometheus.yml` as it is written: `global` and one section of `scrape_configs`, each field of Prometheus 3.

What was not written stays None, so that `reading` can tell it from the default; a limit of 0 was not written either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from pydantic import ConfigDict

from holdfast.telemetry.metrics.exposition import Protocol
from holdfast.telemetry.metrics.scrape.config.discoveries import (
    DnsDiscovery,
    FileDiscovery,
    HttpDiscovery,
    KubernetesDiscovery,
    TargetGroup,
)
from holdfast.telemetry.metrics.scrape.config.rules import RuleShape
from holdfast.telemetry.metrics.scrape.config.scalars import Bytes, Count, Flag, LabelName, Number, Seconds

_STRICT: Final = ConfigDict(extra="forbid")

Validation = Literal["utf8", "legacy", ""]
Escaping = Literal["allow-utf-8", "underscores", "dots", "values", ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedShape:
    """What `global` may say for all jobs, and a job for itself."""

    __pydantic_config__ = _STRICT

    scrape_interval: Seconds | None = None
    scrape_timeout: Seconds | None = None
    scrape_protocols: tuple[Protocol, ...] | None = None
    body_size_limit: Bytes | None = None
    sample_limit: Count | None = None
    target_limit: Count | None = None
    label_limit: Count | None = None
    label_name_length_limit: Count | None = None
    label_value_length_limit: Count | None = None
    keep_dropped_targets: Count | None = None
    metric_name_validation_scheme: Validation | None = None
    metric_name_escaping_scheme: Escaping | None = None
    scrape_native_histograms: Flag | None = None
    convert_classic_histograms_to_nhcb: Flag | None = None
    always_scrape_classic_histograms: Flag | None = None
    extra_scrape_metrics: Flag | None = None
    scrape_failure_log_file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalShape(SharedShape):
    """The section `global`."""

    evaluation_interval: Seconds = 60.0
    rule_query_offset: Seconds = 0.0
    query_log_file: str = ""
    external_labels: Mapping[LabelName, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobShape(SharedShape):
    """One section of `scrape_configs`, without how it calls out, and the discoveries that are not ours."""

    job_name: str = ""
    honor_labels: Flag = False
    honor_timestamps: Flag = True
    track_timestamps_staleness: Flag = False
    params: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fallback_scrape_protocol: Protocol | Literal[""] = ""
    native_histogram_bucket_limit: Count = 0
    native_histogram_min_bucket_factor: Number = 0.0
    metrics_path: str = "/metrics"
    scheme: Literal["http", "https"] = "http"
    enable_compression: Flag = True
    relabel_configs: tuple[RuleShape, ...] = ()
    metric_relabel_configs: tuple[RuleShape, ...] = ()
    static_configs: tuple[TargetGroup, ...] = ()
    file_sd_configs: tuple[FileDiscovery, ...] = ()
    http_sd_configs: tuple[HttpDiscovery, ...] = ()
    dns_sd_configs: tuple[DnsDiscovery, ...] = ()
    kubernetes_sd_configs: tuple[KubernetesDiscovery, ...] = ()
