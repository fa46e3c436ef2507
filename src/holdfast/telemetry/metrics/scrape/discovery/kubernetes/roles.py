"""What each role makes of the objects of a cluster: its targets, with the labels that Prometheus gives them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from holdfast.telemetry.metrics.scrape.discovery.contract import Found
from holdfast.telemetry.metrics.scrape.discovery.kubernetes.endpoints import endpoints_targets, slice_targets
from holdfast.telemetry.metrics.scrape.discovery.kubernetes.meta import PREFIX, about, joined
from holdfast.telemetry.metrics.scrape.discovery.kubernetes.pods import pod_targets

Objects = Mapping[str, Mapping[str, Any]]
Cluster = Mapping[str, Objects]
"""The objects by kind and by `namespace/name`."""

NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "node": ("node",),
    "pod": ("pod",),
    "service": ("service",),
    "endpoints": ("endpoints", "service", "pod"),
    "endpointslice": ("endpointslice", "service", "pod"),
    "ingress": ("ingress",),
}
_ADDRESSES: Final = ("InternalIP", "InternalDNS", "ExternalIP", "ExternalDNS", "LegacyHostIP", "Hostname")
_SERVICE_OF_SLICE: Final = "kubernetes.io/service-name"


class RoleTargets:
    """The targets of a role; those of an object are made anew only when it, or one that it was joined with, changed."""

    def __init__(self, role: str) -> None:
        self.role = role
        self._known: dict[str, tuple[Mapping[str, Any], list[_Look], list[Found]]] = {}

    def of(self, cluster: Cluster) -> dict[str, list[Found]]:
        """Give the targets by the object that each comes from."""
        known, self._known = self._known, {}
        for key, one in cluster[self.role].items():
            before = known.get(key)
            if before is None or before[0] is not one or any(look.has_changed(cluster) for look in before[1]):
                before = self._made(one, cluster)
            self._known[key] = before
        return {f"{self.role}/{key}": found for key, (_, _, found) in self._known.items()}

    def _made(self, one: Mapping[str, Any], cluster: Cluster) -> tuple[Mapping[str, Any], list[_Look], list[Found]]:
        looks: list[_Look] = []
        noted = {kind: _Noted(kind, objects, looks) for kind, objects in cluster.items()}
        of_namespace = _of_namespace(noted, one["metadata"].get("namespace", ""))
        return one, looks, [{**of_namespace, **target} for target in _ROLES[self.role](one, noted)]


class _Look(NamedTuple):
    """That an object was looked at, and what was there."""

    kind: str
    key: str
    found: Mapping[str, Any] | None

    def has_changed(self, cluster: Cluster) -> bool:
        return cluster[self.kind].get(self.key) is not self.found


class _Noted(Mapping[str, Mapping[str, Any]]):
    """Objects of a kind; notes which were looked at."""

    def __init__(self, kind: str, objects: Objects, looks: list[_Look]) -> None:
        self._kind = kind
        self._objects = objects
        self._looks = looks

    def __getitem__(self, key: str) -> Mapping[str, Any]:
        found = self._objects.get(key)
        self._looks.append(_Look(self._kind, key, found))
        if found is None:
            raise KeyError(key)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._objects)

    def __len__(self) -> int:
        return len(self._objects)


def _node(one: Mapping[str, Any], _cluster: Cluster) -> Iterator[Found]:
    status, name = one.get("status") or {}, one["metadata"]["name"]
    addresses: dict[str, str] = {}
    for address in status.get("addresses") or ():
        addresses.setdefault(address["type"], address["address"])
    host = next((addresses[kind] for kind in _ADDRESSES if kind in addresses), "")
    port = ((status.get("daemonEndpoints") or {}).get("kubeletEndpoint") or {}).get("Port", 10250)
    if host:
        yield {
            f"{PREFIX}node_name": name,
            f"{PREFIX}node_provider_id": (one.get("spec") or {}).get("providerID", ""),
            **about("node", one),
            **{f"{PREFIX}node_address_{kind}": address for kind, address in addresses.items()},
            "instance": name,
            "__address__": joined(host, port),
        }


def _pod(one: Mapping[str, Any], cluster: Cluster) -> Iterator[Found]:
    node = (one.get("spec") or {}).get("nodeName", "")
    of_node = _of_node(cluster, node)
    yield from ({**of_node, **target} for target in pod_targets(one))


def _service(one: Mapping[str, Any], _cluster: Cluster) -> Iterator[Found]:
    spec, told = one.get("spec") or {}, one["metadata"]
    for port in spec.get("ports") or ():
        yield {
            f"{PREFIX}namespace": told["namespace"],
            **_service_labels(one),
            f"{PREFIX}service_port_name": port.get("name", ""),
            f"{PREFIX}service_port_number": str(port["port"]),
            f"{PREFIX}service_port_protocol": port.get("protocol", "TCP"),
            f"{PREFIX}service_type": spec.get("type", "ClusterIP"),
            **_service_address(spec),
            "__address__": f"{told['name']}.{told['namespace']}.svc:{port['port']}",
        }


def _service_address(spec: Mapping[str, Any]) -> dict[str, str]:
    if spec.get("type") == "ExternalName":
        return {f"{PREFIX}service_external_name": spec.get("externalName", "")}
    found = {f"{PREFIX}service_cluster_ip": spec.get("clusterIP", "")}
    if spec.get("type") == "LoadBalancer":
        found[f"{PREFIX}service_loadbalancer_ip"] = spec.get("loadBalancerIP", "")
    return found


def _service_labels(one: Mapping[str, Any]) -> dict[str, str]:
    return {f"{PREFIX}service_name": one["metadata"]["name"], **about("service", one)}


def _endpoints(one: Mapping[str, Any], cluster: Cluster) -> Iterator[Found]:
    told = one["metadata"]
    yield from _behind(f"{told['namespace']}/{told['name']}", one, cluster, endpoints_targets)


def _slice(one: Mapping[str, Any], cluster: Cluster) -> Iterator[Found]:
    told = one["metadata"]
    service = (told.get("labels") or {}).get(_SERVICE_OF_SLICE, "")
    yield from _behind(f"{told['namespace']}/{service}", one, cluster, slice_targets)


def _behind(
    service: str,
    one: Mapping[str, Any],
    cluster: Cluster,
    make: Callable[[Mapping[str, Any], Objects], Iterator[Found]],
) -> Iterator[Found]:
    found = cluster["service"].get(service)
    whole = {
        f"{PREFIX}namespace": one["metadata"]["namespace"],
        **(_service_labels(found) if found is not None else {}),
    }
    for target in make(one, cluster["pod"]):
        yield {**_of_node(cluster, _node_behind(target)), **whole, **target}


def _node_behind(target: Found) -> str:
    """Give the name of the node that an address leads to; some endpoints are nodes themselves."""
    for kind, words in (("endpoint_address", "endpoint"), ("endpointslice_address", "endpointslice_endpoint")):
        if target.get(f"{PREFIX}{kind}_target_kind") == "Node":
            return target[f"{PREFIX}{kind}_target_name"]
        if name := target.get(f"{PREFIX}{words}_node_name"):
            return name
    return target.get(f"{PREFIX}pod_node_name", "")


def _of_namespace(cluster: Cluster, name: str) -> dict[str, str]:
    """Give the labels of a namespace, where the section asks for them."""
    namespace = cluster.get("namespaces", {}).get(f"/{name}")
    return about("namespace", namespace) if namespace is not None else {}


def _of_node(cluster: Cluster, name: str) -> dict[str, str]:
    """Give the labels of a node, where the section asks for them."""
    node = cluster.get("attached", {}).get(f"/{name}")
    return {f"{PREFIX}node_name": name, **about("node", node)} if node is not None else {}


def _ingress(one: Mapping[str, Any], _cluster: Cluster) -> Iterator[Found]:
    spec, told = one.get("spec") or {}, one["metadata"]
    whole = {
        f"{PREFIX}namespace": told["namespace"],
        f"{PREFIX}ingress_name": told["name"],
        f"{PREFIX}ingress_class_name": spec.get("ingressClassName", ""),
        **about("ingress", one),
    }
    secured = {host for tls in spec.get("tls") or () for host in tls.get("hosts") or ()}
    for rule in spec.get("rules") or ():
        host = rule.get("host") or ""
        paths = [path.get("path") or "/" for path in (rule.get("http") or {}).get("paths") or ()] or ["/"]
        for path in paths:
            yield {
                **whole,
                f"{PREFIX}ingress_scheme": "https" if _is_secured(host, secured) else "http",
                f"{PREFIX}ingress_host": host,
                f"{PREFIX}ingress_path": path,
                "__address__": host,
            }


def _is_secured(host: str, secured: set[str]) -> bool:
    return host in secured or f"*.{host.partition('.')[2]}" in secured


_ROLES: Final[dict[str, Callable[[Mapping[str, Any], Cluster], Iterator[Found]]]] = {
    "node": _node,
    "pod": _pod,
    "service": _service,
    "endpoints": _endpoints,
    "endpointslice": _slice,
    "ingress": _ingress,
}
