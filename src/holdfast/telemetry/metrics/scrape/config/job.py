"""A job as the scrape loops use it: every default filled in, every rule checked.

Two equal jobs scrape alike, so a reload keeps what runs for a job that did not change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from holdfast.telemetry.metrics.scrape.config.clients import ClientConfig
from holdfast.telemetry.metrics.scrape.config.discoveries import (
    DnsDiscovery,
    FileDiscovery,
    HttpDiscovery,
    KubernetesDiscovery,
    TargetGroup,
)

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.exposition import Protocol
    from holdfast.telemetry.metrics.otlp import OtlpOptions
    from holdfast.telemetry.metrics.scrape.relabelling import RelabelRule

Discovery: TypeAlias = TargetGroup | FileDiscovery | HttpDiscovery | DnsDiscovery | KubernetesDiscovery


_CLIENT: Final = ClientConfig()


@dataclass(frozen=True, slots=True)
class Limits:
    """What one scrape, or one job, may bring; 0 is no limit."""

    body_bytes: int = 0
    samples: int = 0
    targets: int = 0
    labels: int = 0
    label_name_length: int = 0
    label_value_length: int = 0
    native_buckets: int = 0
    native_min_factor: float = 0.0


@dataclass(frozen=True, slots=True)
class Reading:
    """How the page of a target is read.

    Attributes:
        is_native: whether native histograms are taken where the target has them.
        is_custom: whether classic histograms become native ones, with the bounds that they have.
        is_classic_too: whether classic histograms stay beside what is native, or became it.
    """

    protocols: tuple[Protocol, ...]
    fallback: Protocol | None = None
    escaping: str = "allow-utf-8"
    is_legacy: bool = False
    is_native: bool = False
    is_custom: bool = False
    is_classic_too: bool = False
    is_compressed: bool = True


@dataclass(frozen=True, slots=True)
class ScrapeJob:
    """One job.

    Attributes:
        base: the folder that relative paths of its section start from.
        discoveries: where its targets come from, in the order of the file.
        keeps_dropped: how many dropped targets are remembered for the API; 0 for all (bounded by the pool).
        has_extra_metrics: whether `scrape_timeout_seconds` and its like are written too.
    """

    name: str
    base: Path
    interval_s: float
    timeout_s: float
    reading: Reading
    limits: Limits = Limits()
    client: ClientConfig = _CLIENT
    scheme: str = "http"
    metrics_path: str = "/metrics"
    params: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    honor_labels: bool = False
    honor_timestamps: bool = True
    tracks_timestamp_staleness: bool = False
    keeps_dropped: int = 0
    has_extra_metrics: bool = False
    relabel_rules: tuple[RelabelRule, ...] = ()
    metric_relabel_rules: tuple[RelabelRule, ...] = ()
    discoveries: tuple[Discovery, ...] = ()


@dataclass(frozen=True, slots=True)
class ScrapeConfiguration:
    """What `prometheus.yml` says, all of it valid.

    Attributes:
        shown: the file with its secrets replaced, for `status/config`.
        sections: those of the jobs by name, secrets replaced, with the interval and timeout in force.
        rule_files: patterns, as they stand there, from the folder of the file.
        otlp: what its section about OTLP says; None where there is none.
    """

    jobs: tuple[ScrapeJob, ...] = ()
    external_labels: Mapping[str, str] = field(default_factory=dict)
    rule_files: tuple[str, ...] = ()
    shown: str = ""
    sections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    base: Path = Path()
    evaluation_interval_s: float = 60.0
    otlp: OtlpOptions | None = None
