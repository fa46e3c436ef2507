"""The ways of finding targets that are ours: static, file, http, dns, kubernetes; their shapes and rules.

Source: Prometheus 3, discovery/*. Those that we do not have are `foreign`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, ConfigDict

from holdfast.telemetry.metrics.scrape.config.clients import ClientConfig
from holdfast.telemetry.metrics.scrape.config.scalars import Seconds

_STRICT: Final = ConfigDict(extra="forbid")
_SD_FILE: Final = re.compile(r"[^*]*(\*[^/]*)?\.(json|yml|yaml|JSON|YML|YAML)")
_SELECTOR: Final = re.compile(r"[^=!<>]+(=|==|!=)[^=!]*")


def _upper(text: Any) -> Any:
    return text.upper() if isinstance(text, str) else text


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

    __pydantic_config__ = _STRICT

    targets: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FileDiscovery:
    """Groups in files that are watched."""

    __pydantic_config__ = _STRICT

    files: tuple[str, ...] = ()
    refresh_interval: Seconds = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpDiscovery(ClientConfig):
    """Groups that an HTTP server lists."""

    url: str = ""
    refresh_interval: Seconds = 60.0


@dataclass(frozen=True, slots=True)
class DnsDiscovery:
    """Addresses that DNS records name."""

    __pydantic_config__ = _STRICT

    names: tuple[str, ...] = ()
    refresh_interval: Seconds = 30.0
    type: RecordType = "SRV"
    port: int = 0


@dataclass(frozen=True, slots=True)
class Namespaces:
    """Which namespaces are looked at; all if none is named."""

    __pydantic_config__ = _STRICT

    own_namespace: bool = False
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Selector:
    """Which objects of one role are asked for."""

    __pydantic_config__ = _STRICT

    role: Role
    label: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class AttachMetadata:
    """Whether labels of further objects are attached."""

    __pydantic_config__ = _STRICT

    node: bool = False
    namespace: bool = False


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
    try:
        parts = urlsplit(url)
    except ValueError:
        yield f"{name}: {url!r} is not a URL"
        return
    if not url:
        yield f"{name} is missing"
    elif parts.scheme not in {"http", "https"}:
        yield f"{name}: {url!r} must begin with http:// or https://"
    elif not parts.hostname:
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
        if selector.field and not all(_SELECTOR.fullmatch(part) for part in selector.field.split(",")):
            yield f"selectors: {selector.field!r} is not a field selector"
