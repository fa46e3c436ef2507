"""The host itself: processors, memory, disks, network, files, processes; as a snapshot, as metrics, as a table.

Owns reading this machine. Refuses other machines: those are watched by checks, or by their own Holdfast.
"""

from holdfast.health.host.commands import register
from holdfast.health.host.reading import HostReader
from holdfast.health.host.settings import SECTION, HostSettings
from holdfast.health.host.snapshot import HostSnapshot
from holdfast.health.host.wiring import Host, wire

__all__ = ["SECTION", "Host", "HostReader", "HostSettings", "HostSnapshot", "register", "wire"]
