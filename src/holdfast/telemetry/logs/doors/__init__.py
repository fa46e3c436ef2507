"""The doors through which other programs send logs to us, joined to the app.

Owns their wiring. Refuses formats and transports, which are the business of each door's own package.
"""

from holdfast.telemetry.logs.doors.wiring import SECTIONS, LogDoorsRoom, wire

__all__ = ["SECTIONS", "LogDoorsRoom", "wire"]
