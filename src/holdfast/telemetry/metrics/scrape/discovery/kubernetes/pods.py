"""Pods as targets: one for each port of a container, or one for a container without ports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.telemetry.metrics.scrape.discovery.contract import Found
from holdfast.telemetry.metrics.scrape.discovery.kubernetes.meta import PREFIX, about, joined, word

_POD = f"{PREFIX}pod_"


def pod_labels(pod: Mapping[str, Any]) -> dict[str, str]:
    """Give what is known of a pod as a whole."""
    told, spec, status = pod["metadata"], pod.get("spec") or {}, pod.get("status") or {}
    ready = next((c["status"].lower() for c in status.get("conditions") or () if c.get("type") == "Ready"), "unknown")
    labels = {
        f"{_POD}name": told["name"],
        f"{_POD}ip": status.get("podIP", ""),
        f"{_POD}ready": ready,
        f"{_POD}phase": status.get("phase", ""),
        f"{_POD}node_name": spec.get("nodeName", ""),
        f"{_POD}host_ip": status.get("hostIP", ""),
        f"{_POD}uid": told.get("uid", ""),
        **about("pod", pod),
    }
    for owner in told.get("ownerReferences") or ():
        if owner.get("controller"):
            labels[f"{_POD}controller_kind"] = owner.get("kind", "")
            labels[f"{_POD}controller_name"] = owner.get("name", "")
    return labels


def containers(pod: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """Give the containers of a pod, and whether each is one that only starts it."""
    spec = pod.get("spec") or {}
    yield from ((one, False) for one in spec.get("containers") or ())
    yield from ((one, True) for one in spec.get("initContainers") or ())


def container_labels(pod: Mapping[str, Any], container: Mapping[str, Any], *, is_init: bool) -> dict[str, str]:
    """Give what is known of a container."""
    status = pod.get("status") or {}
    states = [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]
    identity = next((one.get("containerID", "") for one in states if one.get("name") == container["name"]), "")
    return {
        f"{_POD}container_name": container["name"],
        f"{_POD}container_id": identity,
        f"{_POD}container_image": container.get("image", ""),
        f"{_POD}container_init": word(is_init),
    }


def port_labels(port: Mapping[str, Any]) -> dict[str, str]:
    """Give what is known of a container's port."""
    return {
        f"{_POD}container_port_name": port.get("name", ""),
        f"{_POD}container_port_number": str(port["containerPort"]),
        f"{_POD}container_port_protocol": port.get("protocol", "TCP"),
    }


def pod_targets(pod: Mapping[str, Any]) -> Iterator[Found]:
    """Give the targets of a pod; none while it has no address."""
    address = (pod.get("status") or {}).get("podIP", "")
    if not address:
        return
    whole = {f"{PREFIX}namespace": pod["metadata"]["namespace"], **pod_labels(pod)}
    for container, is_init in containers(pod):
        own = {**whole, **container_labels(pod, container, is_init=is_init)}
        ports = container.get("ports") or ()
        if not ports:
            yield {**own, "__address__": f"[{address}]" if ":" in address else address}
        for port in ports:
            yield {**own, **port_labels(port), "__address__": joined(address, port["containerPort"])}
