"""`prometheus.yml` as it is: read strictly into jobs, refused with file, line, field and fix.

Owns the file's shapes and rules. Refuses to scrape, and to find targets: it only says where they come from.
"""

from holdfast.telemetry.metrics.scrape.config.clients import (
    Authorization,
    BasicAuth,
    ClientConfig,
    HeaderValues,
    OAuth2,
    TlsConfig,
)
from holdfast.telemetry.metrics.scrape.config.discoveries import (
    DnsDiscovery,
    FileDiscovery,
    HttpDiscovery,
    KubernetesDiscovery,
    Namespaces,
    TargetGroup,
)
from holdfast.telemetry.metrics.scrape.config.job import (
    Discovery,
    Limits,
    Reading,
    ScrapeConfiguration,
    ScrapeJob,
)
from holdfast.telemetry.metrics.scrape.config.masking import show
from holdfast.telemetry.metrics.scrape.config.reading import load_configuration
from holdfast.telemetry.metrics.scrape.config.scalars import parse_duration
from holdfast.telemetry.metrics.scrape.config.yamltree import Tree, read_tree

__all__ = [
    "Authorization",
    "BasicAuth",
    "ClientConfig",
    "Discovery",
    "DnsDiscovery",
    "FileDiscovery",
    "HeaderValues",
    "HttpDiscovery",
    "KubernetesDiscovery",
    "Limits",
    "Namespaces",
    "OAuth2",
    "Reading",
    "ScrapeConfiguration",
    "ScrapeJob",
    "TargetGroup",
    "TlsConfig",
    "Tree",
    "load_configuration",
    "parse_duration",
    "read_tree",
    "show",
]
