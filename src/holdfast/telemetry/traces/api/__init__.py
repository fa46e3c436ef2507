"""Holdfast's own REST API of traces.

Owns its documents and what their parameters mean. Refuses to find spans itself.
"""

from holdfast.telemetry.traces.api.routes import routes

__all__ = ["routes"]
