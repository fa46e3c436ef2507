"""The doors through which other programs send signals to us and fetch them, joined to the app.

Owns their wiring. Refuses formats and transports, which are the business of each door's own package.
"""

from holdfast.telemetry.doors.wiring import SECTIONS, DoorsRoom, wire

__all__ = [
    "SECTIONS",
    "DoorsRoom",
    "wire",
]
