"""Loki's push: protobuf behind snappy, and JSON, both with structured metadata; answers as its senders expect them.

Owns the formats and the HTTP of pushing. Refuses queries, which are the API's.
"""

from holdfast.telemetry.logs.loki.pushing import LokiPush
from holdfast.telemetry.logs.loki.routes import PATH, push_routes
from holdfast.telemetry.logs.loki.settings import SECTION, LokiSettings

__all__ = ["PATH", "SECTION", "LokiPush", "LokiSettings", "push_routes"]
