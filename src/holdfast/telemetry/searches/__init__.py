"""Saved searches: queries of logs, traces and metrics with their view, kept under a name, private or for the tenant.

Owns their table, routes and events. Refuses to run them: the explorers and the query APIs do.
"""

from holdfast.telemetry.searches.shelf import Search, SearchKind, SearchShelf
from holdfast.telemetry.searches.wiring import SearchRoom, wire

__all__ = ["Search", "SearchKind", "SearchRoom", "SearchShelf", "wire"]
