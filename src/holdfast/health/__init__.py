"""Checks of what we depend on: probes ask, the engine schedules, results become metrics and events.

Owns verdicts, probes, schedules and uptime. Refuses paging and routing: transitions are
events that upper rooms read.
"""

from typing import TYPE_CHECKING

from holdfast.kernel.doorways import open_lazily

if TYPE_CHECKING:
    from holdfast.health.commands import register as register_commands
    from holdfast.health.host import SECTION as HOST_SECTION
    from holdfast.health.host import HostSettings
    from holdfast.health.host import register as register_host
    from holdfast.health.host import wire as wire_host
    from holdfast.health.services import Services
    from holdfast.health.services import wire as wire_services
    from holdfast.health.settings import SECTION, HealthSettings
    from holdfast.health.verdict import Verdict, severity, worst
    from holdfast.health.wiring import HealthRoom, wire

__all__ = [
    "HOST_SECTION",
    "SECTION",
    "HealthRoom",
    "HealthSettings",
    "HostSettings",
    "Services",
    "Verdict",
    "register_commands",
    "register_host",
    "severity",
    "wire",
    "wire_host",
    "wire_services",
    "worst",
]

_HOMES = {
    "commands": "register_commands=register",
    "host": "HOST_SECTION=SECTION HostSettings register_host=register wire_host=wire",
    "services": "Services wire_services=wire",
    "settings": "SECTION HealthSettings",
    "verdict": "Verdict severity worst",
    "wiring": "HealthRoom wire",
}

if not TYPE_CHECKING:  # else a name that does not exist would be an object to a type checker
    __getattr__ = open_lazily(__name__, _HOMES)
