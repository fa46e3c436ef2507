"""Target groups as files and HTTP servers list them, in JSON or YAML; static ones from the file itself.

Source: Prometheus 3, discovery/file and discovery/http.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.telemetry.metrics.scrape.config import TargetGroup, Tree
from holdfast.telemetry.metrics.scrape.discovery.contract import Found, Tell


@dataclass(frozen=True, slots=True)
class StaticDiscovery:
    """Targets that stand in the file."""

    group: TargetGroup
    source: str

    async def run(self, tell: Tell) -> None:
        """Tell them once."""
        tell(self.source, found_in(self.group, {}))


def found_in(group: TargetGroup, meta: Mapping[str, str]) -> list[Found]:
    """Give the targets of a group, each with the group's labels and `meta`."""
    return [{**group.labels, **meta, "__address__": address} for address in group.targets]


def decode_groups(tree: Tree) -> tuple[TargetGroup, ...]:
    """Read a list of groups; raises `ConfigError` with every fault."""
    return tree.decode(tuple[TargetGroup, ...], tree.value or [])
