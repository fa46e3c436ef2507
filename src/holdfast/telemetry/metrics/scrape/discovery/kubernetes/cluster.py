"""One section of `kubernetes_sd_configs` at work: the watches it needs, and the targets that follow from them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from holdfast.kernel.errors import HoldfastError
from holdfast.resilience import Pauses
from holdfast.telemetry.metrics.scrape.config import ClientConfig, KubernetesDiscovery
from holdfast.telemetry.metrics.scrape.discovery.contract import Found, Tell
from holdfast.telemetry.metrics.scrape.discovery.kubernetes.access import find_access, own_namespace
from holdfast.telemetry.metrics.scrape.discovery.kubernetes.roles import NEEDS, RoleTargets
from holdfast.telemetry.metrics.scrape.discovery.kubernetes.watching import AGAIN, PATHS, Watch

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock
    from holdfast.telemetry.metrics.scrape.calling import Callers
    from holdfast.telemetry.metrics.scrape.discovery.failures import Failures

SETTLE_S: Final = 0.5  # changes within this time are told as one
_CLUSTER_WIDE: Final = frozenset({"node", "namespace"})


@dataclass(slots=True)
class _Part:
    """One namespace of those that are named, or the whole cluster: it is told as soon as it is known."""

    namespace: str
    watches: dict[str, Watch]
    targets: RoleTargets
    told: dict[str, list[Found]] | None = None

    @property
    def is_listed(self) -> bool:
        return all(one.is_listed for one in self.watches.values())

    def tell_changes(self, tell: Tell) -> None:
        now = self.targets.of({kind: watch.objects for kind, watch in self.watches.items()})
        told = self.told or {}
        if self.told is None and not now:
            tell(f"{self.targets.role}/{self.namespace}/", ())  # that there are none is news, too
        for source in told.keys() - now.keys():
            tell(source, ())
        for source, found in now.items():
            if told.get(source) != found:
                tell(source, found)
        self.told = now


class ClusterTargets:
    """Follows a cluster."""

    def __init__(
        self, section: KubernetesDiscovery, callers: Callers, base: Path, clock: Clock, failures: Failures
    ) -> None:
        self._section = section
        self._callers = callers
        self._base = base
        self._clock = clock
        self._failures = failures
        self._changed = asyncio.Event()
        self._parts: list[_Part] = []

    async def run(self, tell: Tell) -> None:
        """Follow it for ever."""
        told = {part.namespace: part.told for part in self._parts}
        self._parts = self._begin(*await self._found())
        for part in self._parts:
            part.told = told.get(part.namespace)
        watches = {id(one): one for part in self._parts for one in part.watches.values()}
        async with asyncio.TaskGroup() as group:
            for watch in watches.values():
                group.create_task(watch.run())
            while True:
                await self._changed.wait()
                self._changed.clear()
                for part in self._parts:
                    if part.is_listed:
                        part.tell_changes(tell)
                await self._clock.sleep(SETTLE_S)

    async def _found(self) -> tuple[str, ClientConfig, list[str]]:
        """Give where the API server is, how it is called and for which namespaces, once the files say so."""
        pauses, source = Pauses(AGAIN), self._section.kubeconfig_file or "the cluster's own account"
        while True:
            try:
                found = *find_access(self._section, self._base, self._callers.variables), self._namespaces()
            except HoldfastError as error:
                self._failures.note("kubernetes", source, error)
                await self._clock.sleep(pauses.next_s())
            else:
                self._failures.clear("kubernetes", source)
                return found

    def _begin(self, url: str, client: ClientConfig, namespaces: list[str]) -> list[_Part]:
        caller = self._callers.caller(client, self._base, "scrape_discovery")
        role, attached = self._section.role, self._section.attach_metadata
        kinds = {kind: kind for kind in NEEDS[role]}
        if attached.node and role != "node":
            kinds["attached"] = "node"
        if attached.namespace and role != "node":
            kinds["namespaces"] = "namespace"

        def watch(kind: str, namespace: str) -> Watch:
            path = PATHS[kind].format(f"namespaces/{namespace}/" if namespace else "")
            return Watch(
                url + path, kind, self._selectors(kind), caller, self._clock, self._failures, self._changed.set
            )

        shared = {name: watch(kind, "") for name, kind in kinds.items() if kind in _CLUSTER_WIDE}
        own = {name: kind for name, kind in kinds.items() if name not in shared}
        return [
            _Part(namespace, {name: watch(kind, namespace) for name, kind in own.items()} | shared, RoleTargets(role))
            for namespace in (namespaces if own else [""])
        ]

    def _namespaces(self) -> list[str]:
        """Give the namespaces that are watched; an empty one stands for all."""
        named = list(self._section.namespaces.names)
        if self._section.namespaces.own_namespace:
            named.append(own_namespace())
        return list(dict.fromkeys(named)) or [""]

    def _selectors(self, kind: str) -> dict[str, str]:
        chosen = next((one for one in self._section.selectors if one.role == kind), None)
        if chosen is None:
            return {}
        given = {"labelSelector": chosen.label, "fieldSelector": chosen.field}
        return {name: value for name, value in given.items() if value}
