"""Plain lines over HTTP: one record per line, tracebacks joined, and what each line tells of itself recognised.

Owns the format and its route. Refuses files and sockets, which are others' business.
"""

from holdfast.telemetry.logs.plain.routes import line_routes
from holdfast.telemetry.logs.plain.taking import PlainLines, Sender

__all__ = ["PlainLines", "Sender", "line_routes"]
