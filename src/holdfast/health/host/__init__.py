"""The host itself: processors, memory, disks, network, files, processes; as a snapshot, as metrics, as a table.

Owns reading this machine. Refuses other machines: those are watched by checks, or by their own Holdfast.
"""

from typing import TYPE_CHECKING

from holdfast.kernel.doorways import open_lazily

if TYPE_CHECKING:
    from holdfast.health.host.commands import register
    from holdfast.health.host.reading import HostReader
    from holdfast.health.host.settings import SECTION, HostSettings
    from holdfast.health.host.snapshot import HostSnapshot
    from holdfast.health.host.wiring import Host, wire

__all__ = ["SECTION", "Host", "HostReader", "HostSettings", "HostSnapshot", "register", "wire"]

_HOMES = {
    "commands": "register",
    "reading": "HostReader",
    "settings": "SECTION HostSettings",
    "snapshot": "HostSnapshot",
    "wiring": "Host wire",
}

if not TYPE_CHECKING:  # else a name that does not exist would be an object to a type checker
    __getattr__ = open_lazily(__name__, _HOMES)
