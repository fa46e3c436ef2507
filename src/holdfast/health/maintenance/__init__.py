"""Maintenance over HTTP. What a window is stands in `checks`, what it does in `engine`."""

from holdfast.health.maintenance.routes import routes

__all__ = ["routes"]
