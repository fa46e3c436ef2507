"""Which version of a service runs since when: heard from what services send, or recorded by who deploys.

Owns their table, routes and the events `deploy.*`. Refuses to deploy, and to guess a version that nobody tells.
"""

from holdfast.telemetry.versions.book import Deploy, DeployState, Recorded, VersionBook
from holdfast.telemetry.versions.past import Ending
from holdfast.telemetry.versions.recording import Recording
from holdfast.telemetry.versions.settings import SECTION, VersionsSettings
from holdfast.telemetry.versions.wiring import VersionsRoom, wire

__all__ = [
    "SECTION",
    "Deploy",
    "DeployState",
    "Ending",
    "Recorded",
    "Recording",
    "VersionBook",
    "VersionsRoom",
    "VersionsSettings",
    "wire",
]
