"""All kinds of checks of this Holdfast: those that ask, the heartbeat that waits, and those of plugins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Final

from holdfast.health.heartbeats import HEARTBEAT
from holdfast.health.probes import ENTRY_POINT_GROUP, ProbeKind, merge_kinds
from holdfast.health.probes import KINDS as ASKING_KINDS
from holdfast.kernel.plugins import load_plugins

KINDS: Final = merge_kinds(ASKING_KINDS.values(), (HEARTBEAT,))


@dataclass(frozen=True, slots=True)
class InstalledKinds:
    """Every kind that checks may have, and why some plugin's kinds are not among them."""

    kinds: Mapping[str, ProbeKind]
    faults: tuple[str, ...]


def find_kinds(*, found: Iterable[EntryPoint] | None = None) -> InstalledKinds:
    """Give our kinds and those of installed plugins; a plugin cannot replace a kind of ours.

    Args:
        found: entry points instead of those of the installed packages.
    """
    plugins = load_plugins(ENTRY_POINT_GROUP, _accept, found=found)
    faults = [str(fault) for fault in plugins.faults]
    added: dict[str, ProbeKind] = {}
    for plugin in plugins.loaded:
        kind = plugin.value
        if kind.name in KINDS or kind.name in added:
            taken = f"there is a kind {kind.name!r} already"
            faults.append(f"plugin {plugin.name!r} of {plugin.package} {plugin.version} is not used: {taken}")
        else:
            added[kind.name] = kind
    return InstalledKinds(merge_kinds(KINDS.values(), added.values()), tuple(faults))


def _accept(made: object) -> ProbeKind:
    if not isinstance(made, ProbeKind) or made.build is None:
        raise TypeError("it is no ProbeKind that asks")
    return made
