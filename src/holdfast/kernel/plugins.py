"""Finds what other installed packages add, by entry points, and keeps a broken one from stopping the start.

A room names its group (`holdfast.probes`, `holdfast.secrets`) and says what it accepts. Installing and updating
plugins is pip's work; nothing here sandboxes them: a plugin is code that the operator chose to install.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Plugin(Generic[T]):
    """One thing that a package adds: its name, what it is, and which version of which package brought it."""

    name: str
    value: T
    package: str
    version: str


@dataclass(frozen=True, slots=True)
class PluginFault:
    """One plugin that could not be used, and why, in words for the person who installed it."""

    name: str
    package: str
    version: str
    message: str

    def __str__(self) -> str:
        """Give one line."""
        return f"plugin {self.name!r} of {self.package} {self.version} is not used: {self.message}"


@dataclass(frozen=True, slots=True)
class Plugins(Generic[T]):
    """All that was found in one group, sorted by name."""

    group: str
    loaded: tuple[Plugin[T], ...]
    faults: tuple[PluginFault, ...]

    def values(self) -> dict[str, T]:
        """Give the usable plugins by name."""
        return {plugin.name: plugin.value for plugin in self.loaded}


def load_plugins(group: str, accept: Callable[[object], T], *, found: Iterable[EntryPoint] | None = None) -> Plugins[T]:
    """Import the plugins of `group`.

    Args:
        group: the entry-point group, such as `holdfast.probes`.
        accept: turns what was imported into what the room wants; raises whatever says why it cannot.
        found: entry points instead of those of the installed packages.

    Returns:
        The usable ones and the faults. Never raises because of a plugin.
    """
    points = sorted(entry_points(group=group) if found is None else found, key=lambda point: point.name)
    times = Counter(point.name for point in points)
    loaded: list[Plugin[T]] = []
    faults: list[PluginFault] = []
    for point in points:
        package = point.dist.name if point.dist else "unknown"
        version = point.dist.version if point.dist else "unknown"
        if times[point.name] > 1:
            message = f"{times[point.name]} plugins have this name; uninstall all but one"
            faults.append(PluginFault(point.name, package, version, message))
            continue
        try:
            value = accept(point.load())
        except Exception as error:  # noqa: BLE001 - the plugin fence: one broken package must not stop the rest
            message = f"{type(error).__name__}: {error}"
            faults.append(PluginFault(point.name, package, version, message))
        else:
            loaded.append(Plugin(point.name, value, package, version))
    return Plugins(group, tuple(loaded), tuple(faults))
