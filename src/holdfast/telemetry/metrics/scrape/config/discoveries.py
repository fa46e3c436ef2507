"""The ways of finding targets that are ours: static, file, http, dns, kubernetes; their shapes and rules.

Source: Prometheus 3, discovery/*. Those that we do not have are `foreign`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, ConfigDict

from holdfast.telemetry.metrics.scrape.config.clients import ClientConfig, client_faults
from holdfast.telemetry.metrics.scrape.config.kubernetes_selectors import is_field_selector, is_label_selector
from holdfast.telemetry.metrics.scrape.config.scalars import Flag, LabelName, Whole, parse_duration
from holdfast.telemetry.metrics.scrape.config.urls import is_url

STRICT: Final = ConfigDict(extra="forbid")
_SD_FILE: Final = re.compile(r"[^*]*(\*[^/]*)?\.(json|yml|yaml|JSON|YML|YAML)")


def _upper(text: Any) -> Any:
    return text.upper() if isinstance(text, str) else text


def _pause(default_s: float) -> BeforeValidator:
    """Read how long to wait; with 0 Prometheus falls over, and a question without end would be asked."""
    return BeforeValidator(lambda text: parse_duration(text) or default_s)


RecordType = Annotated[Literal["SRV", "A", "AAAA", "MX", "NS"], BeforeValidator(_upper)]
Role = Literal["node", "pod", "service", "endpoints", "endpointslice", "ingress"]
_SELECTABLE: Final[dict[str, frozenset[str]]] = {
    "node": frozenset({"node"}),
    "pod": frozenset({"pod", "node"}),
    "service": frozenset({"service"}),
    "endpoints": frozenset({"pod", "service", "endpoints"}),
    "endpointslice": frozenset({"pod", "service", "endpointslice"}),
    "ingress": frozenset({"ingress"}),
}


@dataclass(frozen=True, slots=True)
class TargetGroup:
    """Addresses that share labels; a file of `file_sd_configs` and an answer of `http_sd_configs` hold such groups."""

    __pydantic_config__ = STRICT

    targets: tuple[str, ...] = ()
    labels: Mapping[LabelName, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FileDiscovery:
    """Groups in files that are watched."""

    __pydantic_config__ = STRICT

    files: tuple[str, ...] = ()
    refresh_interval: Annotated[float, _pause(300.0)] = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpDiscovery(ClientConfig):
    """Groups that an HTTP server lists."""

    url: str = ""
    refresh_interval: Annotated[float, _pause(60.0)] = 60.0


@dataclass(frozen=True, slots=True)
class DnsDiscovery:
    """Addresses that DNS records name."""

    __pydantic_config__ = STRICT

    names: tuple[str, ...] = ()
    refresh_interval: Annotated[float, _pause(30.0)] = 30.0
    type: RecordType = "SRV"
    port: Whole = 0


@dataclass(frozen=True, slots=True)
class Namespaces:
    """Which namespaces are looked at; all if none is named."""

    __pydantic_config__ = STRICT

    own_namespace: Flag = False
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Selector:
    """Which objects of one role are asked for."""

    __pydantic_config__ = STRICT

    role: Role
    label: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class AttachMetadata:
    """Whether labels of further objects are attached."""

    __pydantic_config__ = STRICT

    node: Flag = False
    namespace: Flag = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesDiscovery(ClientConfig):
    """Objects of a Kubernetes cluster."""

    role: Role
    api_server: str = ""
    kubeconfig_file: str = ""
    namespaces: Namespaces = Namespaces()
    selectors: tuple[Selector, ...] = ()
    attach_metadata: AttachMetadata = AttachMetadata()


def file_faults(discovery: FileDiscovery) -> Iterator[str]:
    """Give what Prometheus would refuse."""
    if not discovery.files:
        yield "files: at least one path is needed"
    for path in discovery.files:
        if not _SD_FILE.fullmatch(path):
            yield f"files: {path!r} must end with .json, .yml or .yaml, and may have one * in its last part"


def http_faults(discovery: HttpDiscovery) -> Iterator[str]:
    """Give what Prometheus would refuse."""
    yield from url_faults("url", discovery.url)


def url_faults(name: str, url: str) -> Iterator[str]:
    """Give what is wrong with an HTTP URL that must be whole."""
    if not url:
        yield f"{name} is missing"
        return
    if not is_url(url):
        yield f"{name}: {url!r} is not a URL"
        return
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"}:
        yield f"{name}: {url!r} must begin with http:// or https://"
    elif not parts.netloc.rpartition("@")[2]:
        yield f"{name}: {url!r} names no host"


def dns_faults(discovery: DnsDiscovery) -> Iterator[str]:
    """Give what Prometheus would refuse."""
    if not discovery.names:
        yield "names: at least one name is needed"
    if discovery.type != "SRV" and not discovery.port:
        yield f"port: records of type {discovery.type} name no port, so it must be given"


def kubernetes_faults(discovery: KubernetesDiscovery) -> Iterator[str]:
    """Give what Prometheus would refuse."""
    if discovery.kubeconfig_file and discovery.api_server:
        yield "kubeconfig_file: give only one of kubeconfig_file and api_server"
    if not discovery.api_server and not discovery.is_default:
        yield "api_server: credentials and TLS need an api_server"
    if discovery.api_server and not urlsplit(discovery.api_server).scheme:
        yield f"api_server: {discovery.api_server!r} must begin with http:// or https://"
    if discovery.namespaces.own_namespace and (discovery.api_server or discovery.kubeconfig_file):
        yield "namespaces: own_namespace is known only inside the cluster, without api_server and kubeconfig_file"
    seen: set[str] = set()
    for selector in discovery.selectors:
        if selector.role in seen:
            yield f"selectors: the role {selector.role} stands twice"
        seen.add(selector.role)
        if selector.role not in _SELECTABLE[discovery.role]:
            allowed = ", ".join(sorted(_SELECTABLE[discovery.role]))
            yield f"selectors: the role {discovery.role} takes selectors of {allowed}, not {selector.role}"
        if not is_field_selector(selector.field):
            yield f"selectors: {selector.field!r} is not a field selector"
        if not is_label_selector(selector.label):
            yield f"selectors: {selector.label!r} is not a label selector"


def discovery_faults(
    files: Iterable[FileDiscovery],
    urls: Iterable[HttpDiscovery],
    names: Iterable[DnsDiscovery],
    clusters: Iterable[KubernetesDiscovery],
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Give what Prometheus would refuse in the discoveries of one section, each with its place."""
    for index, one in enumerate(files):
        yield from ((("file_sd_configs", index), message) for message in file_faults(one))
    for index, url in enumerate(urls):
        found = [*http_faults(url), *(f"{name}: {message}" for name, message in client_faults(url))]
        yield from ((("http_sd_configs", index), message) for message in found)
    for index, name in enumerate(names):
        yield from ((("dns_sd_configs", index), message) for message in dns_faults(name))
    for index, cluster in enumerate(clusters):
        found = [*kubernetes_faults(cluster), *(f"{name}: {message}" for name, message in client_faults(cluster))]
        yield from ((("kubernetes_sd_configs", index), message) for message in found)
