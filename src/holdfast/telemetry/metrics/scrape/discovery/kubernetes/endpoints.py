"""Endpoints and endpoint slices as targets: the addresses behind a service, with the pods that stand there.

Ports of such a pod that the service does not name are targets too, as in Prometheus.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.telemetry.metrics.scrape.discovery.contract import Found
from holdfast.telemetry.metrics.scrape.discovery.kubernetes.meta import PREFIX, about, clean, joined, word
from holdfast.telemetry.metrics.scrape.discovery.kubernetes.pods import (
    container_labels,
    containers,
    pod_labels,
    port_labels,
)

Objects = Mapping[str, Mapping[str, Any]]


def endpoints_targets(one: Mapping[str, Any], pods: Objects) -> Iterator[Found]:
    """Give the targets of an Endpoints object."""
    whole = {f"{PREFIX}endpoints_name": one["metadata"]["name"], **about("endpoints", one)}
    reached = _Reached(one["metadata"]["namespace"], pods)
    for subset in one.get("subsets") or ():
        for port in subset.get("ports") or ():
            for is_ready in (True, False):
                for address in subset.get("addresses" if is_ready else "notReadyAddresses") or ():
                    own = {**whole, **_endpoint(address, port), f"{PREFIX}endpoint_ready": word(is_ready)}
                    yield {**own, **reached.pod(address, port), "__address__": joined(address["ip"], port["port"])}
    yield from reached.others(whole)


def slice_targets(one: Mapping[str, Any], pods: Objects) -> Iterator[Found]:
    """Give the targets of an EndpointSlice."""
    prefix = f"{PREFIX}endpointslice_"
    kind = one.get("addressType", "")
    whole = {
        f"{prefix}name": one["metadata"]["name"],
        f"{prefix}address_type": kind,
        **about("endpointslice", one),
    }
    reached = _Reached(one["metadata"]["namespace"], pods)
    for port in one.get("ports") or ():
        number = port.get("port")  # none is all of them, and which one is for relabelling to say
        of_port = {
            f"{prefix}port": "" if number is None else str(number),
            f"{prefix}port_name": port.get("name", ""),
            f"{prefix}port_protocol": port.get("protocol", ""),
            f"{prefix}port_app_protocol": port.get("appProtocol", ""),
        }
        for endpoint in one.get("endpoints") or ():
            own = {**whole, **of_port, **_slice_endpoint(prefix, endpoint)}
            for address in endpoint.get("addresses") or ():
                at = address if number is None else joined(address, number)
                yield {**own, **reached.pod(endpoint, port), "__address__": at}
    yield from reached.others(whole)


def _endpoint(address: Mapping[str, Any], port: Mapping[str, Any]) -> dict[str, str]:
    prefix, target = f"{PREFIX}endpoint_", address.get("targetRef") or {}
    return {
        f"{prefix}port_name": port.get("name", ""),
        f"{prefix}port_protocol": port.get("protocol", ""),
        f"{prefix}hostname": address.get("hostname", ""),
        f"{prefix}node_name": address.get("nodeName", ""),
        f"{prefix}address_target_kind": target.get("kind", ""),
        f"{prefix}address_target_name": target.get("name", ""),
    }


def _slice_endpoint(prefix: str, endpoint: Mapping[str, Any]) -> dict[str, str]:
    target, conditions = endpoint.get("targetRef") or {}, endpoint.get("conditions") or {}
    found = {
        f"{prefix}endpoint_hostname": endpoint.get("hostname", ""),
        f"{prefix}endpoint_node_name": endpoint.get("nodeName", ""),
        f"{prefix}endpoint_zone": endpoint.get("zone", ""),
        f"{prefix}address_target_kind": target.get("kind", ""),
        f"{prefix}address_target_name": target.get("name", ""),
    }
    for name, value in conditions.items():
        if value is not None:
            found[f"{prefix}endpoint_conditions_{name}"] = word(value)
    for name, value in (endpoint.get("deprecatedTopology") or {}).items():
        found[f"{prefix}endpoint_topology_{clean(name)}"] = value
        found[f"{prefix}endpoint_topology_present_{clean(name)}"] = "true"
    return found


class _Reached:
    """The pods that addresses lead to, and which of their ports were named."""

    def __init__(self, namespace: str, pods: Objects) -> None:
        self._namespace = namespace
        self._pods = pods
        self._named: dict[str, set[int | None]] = {}

    def pod(self, address: Mapping[str, Any], port: Mapping[str, Any]) -> dict[str, str]:
        """Give what is known of the pod at an address, and of the container that has the port."""
        target = address.get("targetRef") or {}
        key = f"{target.get('namespace') or self._namespace}/{target.get('name', '')}"
        pod = self._pods.get(key) if target.get("kind") == "Pod" else None
        if pod is None:
            return {}
        self._named.setdefault(key, set()).add(port.get("port"))
        labels = pod_labels(pod)
        for container, is_init in containers(pod):
            for own in container.get("ports") or ():
                if own["containerPort"] == port.get("port"):
                    return {**labels, **container_labels(pod, container, is_init=is_init), **port_labels(own)}
        return labels

    def others(self, whole: Mapping[str, str]) -> Iterator[Found]:
        """Give a target for every port of the pods that was not named."""
        for key, named in self._named.items():
            pod = self._pods[key]
            address = (pod.get("status") or {}).get("podIP", "")
            for container, is_init in containers(pod):
                for port in container.get("ports") or ():
                    if port["containerPort"] not in named and address:
                        own = {**container_labels(pod, container, is_init=is_init), **port_labels(port)}
                        at = joined(address, port["containerPort"])
                        yield {**whole, **pod_labels(pod), **own, "__address__": at}
