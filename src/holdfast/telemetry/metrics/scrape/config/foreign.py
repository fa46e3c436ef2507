"""Ways of finding targets that Prometheus has and we do not: what would be refused there is refused here too.

A valid one is accepted with a warning, so that a file can be taken over as it is. Rules in a table, kind by kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import ConfigDict

from holdfast.kernel import decoding
from holdfast.kernel.errors import ConfigError
from holdfast.telemetry.metrics.scrape.config.clients import ClientConfig, client_faults
from holdfast.telemetry.metrics.scrape.config.scalars import Flag, Seconds, Whole
from holdfast.telemetry.metrics.scrape.config.urls import is_url
from holdfast.telemetry.metrics.scrape.config.zeroes import settled

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SCALEWAY: Final = {"access_key": re.compile(r"SCW[A-Z0-9]{17}"), "secret_key": _UUID, "project_id": _UUID}
_CLIENT_KEYS: Final = frozenset(ClientConfig.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class ForeignKind:
    """What one kind demands of its section.

    `required` fields may not be empty; of `urls` each is whole; `choices` name the words allowed; of each pair in
    `one_of` exactly one is given.
    """

    required: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    choices: Mapping[str, frozenset[str]] = field(default_factory=dict)
    one_of: tuple[tuple[str, str], ...] = ()
    is_client: bool = True


@dataclass(frozen=True, slots=True)
class CommonShape:
    """What many kinds have, and mean alike."""

    __pydantic_config__ = ConfigDict(extra="ignore")

    refresh_interval: Seconds = 0.0
    timeout: Seconds = 0.0
    port: Whole = 0
    all_tenants: Flag = False
    allow_stale: Flag = False
    include_parameters: Flag = False
    match_first_network: Flag = False


KINDS: Final[dict[str, ForeignKind]] = {
    "aws": ForeignKind(),
    "azure": ForeignKind(
        ("subscription_id",),
        choices={"authentication_method": frozenset({"OAuth", "ManagedIdentity", "SDK", "WorkloadIdentity"})},
    ),
    "consul": ForeignKind(),
    "digitalocean": ForeignKind(),
    "docker": ForeignKind(("host",)),
    "dockerswarm": ForeignKind(("host", "role"), choices={"role": frozenset({"services", "tasks", "nodes"})}),
    "ec2": ForeignKind(),
    "ecs": ForeignKind(),
    "elasticache": ForeignKind(),
    "eureka": ForeignKind(("server",), ("server",)),
    "gce": ForeignKind(("project", "zone"), is_client=False),
    "hetzner": ForeignKind(("role",), choices={"role": frozenset({"robot", "hcloud"})}),
    "ionos": ForeignKind(("datacenter_id",)),
    "kuma": ForeignKind(("server",), ("server",)),
    "lightsail": ForeignKind(),
    "linode": ForeignKind(),
    "marathon": ForeignKind(("servers",)),
    "msk": ForeignKind(),
    "nerve": ForeignKind(("servers", "paths"), is_client=False),
    "nomad": ForeignKind(("server",)),
    "oci": ForeignKind(
        ("region",),
        choices={"auth": frozenset({"api_key", "instance_principal", "resource_principal", "workload_identity"})},
    ),
    "openstack": ForeignKind(
        ("role", "region"),
        choices={
            "role": frozenset({"hypervisor", "instance", "loadbalancer"}),
            "availability": frozenset({"public", "admin", "internal"}),
        },
        is_client=False,
    ),
    "outscale": ForeignKind(("region", "access_key"), one_of=(("secret_key", "secret_key_file"),)),
    "ovhcloud": ForeignKind(
        ("endpoint", "application_key", "application_secret", "consumer_key", "service"),
        choices={"service": frozenset({"vps", "dedicated_server"})},
        is_client=False,
    ),
    "puppetdb": ForeignKind(("url", "query"), ("url",)),
    "rds": ForeignKind(),
    "scaleway": ForeignKind(
        ("project_id", "access_key", "role"),
        choices={"role": frozenset({"instance", "baremetal"})},
        one_of=(("secret_key", "secret_key_file"),),
    ),
    "serverset": ForeignKind(("servers", "paths"), is_client=False),
    "stackit": ForeignKind(),
    "triton": ForeignKind(
        ("account", "dns_suffix", "endpoint"), choices={"role": frozenset({"container", "cn"})}, is_client=False
    ),
    "uyuni": ForeignKind(("server", "username", "password")),
    "vultr": ForeignKind(),
}


FOREIGN: Final = {f"{kind}_sd_configs": kind for kind in KINDS}


def without_foreign(raw: Any) -> Any:
    """Give what is left of a section without the discoveries that are not ours."""
    return {name: value for name, value in raw.items() if name not in FOREIGN} if isinstance(raw, dict) else raw


def section_faults(raw: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Give what Prometheus would refuse in the discoveries that are not ours, each with its place."""
    for name in raw.keys() & FOREIGN.keys() if isinstance(raw, dict) else ():
        if raw[name] is not None and not isinstance(raw[name], list):
            yield (name,), "a list is expected here"
            continue
        for index, section in enumerate(raw[name] or ()):
            yield from (((name, index), message) for message in foreign_faults(FOREIGN[name], section))


def foreign_faults(kind: str, section: Any) -> Iterator[str]:
    """Give what Prometheus would refuse in one section of `<kind>_sd_configs`."""
    if not isinstance(section, dict):
        yield "the section is empty"
        return
    rules = KINDS[kind]
    yield from (f"{name} is missing" for name in rules.required if not section.get(name))
    for name, allowed in rules.choices.items():
        if section.get(name) and section[name] not in allowed:
            yield f"{name}: {section[name]!r} is none of {', '.join(sorted(allowed))}"
    for name in rules.urls:
        if section.get(name) and not _is_url(section[name]):
            yield f"{name}: {section[name]!r} is no whole URL of http or https"
    for one, other in rules.one_of:
        if bool(section.get(one)) == bool(section.get(other)):
            yield f"give exactly one of {one} and {other}"
    yield from _shape_faults(CommonShape, section)
    yield from _OWN.get(kind, _nothing)(section)
    if rules.is_client:
        yield from _client_faults(section)


def _azure(section: Mapping[str, Any]) -> Iterator[str]:
    if (section.get("authentication_method") or "OAuth") == "OAuth":
        names = ("tenant_id", "client_id", "client_secret")
        yield from (f"{name} is missing" for name in names if not section.get(name))


def _aws(section: Mapping[str, Any]) -> Iterator[str]:
    filters = section.get("filters") or ()
    yield from (f"filters[{i}]: values is empty" for i, one in enumerate(filters) if not (one or {}).get("values"))


def _server(section: Mapping[str, Any]) -> Iterator[str]:
    if section.get("server", "there") in {None, ""}:  # one that is not written has a default
        yield "server is missing"


def _consul(section: Mapping[str, Any]) -> Iterator[str]:
    yield from _server(section)
    if (section.get("username") or section.get("password")) and section.get("basic_auth"):
        yield "give only one of username with password, and basic_auth"
    if section.get("token") and (section.get("authorization") or section.get("oauth2")):
        yield "give only one of token, authorization and oauth2"


def _docker(section: Mapping[str, Any]) -> Iterator[str]:
    if section.get("host") and not is_url(section["host"]):
        yield f"host: {section['host']!r} is not a URL"


def _scaleway(section: Mapping[str, Any]) -> Iterator[str]:
    for name, pattern in _SCALEWAY.items():
        if section.get(name) and not pattern.fullmatch(section[name]):
            yield f"{name}: {section[name]!r} is none"


def _stackit(section: Mapping[str, Any]) -> Iterator[str]:
    if section.get("endpoint") and not _is_url(section["endpoint"]):
        yield f"endpoint: {section['endpoint']!r} is no whole URL of http or https"


def _paths(section: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"paths: {path!r} must begin with /" for path in section.get("paths") or () if path[:1] != "/")


def _marathon(section: Mapping[str, Any]) -> Iterator[str]:
    tokens = [name for name in ("auth_token", "auth_token_file") if section.get(name)]
    others = ("basic_auth", "authorization", "bearer_token", "bearer_token_file")
    if len(tokens) > 1:
        yield "give only one of auth_token and auth_token_file"
    if tokens and any(section.get(name) for name in others):
        yield f"give only one of {tokens[0]}, basic_auth, authorization and bearer_token"


def _client_faults(section: Mapping[str, Any]) -> Iterator[str]:
    said = {name: value for name, value in section.items() if name in _CLIENT_KEYS}
    problems = list(_shape_faults(ClientConfig, said))
    yield from problems
    if not problems:
        client = decoding.decode(ClientConfig, settled(ClientConfig, said))
        yield from (f"{name}: {message}" for name, message in client_faults(client))


def _shape_faults(shape: type[Any], section: Mapping[str, Any]) -> Iterator[str]:
    try:
        decoding.decode(shape, settled(shape, section))
    except ConfigError as error:
        yield from (str(problem) for problem in error.problems)


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _nothing(_section: Mapping[str, Any]) -> Iterator[str]:
    return iter(())


_OWN: Final[dict[str, Callable[[Mapping[str, Any]], Iterator[str]]]] = {
    "aws": _aws,
    "azure": _azure,
    "consul": _consul,
    "docker": _docker,
    "dockerswarm": _docker,
    "ec2": _aws,
    "marathon": _marathon,
    "nerve": _paths,
    "nomad": _server,
    "scaleway": _scaleway,
    "serverset": _paths,
    "stackit": _stackit,
}
