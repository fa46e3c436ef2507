"""Syslog over UDP, TCP and TLS, RFC 5424 and 3164; off unless `[syslog]` names an address.

Owns the formats, the framing and the listeners. Refuses relaying, and answers: syslog has none.
"""

from holdfast.telemetry.logs.syslog.listening import SyslogServer
from holdfast.telemetry.logs.syslog.settings import SECTION, SyslogSettings

__all__ = ["SECTION", "SyslogServer", "SyslogSettings"]
