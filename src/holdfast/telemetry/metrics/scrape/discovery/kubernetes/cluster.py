"""One section of `kubernetes_sd_configs` at work: the watches it needs, and the targets that follow from them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from holdfast.telemetry.metrics.scrape.config import KubernetesDiscovery
from holdfast.telemetry.metrics.scrape.discovery.contract import Found, Tell
from holdfast.telemetry.metrics.scrape.discovery.kubernetes.access import find_access, own_namespace
from holdfast.telemetry.metrics.scrape.discovery.kubernetes.roles import NEEDS, targets_of
from holdfast.telemetry.metrics.scrape.discovery.kubernetes.watching import PATHS, Watch

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock
    from holdfast.telemetry.metrics.scrape.calling import Callers
    from holdfast.telemetry.metrics.scrape.metrics import ScrapeMetrics

SETTLE_S: Final = 0.5  # changes within this time are told as one
_CLUSTER_WIDE: Final = frozenset({"node", "namespace"})


class ClusterTargets:
    """Follows a cluster."""

    def __init__(
        self, section: KubernetesDiscovery, callers: Callers, base: Path, clock: Clock, metrics: ScrapeMetrics
    ) -> None:
        self._section = section
        self._callers = callers
        self._base = base
        self._clock = clock
        self._metrics = metrics
        self._changed = asyncio.Event()
        self._told: dict[str, list[Found]] | None = None

    async def run(self, tell: Tell) -> None:
        """Follow it for ever."""
        watches = self._watches()
        async with asyncio.TaskGroup() as group:
            for watch in (one for kind in watches.values() for one in kind):
                group.create_task(watch.run())
            while True:
                await self._changed.wait()
                self._changed.clear()
                if all(one.is_listed for kind in watches.values() for one in kind):
                    self._tell_changes(watches, tell)
                await self._clock.sleep(SETTLE_S)

    def _tell_changes(self, watches: dict[str, list[Watch]], tell: Tell) -> None:
        cluster = {kind: _merged(each) for kind, each in watches.items()}
        now = targets_of(self._section.role, cluster)
        told = self._told or {}
        if self._told is None and not now:
            tell(self._section.role, ())  # that there are none is news, too
        for source in told.keys() - now.keys():
            tell(source, ())
        for source, found in now.items():
            if told.get(source) != found:
                tell(source, found)
        self._told = now

    def _watches(self) -> dict[str, list[Watch]]:
        url, client = find_access(self._section, self._base)
        caller = self._callers.caller(client, self._base, "scrape_discovery")
        kinds = {kind: kind for kind in NEEDS[self._section.role]}
        if self._section.attach_metadata.node and self._section.role != "node":
            kinds["attached"] = "node"
        if self._section.attach_metadata.namespace and self._section.role != "node":
            kinds["namespaces"] = "namespace"
        return {
            name: [
                Watch(
                    url + path,
                    kind,
                    self._selectors(kind),
                    caller,
                    self._clock,
                    self._metrics,
                    self._changed.set,
                )
                for path in self._paths(kind)
            ]
            for name, kind in kinds.items()
        }

    def _paths(self, kind: str) -> list[str]:
        named = list(self._section.namespaces.names)
        if self._section.namespaces.own_namespace and own_namespace():
            named.append(own_namespace())
        if kind in _CLUSTER_WIDE or not named:
            return [PATHS[kind].format("")]
        return [PATHS[kind].format(f"namespaces/{name}/") for name in dict.fromkeys(named)]

    def _selectors(self, kind: str) -> dict[str, str]:
        chosen = next((one for one in self._section.selectors if one.role == kind), None)
        if chosen is None:
            return {}
        given = {"labelSelector": chosen.label, "fieldSelector": chosen.field}
        return {name: value for name, value in given.items() if value}


def _merged(watches: list[Watch]) -> dict[str, dict[str, Any]]:
    return {key: one for watch in watches for key, one in watch.objects.items()}
