"""Logs: lines come in by many doors, are kept in streams, and are asked for in LogQL.

Owns what a log record is and how it is stored and read. Refuses to know who sends it.
"""

from holdfast.telemetry.logs.logql import LogqlError, parse

__all__ = ["LogqlError", "parse"]
